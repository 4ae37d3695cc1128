/** Rules over how the call was led: share of talk, stretches, questions, pauses, speed. */
import {
  answeredQuestions,
  isOrdinary,
  percent,
  place,
  plural,
  practice,
  rangeOf,
  type Rule,
  within,
  totalWords,
  sum,
} from "./coach-scene.ts";
import { answerGaps } from "./pace.ts";
import { interruptions, longestStretch, silences } from "./talk.ts";

const tenths = (ms: number): string => `${(Math.round(ms / 100) / 10).toFixed(1)} s`;
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
const whole = (n: number): string => String(Math.round(n));
export const talksTooMuch: Rule = (scene) => {
  const ratio = scene.input.measures.agent_talk_ratio;
  const range = rangeOf(scene, "agent_talk_ratio");
  if (ratio === null || scene.customer.length === 0) return null;
  const expected = { ...range, measure: "agent_talk_ratio", text: within(range.low, range.high, percent) } as const;
  const observed = { value: ratio, text: percent(ratio) };
  // Compared as shown, so that nobody reads "60%, expected at most 60%".
  if (Math.round(ratio * 100) > Math.round((range.high ?? 1) * 100)) {
    const longest = longestStretch(scene.speech, "agent", "words");
    return {
      rule_id: "talk_ratio",
      topic: "talk",
      severity: totalWords(scene) < 100 ? "low" : ratio > 0.75 ? "high" : "medium",
      text: `You spoke ${percent(ratio)} of the words (expected ${expected.text}); the longest run was ${longest?.words ?? 0} words in ${place(longest?.turns ?? [0])}. Stop sooner and hand over with a question.`,
      evidence: (longest?.turns ?? []).slice(0, 4),
      expected,
      observed,
    };
  }
  // Talking less than is usual is only a fault where the customer is left alone.
  if (ratio < Math.min(range.low ?? 0, 0.2) && totalWords(scene) >= 40) {
    const story = longestStretch(scene.speech, "customer", "words");
    return {
      rule_id: "talk_ratio",
      topic: "talk",
      severity: "low",
      text: `You spoke only ${percent(ratio)} of the words (expected ${expected.text}). Sum up what you heard, as after ${place(story?.turns ?? [0])}, and guide the customer to a decision.`,
      evidence: (story?.turns ?? []).slice(0, 4),
      expected,
      observed,
    };
  }
  return null;
};

export const monologue: Rule = (scene) => {
  const timed = scene.speech.untimed === null;
  const measure = timed ? "longest_monologue_seconds" : "longest_monologue_words";
  const range = rangeOf(scene, measure);
  const longest = longestStretch(scene.speech, "agent", timed ? "seconds" : "words");
  const value = timed ? (longest?.seconds ?? 0) : (longest?.words ?? 0);
  if (!longest || value <= (range.high ?? Number.POSITIVE_INFINITY)) return null;
  const unit = (n: number): string => `${Math.round(n)} ${timed ? "seconds" : "words"}`;
  return {
    rule_id: "monologue",
    topic: "monologue",
    severity: value > 2 * (range.high ?? value) ? "high" : "medium",
    text: `You talked for ${unit(value)} without a break in ${place(longest.turns)} (expected ${within(null, range.high, unit)}). Break it into shorter points, with a check question after each.`,
    evidence: longest.turns.slice(0, 4),
    expected: { ...range, low: null, measure, text: within(null, range.high, unit) },
    observed: { value, text: unit(value) },
  };
};

export const fewQuestions: Rule = (scene) => {
  const asked = scene.questions.filter((q) => q.speaker === "agent");
  const agentWords = scene.agent.reduce((sum, t) => sum + t.words.all, 0);
  if (!scene.speech.english || scene.agent.length === 0 || scene.customer.length === 0) return null;
  const range = rangeOf(scene, "agent_question_rate");
  const rate = scene.input.measures.agent_question_rate;
  // A rate over a short call says little; without a duration, one question in 150 words is the same pace.
  const long = (scene.speech.duration_seconds ?? 0) >= 180 || (rate === null && agentWords >= 150);
  const few = rate === null ? asked.length * 150 < agentWords : rate < (range.low ?? 0);
  if (asked.length > 0 && !(long && few)) return null;
  const longest = longestStretch(scene.speech, "agent", "words");
  const expectation = `${within(range.low, null, (n) => String(Math.round(n)))} questions an hour`;
  return {
    rule_id: "questions",
    topic: "questions",
    severity: asked.length > 0 ? "medium" : agentWords >= 30 ? "high" : "low",
    text:
      asked.length === 0
        ? `You asked no question in ${plural(scene.agent.length, "turn")} and ${plural(agentWords, "word")}. Ask what the customer wants to change and why; ${place(longest?.turns ?? [0])}, your longest, was the place for it.`
        : `You asked ${plural(asked.length, "question")} in ${plural(agentWords, "word")}. Ask more, about goals, people and timing; ${place(longest?.turns ?? [0])} held the longest run without one.`,
    evidence: asked.length === 0 ? (longest?.turns ?? []).slice(0, 3) : asked.slice(0, 3).map((q) => q.turn),
    expected: { ...range, measure: "agent_question_rate", text: expectation },
    observed:
      rate === null
        ? { value: asked.length, text: plural(asked.length, "question") }
        : { value: rate, text: `${rate.toFixed(1)} an hour` },
  };
};

export const closedQuestions: Rule = (scene) => {
  const asked = answeredQuestions(scene);
  const range = rangeOf(scene, "agent_open_question_share");
  const open = asked.filter((q) => q.open).length;
  const share = asked.length > 0 ? open / asked.length : 1;
  // The closed question with the shortest answer shows best what an open one could have drawn.
  const closed = asked.filter((q) => !q.open && q.drawn > 0).toSorted((a, b) => a.drawn - b.drawn || a.turn - b.turn);
  const shortest = closed[0];
  if (asked.length < 4 || share >= (range.low ?? 0) || !shortest) return null;
  const count = open === 0 ? "None" : `Only ${open}`;
  return {
    rule_id: "open_questions",
    topic: "questions",
    severity: "low",
    text: `${count} of your ${asked.length} questions ${open > 1 ? "were" : "was"} open; that of turn ${shortest.turn + 1} drew ${plural(shortest.drawn, "word")}. Ask what or how instead and let the customer tell.`,
    evidence: [
      shortest.turn,
      ...shortest.answer.slice(0, 1).map((t) => t.index),
      ...closed.slice(1, 3).map((q) => q.turn),
    ],
    expected: { ...range, measure: "agent_open_question_share", text: `${within(range.low, null, percent)} open` },
    observed: { value: share, text: `${percent(share)} open, greetings left out` },
  };
};

export const cutsIn: Rule = (scene) => {
  if (scene.speech.untimed !== null) return null;
  const range = rangeOf(scene, "agent_interruptions");
  const cuts = interruptions(scene.speech).filter((c) => c.speaker === "agent");
  if (cuts.length <= (range.high ?? 0) || !scene.speech.english) return null;
  const longest = cuts.toSorted((a, b) => b.ms - a.ms)[0];
  const first = longest ?? cuts[0];
  if (!first) return null;
  return {
    rule_id: "interruptions",
    topic: "patience",
    severity: cuts.length >= 2 * (range.high ?? 0) + 2 ? "high" : "medium",
    text: `You cut in ${cuts.length} times (expected ${within(null, range.high, String)}), longest in turn ${first.turn + 1} for ${(first.ms / 1000).toFixed(1)} s. Let the customer finish; write the point down and come back to it.`,
    evidence: [first.over, ...cuts.slice(0, 5).map((c) => c.turn)],
    expected: { ...range, low: null, measure: "agent_interruptions", text: within(null, range.high, String) },
    observed: { value: cuts.length, text: plural(cuts.length, "interruption") },
  };
};

export const impatient: Rule = (scene) => {
  const value = scene.input.measures.patience_ms;
  if (value === null || scene.speech.untimed !== null) return null;
  const gaps = answerGaps(scene.speech);
  const range = rangeOf(scene, "patience_ms");
  // Compared as shown, here and below: "0.6 s, expected 0.6 s to 1.1 s" helps nobody.
  const shown = Math.round(value / 100);
  const hasty = shown < Math.round((range.low ?? 0) / 100);
  const slow = shown > Math.round((range.high ?? Number.POSITIVE_INFINITY) / 100);
  if (gaps.length < 5 || !(hasty || slow)) return null;
  const telling = gaps.toSorted((a, b) => (hasty ? a.ms - b.ms : b.ms - a.ms))[0];
  if (!telling) return null;
  const expected = within(range.low, range.high, tenths);
  const advice = hasty
    ? "Count to one after the customer stops: the best details often come in that second."
    : "Answer sooner, or say that you are looking it up.";
  return {
    rule_id: "patience",
    topic: "patience",
    // Unlike the team, but as people ordinarily talk.
    severity: isOrdinary("patience_ms", value) ? "low" : "medium",
    text: `You answer ${tenths(value)} after the customer stops (expected ${expected}), as in turn ${telling.agent_turn + 1}. ${advice}`,
    evidence: [telling.customer_turn, telling.agent_turn],
    expected: { ...range, measure: "patience_ms", text: expected },
    observed: { value, text: tenths(value) },
  };
};

export const deadAir: Rule = (scene) => {
  if (scene.speech.untimed !== null) return null;
  const range = rangeOf(scene, "longest_silence_ms");
  const longest = silences(scene.speech).toSorted((a, b) => b.ms - a.ms)[0];
  if (!longest || Math.round(longest.ms / 1000) <= Math.round((range.high ?? 0) / 1000)) return null;
  return {
    rule_id: "dead_air",
    topic: "silence",
    severity: "low",
    text: `Nobody spoke for ${seconds(longest.ms)} before turn ${longest.after + 1} (expected ${within(null, range.high, seconds)}). Say what you are doing while you look something up, and how long it takes.`,
    evidence: [longest.before, longest.after],
    expected: { ...range, low: null, measure: "longest_silence_ms", text: within(null, range.high, seconds) },
    observed: { value: longest.ms, text: seconds(longest.ms) },
  };
};

export const tooFast: Rule = (scene) => {
  const speed = scene.input.measures.agent_words_per_minute;
  const range = rangeOf(scene, "agent_words_per_minute");
  const longest = longestStretch(scene.speech, "agent", "words");
  if (speed === null || !longest || Math.round(speed) <= Math.round(range.high ?? 0) || totalWords(scene) < 100)
    return null;
  return {
    rule_id: "speed",
    topic: "speed",
    severity: "low",
    text: `You spoke ${whole(speed)} words a minute (expected ${within(range.low, range.high, whole)}). Slow down where it matters, as in ${place(longest.turns)}, and pause after figures.`,
    evidence: longest.turns.slice(0, 3),
    expected: { ...range, measure: "agent_words_per_minute", text: within(range.low, range.high, whole) },
    observed: { value: speed, text: `${whole(speed)} words a minute` },
  };
};

export const fillers: Rule = (scene) => {
  const [used, said] = [sum(scene.agent, (t) => t.words.fillers), sum(scene.agent, (t) => t.words.all)];
  if (used < 8 || used < said * 0.04) return null;
  const most = scene.agent.toSorted((a, b) => b.words.fillers - a.words.fillers).slice(0, 3);
  return {
    rule_id: "fillers",
    topic: "fillers",
    severity: "low",
    text: `You used ${used} fillers in ${said} words, most in turn ${(most[0]?.index ?? 0) + 1}. Replace them by a short pause; it sounds surer.`,
    evidence: most.map((t) => t.index),
    expected: { ...practice("fewer than 4 in 100 words"), measure: "agent_fillers" },
    observed: { value: used, text: `${((used / said) * 100).toFixed(1)} in 100 words` },
  };
};

export const shortAnswers: Rule = (scene) => {
  const range = rangeOf(scene, "longest_customer_story_words");
  const longest = longestStretch(scene.speech, "customer", "words");
  if (!longest || longest.words >= (range.low ?? 0) || scene.customer.length < 4 || scene.agent.length === 0)
    return null;
  return {
    rule_id: "short_answers",
    topic: "story",
    severity: "low",
    text: `The customer's longest answer was ${plural(longest.words, "word")}, in ${place(longest.turns)}. Ask for an example or a story, and stay silent until it is told.`,
    evidence: longest.turns.slice(0, 3),
    expected: {
      ...range,
      high: null,
      measure: "longest_customer_story_words",
      text: `${within(range.low, null, String)} words`,
    },
    observed: { value: longest.words, text: plural(longest.words, "word") },
  };
};

/** What went well, named with its evidence; shown where fewer than three things are to be done better. */
import { ACKNOWLEDGED, GREETING, OBJECTIONS, REFUSED, THANKS } from "./coach-cues.ts";
import { nextStep, objections } from "./coach-content.ts";
import {
  answeredQuestions,
  feeling,
  percent,
  place,
  plural,
  practice,
  rangeOf,
  type Rule,
  type Scene,
  signed,
  totalWords,
  turnBefore,
} from "./coach-scene.ts";
import type { SpokenTurn } from "./speech.ts";
import { longestStretch } from "./talk.ts";

const moodRose: Rule = (scene) => {
  const change = scene.input.measures.sentiment_change;
  const end = scene.input.measures.customer_sentiment_q4;
  const best = happiest(scene, scene.customer.slice(Math.floor((scene.customer.length * 2) / 3)));
  if (change === null || change < 0.2 || (end ?? 0) < 0 || !best) return null;
  const cause = turnBefore(scene, best.index);
  return {
    rule_id: "mood_rose",
    topic: "mood",
    severity: "strength",
    text: `Well done: the customer's mood rose by ${change.toFixed(2)} over the call, highest in turn ${best.index + 1}${cause ? `, after your turn ${cause.index + 1}` : ""}. Repeat what led there.`,
    evidence: cause ? [best.index, cause.index] : [best.index],
    expected: practice("the last third is better than the first"),
    observed: { value: change, text: signed(change) },
  };
};

const objectionMet: Rule = (scene) => {
  const met = objections(scene).find((o) => o.met && o.reply.some((r) => ACKNOWLEDGED.test(r.text)));
  const reply = met?.reply[0];
  if (!met || !reply) return null;
  return {
    rule_id: "objection_met",
    topic: "objection",
    severity: "strength",
    text: `You met the ${met.kind} objection of turn ${met.turn.index + 1} with an acknowledgement in ${place(met.reply.map((r) => r.index))}. Keep that order: hear it, then answer, then check that it is settled.`,
    evidence: [met.turn.index, ...met.reply.slice(0, 3).map((r) => r.index)],
    expected: practice("every objection is acknowledged, asked about or answered in the next reply"),
    observed: { value: 1, text: "acknowledged" },
  };
};

const clearNextStep: Rule = (scene) => {
  const step = nextStep(scene);
  if (!step) return null;
  return {
    rule_id: "clear_next_step",
    topic: "next_step",
    severity: "strength",
    text: `You named what happens next in turn ${step.index + 1}. Keep it, and make sure that it has an owner and a date.`,
    evidence: [step.index],
    expected: practice("the agent names a concrete next step in the last third of the call"),
    observed: { value: 1, text: `next step in turn ${step.index + 1}` },
  };
};

/** The question that drew the longest answer. */
const goodQuestion: Rule = (scene) => {
  const asked = answeredQuestions(scene);
  const top = asked
    .filter((q) => !q.answer.some(isUnwilling))
    .toSorted((a, b) => b.drawn - a.drawn || a.turn - b.turn)[0];
  if (!top) return null;
  const share = `${asked.length} asked, ${asked.filter((q) => q.open).length} open`;
  const text =
    top.drawn >= 8
      ? `Your ${top.open ? "open " : ""}question in turn ${top.turn + 1} drew your fullest answer, ${top.drawn} words. Ask more of that kind, and follow up on what you hear.`
      : `You asked ${plural(asked.length, "question")}; the answer to that of turn ${top.turn + 1} was ${plural(top.drawn, "word")}. Follow up such answers with what, how or why.`;
  return {
    rule_id: "good_question",
    topic: "questions",
    severity: "strength",
    text,
    evidence: [top.turn, ...top.answer.slice(0, 2).map((t) => t.index)],
    expected: practice("questions that let the customer tell"),
    observed: { value: top.drawn, text: share },
  };
};

const customerStory: Rule = (scene) => {
  const story = longestStretch(scene.speech, "customer", "words");
  const range = rangeOf(scene, "longest_customer_story_words");
  // Room is more than what is merely not short.
  if (!story || story.words < Math.max(25, range.low ?? 0)) return null;
  if (scene.customer.some((t) => story.turns.includes(t.index) && isUnwilling(t))) return null;
  const before = turnBefore(scene, story.turns[0] ?? 0);
  return {
    rule_id: "customer_story",
    topic: "story",
    severity: "strength",
    text: `You gave the customer room: ${story.words} words in ${place(story.turns)}${before ? `, after your turn ${before.index + 1}` : ""}. Use the details told there when you make your offer.`,
    evidence: [...story.turns.slice(0, 4), ...(before ? [before.index] : [])],
    expected: {
      ...range,
      high: null,
      measure: "longest_customer_story_words",
      text: `at least ${range.low ?? 0} words`,
    },
    observed: { value: story.words, text: plural(story.words, "word") },
  };
};

const bestMoment: Rule = (scene) => {
  const best = happiest(scene, scene.customer);
  const felt = best ? (feeling(scene, best) ?? 0) : 0;
  if (!best || felt < 0.3) return null;
  const cause = turnBefore(scene, best.index);
  return {
    rule_id: "best_moment",
    topic: "mood",
    severity: "strength",
    text: `The customer was happiest in turn ${best.index + 1} (${signed(felt)})${cause ? `, right after your turn ${cause.index + 1}` : ""}. Note what pleased them there, and come back to it next time.`,
    evidence: cause ? [best.index, cause.index] : [best.index],
    expected: practice("the agent builds on what pleased the customer"),
    observed: { value: felt, text: signed(felt) },
  };
};

const balance: Rule = (scene) => {
  const ratio = scene.input.measures.agent_talk_ratio;
  const range = rangeOf(scene, "agent_talk_ratio");
  if (ratio === null || scene.agent.length === 0 || scene.customer.length === 0) return null;
  if (ratio > (range.high ?? 1)) return null;
  const expected = `${percent(range.low ?? 0)} to ${percent(range.high ?? 1)}`;
  const story = longestStretch(scene.speech, "customer", "words");
  const low = ratio < (range.low ?? 0);
  return {
    rule_id: "balance",
    topic: "talk",
    severity: "strength",
    text: low
      ? `You listened: ${percent(ratio)} of the words were yours (expected ${expected}), and ${place(story?.turns ?? [0])} shows the customer telling most. Steer with short summaries.`
      : `The talk was balanced: ${percent(ratio)} of the words were yours (expected ${expected}); the customer's longest run, ${plural(story?.words ?? 0, "word")}, is in ${place(story?.turns ?? [0])}. Keep that share.`,
    evidence: (story?.turns ?? []).slice(0, 4),
    expected: { ...range, measure: "agent_talk_ratio", text: expected },
    observed: { value: ratio, text: percent(ratio) },
  };
};

const empathy: Rule = (scene) => {
  const heard = scene.speech.english
    ? scene.agent.find((t) => t.words.all >= 4 && ACKNOWLEDGED.test(t.text))
    : undefined;
  const customer =
    heard && scene.spoken.slice(0, scene.position.get(heard.index)).findLast((t) => t.speaker === "customer");
  if (!heard || !customer) return null;
  return {
    rule_id: "empathy",
    topic: "empathy",
    severity: "strength",
    text: `In turn ${heard.index + 1} you acknowledged what the customer had said in turn ${customer.index + 1} before going on. Do that at every doubt, not only there.`,
    evidence: [heard.index, customer.index],
    expected: practice("the agent acknowledges before answering"),
    observed: { value: 1, text: "acknowledged" },
  };
};

const opening: Rule = (scene) => {
  const first = scene.spoken.slice(0, 3).find((t) => t.speaker === "agent");
  if (!first || !scene.speech.english || !GREETING.test(first.text) || scene.customer.length === 0) return null;
  const asks = scene.questions.some((q) => q.turn === first.index);
  return {
    rule_id: "opening",
    topic: "opening",
    severity: "strength",
    text: `You opened with a greeting${asks ? " and a question" : ""} in turn ${first.index + 1}. Add in one sentence what the customer will get from the call.`,
    evidence: [first.index],
    expected: practice("a greeting within the first turns"),
    observed: { value: 1, text: asks ? "greeting and question" : "greeting" },
  };
};

const thanks: Rule = (scene) => {
  const last = scene.agent.slice(-2).findLast((t) => THANKS.test(t.text));
  if (!last || !scene.speech.english || scene.customer.length === 0) return null;
  return {
    rule_id: "thanks",
    topic: "closing",
    severity: "strength",
    text: `You thanked the customer in turn ${last.index + 1}, near the end. Put a one-sentence summary of what was agreed before the thanks.`,
    evidence: [last.index],
    expected: practice("a polite close"),
    observed: { value: 1, text: "thanked" },
  };
};

// The last ones need no English and hold for any call with words, so that three are always found.

const wordShare: Rule = (scene) => {
  if (scene.agent.length === 0 || scene.customer.length === 0) return null;
  const own = scene.agent.reduce((sum, t) => sum + t.words.all, 0);
  const first = scene.customer[0] as SpokenTurn;
  return {
    rule_id: "word_share",
    topic: "talk",
    severity: "strength",
    text: `Both sides spoke: ${own} of ${totalWords(scene)} words were yours, in ${plural(scene.agent.length, "turn")}, and the customer first had the floor in turn ${first.index + 1}.`,
    evidence: [first.index, (scene.agent[0] as SpokenTurn).index],
    expected: practice("both sides take part"),
    observed: { value: own, text: plural(own, "word") },
  };
};

const longestTurn =
  (speaker: "agent" | "customer"): Rule =>
  (scene) => {
    const run = longestStretch(scene.speech, speaker, "words");
    if (!run) return null;
    const who = speaker === "agent" ? "Your" : "The customer's";
    const advice =
      speaker === "agent" ? "Check there whether each sentence was needed." : "Read it again before the next contact.";
    return {
      rule_id: speaker === "agent" ? "longest_run" : "longest_answer",
      topic: speaker === "agent" ? "monologue" : "story",
      severity: "strength",
      text: `${who} longest stretch was ${plural(run.words, "word")}, in ${place(run.turns)}. ${advice}`,
      evidence: run.turns.slice(0, 4),
      expected: practice("short stretches of the agent, long ones of the customer"),
      observed: { value: run.words, text: plural(run.words, "word") },
    };
  };

const lastWord: Rule = (scene) => {
  const last = scene.spoken.at(-1);
  if (!last || (scene.agent.length > 0 && scene.customer.length > 0)) return null;
  return {
    rule_id: "last_word",
    topic: "reply",
    severity: "low",
    text: `The transcript ends in turn ${last.index + 1} without a reply from the ${last.speaker === "agent" ? "customer" : "agent"}. Follow up in writing, and note here what came of it.`,
    evidence: [last.index],
    expected: practice("the call ends after both sides spoke"),
    observed: { value: 0, text: "no reply" },
  };
};

/** Most useful first. */
export const STRENGTHS: readonly Rule[] = [
  moodRose,
  objectionMet,
  clearNextStep,
  goodQuestion,
  customerStory,
  bestMoment,
  balance,
  empathy,
  opening,
  thanks,
  wordShare,
  longestTurn("customer"),
  longestTurn("agent"),
  lastWord,
];

/** A refusal or an objection: nothing to praise the agent for. */
function isUnwilling(turn: SpokenTurn): boolean {
  return REFUSED.test(turn.text) || OBJECTIONS.some((o) => o.said.test(turn.text));
}

/** The turn with the highest sentiment; refusals and turns of a word or two do not count. */
function happiest(scene: Scene, turns: readonly SpokenTurn[]): SpokenTurn | null {
  const felt = turns.filter((t) => t.words.all >= 3 && feeling(scene, t) !== null && !isUnwilling(t));
  return felt.toSorted((a, b) => (feeling(scene, b) ?? 0) - (feeling(scene, a) ?? 0))[0] ?? null;
}

/** All measures of one call. */
import type { Speaker, Turn } from "./call.ts";
import { MEASURE_NAMES, type MeasureName } from "./measures.ts";
import { answerGaps, speakerSwitches } from "./pace.ts";
import { questionsOf } from "./questions.ts";
import { sentimentByPart, sentimentScore, type TurnSentiment } from "./sentiment.ts";
import { MIN_RATE_SECONDS, prepareSpeech, type Speech } from "./speech.ts";
import { median, quantile } from "./stats.ts";
import { interruptions, longestStretch, silences, SILENCE_MS, talkTime, wordTotals } from "./talk.ts";

/** A measure, or why there is none. */
type Value = number | string;

export interface CallToMeasure {
  readonly turns: readonly Turn[];
  readonly language: string;
  readonly duration_seconds: number | null;
  /** One value a turn, in turn order. */
  readonly turnSentiment: TurnSentiment;
  /** Silences up to this length do not count; 3,000 ms unless told. */
  readonly silence_ms?: number;
}

export interface CallMeasures {
  readonly measures: Record<MeasureName, number | null>;
  /** Why a measure is null, for every null measure and no other. */
  readonly reasons: Partial<Record<MeasureName, string>>;
}

/** Every measure of a call in one pass over its prepared turns; time grows with the words (and n log n in turns). */
export function measureCall(call: CallToMeasure): CallMeasures {
  const speech = prepareSpeech(call);
  const values: Record<MeasureName, Value> = {
    ...talk(speech, call.silence_ms ?? SILENCE_MS),
    ...pace(speech),
    ...questions(speech),
    ...sentiment(speech, call.turnSentiment),
  };
  const measures = {} as Record<MeasureName, number | null>;
  const reasons: Partial<Record<MeasureName, string>> = {};
  for (const name of MEASURE_NAMES) {
    const value = values[name];
    measures[name] = typeof value === "number" ? value : null;
    if (typeof value === "string") reasons[name] = value;
  }
  return { measures, reasons };
}

const LANGUAGE = "unsupported language";

/** The first reason that holds, else the value. */
function unless(
  reasons: readonly (string | false | null)[],
  value: () => number | null,
  otherwise = "no words",
): Value {
  for (const reason of reasons) if (reason) return reason;
  return value() ?? otherwise;
}

function sum(list: readonly { ms: number }[]): number {
  return list.reduce((total, x) => total + x.ms, 0);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function perMinute(words: number, ms: number): number | null {
  return ms >= MIN_RATE_SECONDS * 1000 ? words / (ms / 60_000) : null;
}

function talk(speech: Speech, silence_ms: number) {
  const agent = wordTotals(speech, "agent");
  const customer = wordTotals(speech, "customer");
  const english = speech.english ? null : LANGUAGE;
  const none = speech.turns.length === 0 && "no words";
  const untimed = none || speech.untimed;
  const agentTime = untimed ? 0 : talkTime(speech, "agent");
  const customerTime = untimed ? 0 : talkTime(speech, "customer");
  const silent = untimed ? [] : silences(speech, silence_ms);
  const cuts = untimed ? [] : interruptions(speech);
  const cutsOf = (speaker: Speaker) => cuts.filter((c) => c.speaker === speaker);
  const monologue = longestStretch(speech, "agent", untimed ? "words" : "seconds");
  const story = longestStretch(speech, "customer", untimed ? "words" : "seconds");
  const noAgent = agent.all === 0 && "no agent words";
  const noCustomer = customer.all === 0 && "no customer words";
  const seconds = speech.duration_seconds;
  return {
    agent_talk_ratio: unless([none, english], () => ratio(agent.content, agent.content + customer.content)),
    talk_ratio_speech: unless([untimed], () => ratio(agentTime, agentTime + customerTime), "no talk time"),
    talk_ratio_call: unless([untimed], () => ratio(agentTime / 1000, seconds ?? 0), "no duration"),
    agent_talk_time_ms: unless([untimed], () => agentTime),
    customer_talk_time_ms: unless([untimed], () => customerTime),
    non_talk_ms: unless([untimed], () => sum(silent)),
    longest_silence_ms: unless([untimed], () => silent.reduce((longest, s) => Math.max(longest, s.ms), 0)),
    silence_count: unless([untimed], () => silent.length),
    agent_interruptions: unless([untimed, english], () => cutsOf("agent").length),
    customer_interruptions: unless([untimed, english], () => cutsOf("customer").length),
    agent_interruption_ms: unless([untimed, english], () => sum(cutsOf("agent"))),
    customer_interruption_ms: unless([untimed, english], () => sum(cutsOf("customer"))),
    agent_words_per_minute: unless([noAgent, untimed], () => perMinute(agent.all, agentTime), "no talk time"),
    customer_words_per_minute: unless(
      [noCustomer, untimed],
      () => perMinute(customer.all, customerTime),
      "no talk time",
    ),
    agent_words: unless([english], () => agent.content),
    customer_words: unless([english], () => customer.content),
    agent_fillers: unless([english], () => agent.fillers),
    customer_fillers: unless([english], () => customer.fillers),
    longest_monologue_seconds: unless([noAgent, untimed, english], () => monologue?.seconds ?? null),
    longest_monologue_words: unless([noAgent, english], () => monologue?.words ?? null),
    longest_customer_story_seconds: unless([noCustomer, untimed, english], () => story?.seconds ?? null),
    longest_customer_story_words: unless([noCustomer, english], () => story?.words ?? null),
  };
}

function pace(speech: Speech) {
  const none = speech.turns.length === 0 && "no words";
  const gaps = speech.untimed || none ? [] : answerGaps(speech).map((g) => g.ms);
  const seconds = speech.duration_seconds;
  const change = "no agent turn after a customer turn";
  return {
    patience_ms: unless([none, speech.untimed], () => median(gaps), change),
    patience_p90_ms: unless([none, speech.untimed], () => quantile(gaps, 0.9), change),
    interactivity: unless(
      [none],
      () => (seconds === null ? null : (speakerSwitches(speech) * 300) / seconds),
      "no duration",
    ),
  };
}

function questions(speech: Speech) {
  const asked = speech.english ? questionsOf(speech) : [];
  const reasons = [speech.turns.length === 0 && "no words", speech.english ? null : LANGUAGE];
  const hours = speech.duration_seconds === null ? null : speech.duration_seconds / 3600;
  const side = (speaker: Speaker) => {
    const own = asked.filter((q) => q.speaker === speaker);
    const open = own.filter((q) => q.open).length;
    return {
      count: unless(reasons, () => own.length),
      rate: unless(reasons, () => (hours === null ? null : own.length / hours), "no duration"),
      open: unless(reasons, () => (own.length > 0 ? open / own.length : null), `no ${speaker} questions`),
    };
  };
  const [agent, customer] = [side("agent"), side("customer")];
  return {
    agent_question_rate: agent.rate,
    customer_question_rate: customer.rate,
    agent_questions: agent.count,
    customer_questions: customer.count,
    agent_open_question_share: agent.open,
    customer_open_question_share: customer.open,
  };
}

function sentiment(speech: Speech, values: TurnSentiment) {
  const english = speech.english ? null : LANGUAGE;
  const side = (speaker: Speaker) => {
    const own = speech.turns.filter((t) => t.speaker === speaker);
    const known = own.some((t) => typeof values[t.index] === "number");
    const reasons = [english, own.length === 0 ? `no ${speaker} words` : null, known ? null : "no sentiment"];
    const quarters = sentimentByPart(speech, values, speaker, 4);
    const quarter = (n: number) =>
      unless(reasons, () => quarters[n] ?? null, `no ${speaker} words in quarter ${n + 1}`);
    const score = unless(reasons, () => sentimentScore(speech, values, speaker));
    return { reasons, score, q1: quarter(0), q2: quarter(1), q3: quarter(2), q4: quarter(3) };
  };
  const [agent, customer] = [side("agent"), side("customer")];
  const [begin = null, , end = null] = sentimentByPart(speech, values, "customer", 3);
  return {
    customer_sentiment_score: customer.score,
    agent_sentiment_score: agent.score,
    customer_sentiment_q1: customer.q1,
    customer_sentiment_q2: customer.q2,
    customer_sentiment_q3: customer.q3,
    customer_sentiment_q4: customer.q4,
    agent_sentiment_q1: agent.q1,
    agent_sentiment_q2: agent.q2,
    agent_sentiment_q3: agent.q3,
    agent_sentiment_q4: agent.q4,
    sentiment_change: unless(
      [...customer.reasons, begin === null && "no customer words in the first third"],
      () => (begin === null || end === null ? null : end - begin),
      "no customer words in the last third",
    ),
  };
}

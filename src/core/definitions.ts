/** What every measure means. The API and docs/measures.md serve this table; tests hold it against MEASURE_NAMES. */
import { LIVE_RANGES, type LiveRule } from "./live-alerts.ts";
import { type LiveMeasureName, TREND_FROM } from "./live-measures.ts";
import type { MeasureName } from "./measures.ts";
import { LIVE_ALPHA } from "./sentiment.ts";

/** What a call must have for the measure; without it the measure is null with a reason. */
type Need = "words" | "timings" | "duration" | "english" | "sentiment";

export interface Definition {
  readonly title: string;
  readonly unit: "ratio" | "ms" | "s" | "count" | "words" | "words/min" | "questions/h" | "switches/5 min" | "score";
  readonly definition: string;
  /** Whose published definition it follows. */
  readonly source: string;
  readonly group: "conversation" | "sentiment";
  readonly needs: readonly Need[];
  /** Smallest and largest possible value; null is without bound. */
  readonly range: readonly [number, number | null];
}

const SHARE = [0, 1] as const;
const ANY = [0, null] as const;
const SCORE = [-1, 1] as const;
const WORDS: readonly Need[] = ["words", "english"];
const TIMED: readonly Need[] = ["words", "timings"];
const TIMED_ENGLISH: readonly Need[] = ["words", "timings", "english"];

export const DEFINITIONS: Readonly<Record<MeasureName, Definition>> = {
  agent_talk_ratio: counted(
    "Agent talk ratio",
    "ratio",
    WORDS,
    SHARE,
    "Earshot",
    "agent_words ÷ (agent_words + customer_words). Filler words are left out on both sides.",
  ),
  talk_ratio_speech: counted(
    "Agent share of speech",
    "ratio",
    TIMED,
    SHARE,
    "VoiceBase",
    "agent_talk_time_ms ÷ (agent_talk_time_ms + customer_talk_time_ms).",
  ),
  talk_ratio_call: counted(
    "Agent share of the call",
    "ratio",
    TIMED,
    SHARE,
    "Amazon Connect Contact Lens",
    "agent_talk_time_ms ÷ the length of the call.",
  ),
  agent_talk_time_ms: counted(
    "Agent talk time",
    "ms",
    TIMED,
    ANY,
    "Amazon Transcribe Call Analytics",
    talkTimeOf("agent"),
  ),
  customer_talk_time_ms: counted(
    "Customer talk time",
    "ms",
    TIMED,
    ANY,
    "Amazon Transcribe Call Analytics",
    talkTimeOf("customer"),
  ),
  non_talk_ms: counted(
    "Silence",
    "ms",
    TIMED,
    ANY,
    "Amazon Connect Contact Lens",
    "Sum of all silences: gaps of more than 3 s between the first and the last turn in which nobody speaks.",
  ),
  longest_silence_ms: counted(
    "Longest silence",
    "ms",
    TIMED,
    ANY,
    "Amazon Connect Contact Lens",
    "The longest silence of more than 3 s; 0 where there is none.",
  ),
  silence_count: counted(
    "Silences",
    "count",
    TIMED,
    ANY,
    "Amazon Connect Contact Lens",
    "The number of silences of more than 3 s.",
  ),
  agent_interruptions: counted(
    "Interruptions by the agent",
    "count",
    TIMED_ENGLISH,
    ANY,
    "Amazon Transcribe Call Analytics, VoiceBase",
    cutsBy("agent"),
  ),
  customer_interruptions: counted(
    "Interruptions by the customer",
    "count",
    TIMED_ENGLISH,
    ANY,
    "Amazon Transcribe Call Analytics, VoiceBase",
    cutsBy("customer"),
  ),
  agent_interruption_ms: counted(
    "Overlap by agent interruptions",
    "ms",
    TIMED_ENGLISH,
    ANY,
    "Amazon Transcribe Call Analytics",
    "Sum of the overlaps of the interruptions by the agent.",
  ),
  customer_interruption_ms: counted(
    "Overlap by customer interruptions",
    "ms",
    TIMED_ENGLISH,
    ANY,
    "Amazon Transcribe Call Analytics",
    "Sum of the overlaps of the interruptions by the customer.",
  ),
  agent_words_per_minute: counted(
    "Agent speed",
    "words/min",
    TIMED,
    ANY,
    "Amazon Transcribe Call Analytics",
    "All agent words, fillers included, ÷ agent talk time in minutes.",
  ),
  customer_words_per_minute: counted(
    "Customer speed",
    "words/min",
    TIMED,
    ANY,
    "Amazon Transcribe Call Analytics",
    "All customer words, fillers included, ÷ customer talk time in minutes.",
  ),
  agent_words: counted("Agent words", "words", WORDS, ANY, "Earshot", "Words of the agent, filler words left out."),
  customer_words: counted(
    "Customer words",
    "words",
    WORDS,
    ANY,
    "Earshot",
    "Words of the customer, filler words left out.",
  ),
  longest_monologue_seconds: counted(
    "Longest monologue",
    "s",
    TIMED_ENGLISH,
    ANY,
    "Gong, VoiceBase",
    stretchOf("agent", "start to end"),
  ),
  longest_monologue_words: counted(
    "Longest monologue in words",
    "words",
    WORDS,
    ANY,
    "Gong, VoiceBase",
    stretchOf("agent", "words"),
  ),
  longest_customer_story_seconds: counted(
    "Longest customer story",
    "s",
    TIMED_ENGLISH,
    ANY,
    "Gong, VoiceBase",
    stretchOf("customer", "start to end"),
  ),
  longest_customer_story_words: counted(
    "Longest customer story in words",
    "words",
    WORDS,
    ANY,
    "Gong, VoiceBase",
    stretchOf("customer", "words"),
  ),
  patience_ms: counted(
    "Patience",
    "ms",
    TIMED,
    ANY,
    "Gong",
    "Median of max(0, gap) from the customer's end to the agent's start over all changes from customer to agent; backchannels left out.",
  ),
  patience_p90_ms: counted(
    "Patience, 90th percentile",
    "ms",
    TIMED,
    ANY,
    "Gong",
    "The 90th percentile of the same gaps.",
  ),
  interactivity: counted(
    "Interactivity",
    "switches/5 min",
    ["words", "duration"],
    ANY,
    "Gong",
    "Changes of speaker per 5 minutes of the call; turns of fewer than 3 words are ignored.",
  ),
  agent_question_rate: counted(
    "Agent question rate",
    "questions/h",
    ["words", "english", "duration"],
    ANY,
    "Gong",
    rateOf("agent"),
  ),
  customer_question_rate: counted(
    "Customer question rate",
    "questions/h",
    ["words", "english", "duration"],
    ANY,
    "Gong",
    rateOf("customer"),
  ),
  agent_questions: counted("Agent questions", "count", WORDS, ANY, "Gong", "Questions of the agent (rules below)."),
  customer_questions: counted(
    "Customer questions",
    "count",
    WORDS,
    ANY,
    "Gong",
    "Questions of the customer (rules below).",
  ),
  agent_open_question_share: counted(
    "Agent open questions",
    "ratio",
    WORDS,
    SHARE,
    "Gong",
    "Open questions of the agent ÷ agent_questions.",
  ),
  customer_open_question_share: counted(
    "Customer open questions",
    "ratio",
    WORDS,
    SHARE,
    "Gong",
    "Open questions of the customer ÷ customer_questions.",
  ),
  agent_fillers: counted(
    "Agent fillers",
    "count",
    WORDS,
    ANY,
    "Earshot",
    "Fillers of the agent; a phrase of several words counts once.",
  ),
  customer_fillers: counted(
    "Customer fillers",
    "count",
    WORDS,
    ANY,
    "Earshot",
    "Fillers of the customer; a phrase of several words counts once.",
  ),
  customer_sentiment_score: felt("Customer sentiment", SCORE, "Deepgram", scoreOf("customer")),
  agent_sentiment_score: felt("Agent sentiment", SCORE, "Deepgram", scoreOf("agent")),
  customer_sentiment_q1: quarterOf("customer", 1),
  customer_sentiment_q2: quarterOf("customer", 2),
  customer_sentiment_q3: quarterOf("customer", 3),
  customer_sentiment_q4: quarterOf("customer", 4),
  agent_sentiment_q1: quarterOf("agent", 1),
  agent_sentiment_q2: quarterOf("agent", 2),
  agent_sentiment_q3: quarterOf("agent", 3),
  agent_sentiment_q4: quarterOf("agent", 4),
  sentiment_change: felt(
    "Sentiment change",

    [-2, 2],
    "VoiceBase",
    "Customer sentiment of the last third of the call − that of the first third.",
  ),
};

/** What only a call that goes on has; its other live measures are those above, of the turns so far. */
export const LIVE_DEFINITIONS: Readonly<
  Record<Exclude<LiveMeasureName, MeasureName>, { title: string; unit: string; definition: string; source: string }>
> = {
  live_sentiment: {
    title: "Live sentiment",
    unit: "score",
    definition:
      `Exponential moving average of the customer's turns, in the order in which they came: the newest weighs ` +
      `${LIVE_ALPHA} unless set.`,
    source: "Google CCAI",
  },
  trend: {
    title: "Trend",
    unit: "label",
    definition:
      "live_sentiment − a slower average with a third of its weight: rising from " +
      `${TREND_FROM}, falling from −${TREND_FROM}, steady between.`,
    source: "Google CCAI",
  },
  silence_ms: {
    title: "Since the last turn",
    unit: "ms",
    definition: "Now − the arrival of the newest turn with words.",
    source: "Earshot",
  },
};

/** When a call that goes on gives an alert. */
export const ALERT_DEFINITIONS: Readonly<Record<LiveRule, string>> = {
  talking_too_long:
    `The agent's stretch that goes on is longer than ${LIVE_RANGES.stretch_seconds} s, or than ` +
    `${LIVE_RANGES.stretch_words} words where not every turn is timed.`,
  sentiment_falling:
    `live_sentiment is below −${-LIVE_RANGES.fallen_to} and has fallen by ${LIVE_RANGES.fall} or more in two to seven turns of the customer, ` +
    "its trend is falling, and the newest turn lies below it.",
  long_silence:
    `Nobody spoke for more than ${LIVE_RANGES.silence_ms / 1000} s between two timed turns, or no turn has come for ` +
    `${LIVE_RANGES.waiting_ms / 1000} s.`,
};

// Declarations below are hoisted, so that the table can come first.

function counted(
  title: string,
  unit: Definition["unit"],
  needs: readonly Need[],
  range: Definition["range"],
  source: string,
  definition: string,
): Definition {
  return { title, unit, definition, source, group: "conversation", needs, range };
}

function felt(title: string, range: Definition["range"], source: string, definition: string): Definition {
  const needs: readonly Need[] = ["words", "english", "sentiment"];
  return { title, unit: "score", definition, source, group: "sentiment", needs, range };
}

function talkTimeOf(side: string): string {
  return `Time in which a turn of the ${side} runs. Both talk times together may pass the length of the call where speech overlaps.`;
}

function cutsBy(side: string): string {
  const other = side === "agent" ? "customer" : "agent";
  return (
    `Turns of the ${side} that start while the ${other} is speaking and overlap by 300 ms or more. ` +
    `Backchannels ("mhm", "right") and turns in which the ${side} was speaking anyway do not count.`
  );
}

function stretchOf(side: string, what: string): string {
  return (
    `The longest stretch of the ${side}, ${what}. It ends on a pause of 3 s or more (with timings) and on a turn ` +
    "of the other side that is no backchannel."
  );
}

function rateOf(side: string): string {
  return `${side}_questions per hour of the call.`;
}

function scoreOf(side: string): string {
  return `Mean of the turn sentiment of the ${side}, weighted by the words of each turn.`;
}

function quarterOf(side: "agent" | "customer", quarter: number): Definition {
  const who = side === "agent" ? "Agent" : "Customer";
  const definition =
    `Word-weighted mean sentiment of the ${side} in quarter ${quarter} of the call: by time where every turn is timed, ` +
    "else by words. A turn over a border counts by the share that lies in the quarter.";
  return felt(`${who} sentiment, quarter ${quarter}`, SCORE, "Amazon Transcribe Call Analytics", definition);
}

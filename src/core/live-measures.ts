/**
 * What is known of a call while it goes on. The state is small and plain JSON, so that it can be stored with the call
 * and any process can go on from it. Definitions: core/definitions.ts.
 */
import type { Speaker, Turn } from "./call.ts";
import { supportsLanguage } from "./measures.ts";
import { LIVE_ALPHA, type LiveSentiment, nextLive } from "./sentiment.ts";
import { type Asked, askedBy, isBackchannel } from "./speech.ts";
import { SILENCE_MS } from "./talk.ts";
import { spokenWords } from "./words.ts";

export const LIVE_MEASURE_NAMES = [
  "live_sentiment",
  "trend",
  "agent_talk_ratio",
  "longest_monologue_seconds",
  "longest_monologue_words",
  "longest_silence_ms",
  "silence_ms",
] as const;

export type LiveMeasureName = (typeof LIVE_MEASURE_NAMES)[number];
export type Trend = "rising" | "steady" | "falling";

/** From this distance between the average and the slower one the mood moves; nearer, it is steady. */
export const TREND_FROM = 0.1;
/** So many turns of the customer are remembered: enough to see a fall, and to point at it. */
const RECENT = 8;
/** A stretch remembers its newest turns. */
const SHOWN = 4;

/** A turn as it came in. */
export interface LiveTurn extends Pick<Turn, "speaker" | "text" | "start_ms" | "end_ms"> {
  /** −1..1; null where it has none. */
  readonly sentiment: number | null;
  /** When it arrived, epoch milliseconds. */
  readonly at: number;
}

/** Turns of the agent without a break. */
interface LiveStretch {
  /** Index of the first turn. */
  readonly first: number;
  /** Indexes of the newest turns, at most four. */
  readonly turns: readonly number[];
  readonly words: number;
  /** Milliseconds of the call; 0 where it is not timed. */
  readonly start: number;
  readonly end: number;
}

interface Stretches {
  /** Goes on with the next turn of the agent; null while the customer has the floor. */
  readonly current: LiveStretch | null;
  readonly longest: LiveStretch | null;
}

export interface LiveState {
  readonly english: boolean;
  readonly alpha: number;
  /** All turns so far, those without words too. */
  readonly turns: number;
  /** Words, fillers left out. */
  readonly words: Readonly<Record<Speaker, number>>;
  readonly sentiment: LiveSentiment | null;
  /** The newest turns of the customer that have a sentiment, each with the average after it. */
  readonly recent: readonly { readonly turn: number; readonly sentiment: number; readonly average: number }[];
  readonly asked: Asked | null;
  /** By seconds, ended by pauses too; null once a turn with words lacks its start or end. */
  readonly timed: Stretches | null;
  /** By words. */
  readonly untimed: Stretches;
  /** The turn with words that ends last, in milliseconds of the call. */
  readonly last_end: { readonly turn: number; readonly ms: number } | null;
  /** The silence before the newest turn with words, where there was one. */
  readonly silence: { readonly before: number; readonly after: number; readonly ms: number } | null;
  readonly longest_silence_ms: number;
  /** The newest turn with words and its arrival, epoch milliseconds. */
  readonly last_turn: { readonly turn: number; readonly at: number } | null;
}

/** @param alpha weight of the customer's newest turn in the live sentiment, 0 < alpha ≤ 1 */
export function startLive(language: string, alpha = LIVE_ALPHA): LiveState {
  return {
    english: supportsLanguage(language),
    alpha,
    turns: 0,
    words: { agent: 0, customer: 0 },
    sentiment: null,
    recent: [],
    asked: null,
    timed: NO_STRETCH,
    untimed: NO_STRETCH,
    last_end: null,
    silence: null,
    longest_silence_ms: 0,
    last_turn: null,
  };
}

const NO_STRETCH: Stretches = { current: null, longest: null };

/**
 * The state after the next turn. Turns count in the order of their indexes, whatever their times. The work grows
 * with the words of this turn alone.
 */
export function addTurn(before: LiveState, turn: LiveTurn): LiveState {
  const index = before.turns;
  const spoken = spokenWords(turn.text, before.english);
  const state = { ...before, ...felt(before, turn, index), turns: index + 1 };
  if (spoken.all === 0) return state;
  const backchannel = before.english && isBackchannel(turn, spoken.all, before.asked);
  const next: Spoken = { index, speaker: turn.speaker, words: spoken.all, backchannel, start: 0, end: 0 };
  const { start_ms: start, end_ms: end } = turn;
  const timed = before.timed !== null && start !== null && end !== null;
  return {
    ...state,
    ...(timed ? silent(before, index, start, end) : { silence: null, longest_silence_ms: 0, last_end: null }),
    words: { ...before.words, [turn.speaker]: before.words[turn.speaker] + spoken.content },
    asked: backchannel ? before.asked : askedBy(turn),
    timed: timed ? stretch(before.timed, { ...next, start, end }, "seconds") : null,
    untimed: stretch(before.untimed, next, "words"),
    last_turn: { turn: index, at: turn.at },
  };
}

/** The state after all turns: what a correction of an earlier turn needs. */
export function fromTurns(language: string, turns: readonly LiveTurn[], alpha?: number): LiveState {
  return turns.reduce(addTurn, startLive(language, alpha));
}

export interface LiveMeasures {
  readonly live_sentiment: number | null;
  readonly trend: Trend | null;
  readonly agent_talk_ratio: number | null;
  readonly longest_monologue_seconds: number | null;
  readonly longest_monologue_words: number | null;
  readonly longest_silence_ms: number | null;
  readonly silence_ms: number | null;
}

/** The measures so far; null where there is no ground for one. @param now epoch milliseconds */
export function liveMeasures(state: LiveState, now: number): LiveMeasures {
  const { agent, customer } = state.words;
  const { longest } = state.timed ?? state.untimed;
  const known = state.english ? longest : null;
  return {
    live_sentiment: state.sentiment?.average ?? null,
    trend: state.sentiment === null ? null : trendOf(state.sentiment),
    agent_talk_ratio: state.english && agent + customer > 0 ? agent / (agent + customer) : null,
    longest_monologue_seconds: known === null || state.timed === null ? null : (known.end - known.start) / 1000,
    longest_monologue_words: known?.words ?? null,
    longest_silence_ms: state.timed === null || state.last_end === null ? null : state.longest_silence_ms,
    silence_ms: state.last_turn === null ? null : Math.max(0, now - state.last_turn.at),
  };
}

export function trendOf({ trend }: Pick<LiveSentiment, "trend">): Trend {
  return trend >= TREND_FROM ? "rising" : trend <= -TREND_FROM ? "falling" : "steady";
}

function felt(before: LiveState, turn: LiveTurn, index: number): Pick<LiveState, "sentiment" | "recent"> {
  if (turn.speaker !== "customer" || turn.sentiment === null) return before;
  const sentiment = nextLive(before.sentiment, turn.sentiment, before.alpha);
  const newest = { turn: index, sentiment: turn.sentiment, average: sentiment.average };
  return { sentiment, recent: [...before.recent.slice(1 - RECENT), newest] };
}

function silent(
  before: LiveState,
  index: number,
  start: number,
  end: number,
): Pick<LiveState, "silence" | "longest_silence_ms" | "last_end"> {
  const last = before.last_end;
  const ms = last === null ? 0 : start - last.ms;
  const silence = last !== null && ms > SILENCE_MS ? { before: last.turn, after: index, ms } : null;
  return {
    silence,
    longest_silence_ms: Math.max(before.longest_silence_ms, silence?.ms ?? 0),
    last_end: last === null || end > last.ms ? { turn: index, ms: end } : last,
  };
}

interface Spoken {
  readonly index: number;
  readonly speaker: Speaker;
  readonly words: number;
  readonly backchannel: boolean;
  readonly start: number;
  readonly end: number;
}

/** The same rules as longestStretch in core/talk.ts, a turn at a time. */
function stretch(before: Stretches | null, turn: Spoken, by: "seconds" | "words"): Stretches {
  const { current: open, longest } = before ?? NO_STRETCH;
  if (turn.speaker !== "agent") return turn.backchannel ? { current: open, longest } : { current: null, longest };
  const goesOn = open !== null && (by === "words" || turn.start - open.end < SILENCE_MS);
  const current: LiveStretch = goesOn
    ? {
        first: open.first,
        turns: [...open.turns.slice(1 - SHOWN), turn.index],
        words: open.words + turn.words,
        start: open.start,
        end: Math.max(open.end, turn.end),
      }
    : { first: turn.index, turns: [turn.index], words: turn.words, start: turn.start, end: turn.end };
  const length = (s: LiveStretch): number => (by === "seconds" ? s.end - s.start : s.words);
  const longer = longest === null || longest.first === current.first || length(current) > length(longest);
  return { current, longest: longer ? current : longest };
}

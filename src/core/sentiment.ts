/** Turn sentiment (−1..1) brought together: scores, parts of a call, and the live average. */
import type { Speaker } from "./call.ts";
import type { Speech, SpokenTurn } from "./speech.ts";
import { weightedMean } from "./stats.ts";

/** One value a turn of the call, in turn order; null where there is none. */
export type TurnSentiment = readonly (number | null)[];

/** "positive" from 1/3, "negative" from −1/3, the thirds of the scale (as Deepgram). */
export function sentimentLabel(value: number): "positive" | "neutral" | "negative" {
  return value >= 1 / 3 ? "positive" : value <= -1 / 3 ? "negative" : "neutral";
}

/** The mean of a speaker's turns weighted by their words, −1..1; null without any. */
export function sentimentScore(speech: Speech, sentiment: TurnSentiment, speaker: Speaker): number | null {
  const own = speech.turns.filter((t) => t.speaker === speaker);
  return bounded(weightedMean(own.flatMap((t) => pair(sentiment[t.index], t.words.all))));
}

/**
 * The score of a speaker in each of `parts` equal parts of the call: by time where every turn is timed, else by
 * words. A turn over a border counts in each part by the share of it that lies there.
 */
export function sentimentByPart(
  speech: Speech,
  sentiment: TurnSentiment,
  speaker: Speaker,
  parts: number,
): (number | null)[] {
  const pairs: [number, number][][] = Array.from({ length: parts }, () => []);
  for (const { turn, from, to } of placed(speech)) {
    const value = sentiment[turn.index] ?? null;
    if (turn.speaker !== speaker || value === null) continue;
    const first = Math.min(parts - 1, Math.floor(from * parts));
    const last = Math.max(first, Math.min(parts - 1, Math.ceil(to * parts) - 1));
    for (let part = first; part <= last; part++) {
      const inside = Math.min(to, (part + 1) / parts) - Math.max(from, part / parts);
      // A moment without length lies in one part as a whole.
      const share = to > from ? Math.max(0, inside) / (to - from) : 1;
      // Shares below a millionth are rounding at a border.
      if (share > 1e-6) pairs[part]?.push([value, turn.words.all * share]);
    }
  }
  return pairs.map((p) => bounded(weightedMean(p)));
}

/** Every turn with its place in the call, 0..1. */
function placed(speech: Speech): { turn: SpokenTurn; from: number; to: number }[] {
  const { turns } = speech;
  if (speech.untimed === null) {
    const begin = turns[0]?.start ?? 0;
    const length = Math.max(1, turns.reduce((end, t) => Math.max(end, t.end), begin) - begin);
    return turns.map((turn) => ({ turn, from: (turn.start - begin) / length, to: (turn.end - begin) / length }));
  }
  const total = turns.reduce((sum, t) => sum + t.words.all, 0);
  let before = 0;
  return turns.map((turn) => {
    const from = before / total;
    before += turn.words.all;
    return { turn, from, to: before / total };
  });
}

/** What a live view shows after each customer turn. */
export interface LiveSentiment {
  /** Exponential moving average of the customer's turns. */
  readonly average: number;
  readonly last: number;
  /** average − a slower average (a third of alpha): above 0 the customer's mood rises. */
  readonly trend: number;
  readonly slow: number;
  readonly turns: number;
}

/** Weight of the newest turn where nothing else is set. */
export const LIVE_ALPHA = 0.3;

/**
 * The next live value: average += alpha × (value − average). Start with null; call it for customer turns that have
 * a sentiment. @param alpha weight of the newest turn, 0 < alpha ≤ 1
 */
export function nextLive(before: LiveSentiment | null, value: number, alpha = LIVE_ALPHA): LiveSentiment {
  if (before === null) return { average: value, last: value, trend: 0, slow: value, turns: 1 };
  const average = before.average + alpha * (value - before.average);
  const slow = before.slow + (alpha / 3) * (value - before.slow);
  return { average, last: value, trend: average - slow, slow, turns: before.turns + 1 };
}

function pair(value: number | null | undefined, weight: number): [number, number][] {
  return value === null || value === undefined ? [] : [[value, weight]];
}

// Rounding must not carry a mean over the edge of its scale.
function bounded(value: number | null): number | null {
  return value === null ? null : Math.max(-1, Math.min(1, value));
}

/** What the sentiment stream says of a stored call, line by line: one a turn, then that it is complete. */
import type { Method, Turn } from "../core/call.ts";
import { trendOf } from "../core/live-measures.ts";
import { nextLive, sentimentLabel } from "../core/sentiment.ts";
import type { LiveSentiment } from "../core/sentiment.ts";
import type { StoredCall } from "../ports/calls.ts";

export interface Line {
  /** Of the stream of this call, from 1 on; an alert has that of the turn it came after. */
  readonly position: number;
  readonly type: "sentiment" | "alert" | "complete";
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Script {
  /** Names the text, its enrichment and the count of positions; clients give it back with their position. */
  readonly of: string;
  /** Whether a client that has lines of `of` may go on after them here; null: it did not say of what they are. */
  goesOn(of: string | null): boolean;
  /** By position; null where a later line has the turn as it was corrected. */
  readonly lines: readonly (Line | null)[];
}

/** The last position there is. */
export function endOf({ lines }: Script): number {
  return lines.findLast((line) => line !== null)?.position ?? 0;
}

/** Names the lines of a call that goes on; what it is stored as begins the same, whichever its number was. */
export const liveName = (start_time: number, live_no: number | ""): string => `live-${start_time}-${live_no}`;

/**
 * null until the call is enriched. `personal` false leaves the words out. Revision 1 is of a call that was sent whole, or
 * live without corrections: its positions have only ever meant the turns that they mean now.
 */
export function linesOf(call: StoredCall, personal: boolean, alpha: number): Script | null {
  const { row, turns, insights } = call;
  if (insights === null) return null;
  const { call_id, revision, method, start_time } = row;
  let live: LiveSentiment | null = null;
  const lines = turns.map((turn, i): Line => {
    const sentiment = insights.turn_sentiment[i] ?? null;
    live = moodAfter(live, { ...turn, sentiment }, alpha);
    return sentimentLine(
      { ...turn, position: i + 1, turn_index: i, sentiment, method },
      { call_id, revision, live, personal },
    );
  });
  const { customer_sentiment_score } = row;
  const whole = { call_id, turns: turns.length, customer_sentiment_score, revision, status: "complete" };
  lines.push({ position: turns.length + 1, type: "complete", fields: whole });
  const name = `${revision}-${row.enriched_at}`;
  return {
    of: name,
    goesOn: (of) => of === name || (revision === 1 && (of?.startsWith(liveName(start_time, "")) ?? true)),
    lines,
  };
}

interface SaidTurn extends Turn {
  readonly position: number;
  readonly turn_index: number;
  readonly sentiment: number | null;
  readonly method: Method | null;
}

export function moodAfter(
  before: LiveSentiment | null,
  { speaker, sentiment }: Pick<SaidTurn, "speaker" | "sentiment">,
  alpha: number,
): LiveSentiment | null {
  return speaker === "customer" && sentiment !== null ? nextLive(before, sentiment, alpha) : before;
}

export function sentimentLine(
  turn: SaidTurn,
  of: {
    readonly call_id: string;
    /** null: the call is not stored yet. */
    readonly revision: number | null;
    /** After this turn. */
    readonly live: LiveSentiment | null;
    readonly personal: boolean;
  },
): Line {
  const { position, turn_index, turn_id, speaker, text, sentiment, start_ms, end_ms, method } = turn;
  const fields = {
    call_id: of.call_id,
    turn_id,
    turn_index,
    speaker,
    ...(of.personal && { text }),
    sentiment,
    sentiment_label: sentiment === null ? null : sentimentLabel(sentiment),
    live_sentiment: of.live?.average ?? null,
    trend: of.live && trendOf(of.live),
    start_ms,
    end_ms,
    revision: of.revision,
    method,
    status: "streaming",
  };
  return { position, type: "sentiment", fields };
}

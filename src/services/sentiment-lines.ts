/** What the sentiment stream says of a call, line by line: one a turn, then that it is complete. */
import { nextLive, sentimentLabel } from "../core/sentiment.ts";
import type { LiveSentiment } from "../core/sentiment.ts";
import type { StoredCall } from "../ports/calls.ts";

export interface Line {
  /** Of the stream of this call, from 1 on. */
  readonly position: number;
  readonly type: "sentiment" | "complete";
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Script {
  /** Another one takes back what was said before. */
  readonly version: string;
  readonly lines: readonly Line[];
}

/** null until the call is enriched. `personal` false leaves the words out. */
export function linesOf(call: StoredCall, personal: boolean): Script | null {
  const { row, turns, insights } = call;
  if (insights === null) return null;
  const { call_id, revision, method } = row;
  let live: LiveSentiment | null = null;
  const lines = turns.map((turn, i): Line => {
    const sentiment = insights.turn_sentiment[i] ?? null;
    if (turn.speaker === "customer" && sentiment !== null) live = nextLive(live, sentiment);
    const fields = {
      call_id,
      turn_id: turn.turn_id,
      turn_index: i,
      speaker: turn.speaker,
      ...(personal && { text: turn.text }),
      sentiment,
      sentiment_label: sentiment === null ? null : sentimentLabel(sentiment),
      live_sentiment: live?.average ?? null,
      start_ms: turn.start_ms,
      end_ms: turn.end_ms,
      revision,
      method,
      status: "streaming",
    };
    return { position: i + 1, type: "sentiment", fields };
  });
  const { customer_sentiment_score } = row;
  const whole = { call_id, turns: turns.length, customer_sentiment_score, revision, status: "complete" };
  lines.push({ position: turns.length + 1, type: "complete", fields: whole });
  return { version: `${revision}:${row.enriched_at}`, lines };
}

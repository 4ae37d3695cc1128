/** The log of what happened, in order. */
import type { EnrichmentState, Scope } from "../core/call.ts";
import type { LiveRule } from "../core/live-alerts.ts";

export const EVENT_TYPES = [
  "call.accepted",
  "call.replaced",
  "call.enriched",
  "call.deleted",
  "live.started",
  "live.turn",
  "live.alert",
  "live.ended",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Why a call was deleted: asked for by id, its customer was erased, or its time was over. */
export type DeleteReason = "request" | "customer" | "retention";

/** One row of the log: ids and small facts, never personal text. */
export interface EventRow {
  /** Dense: seq n is followed by n + 1. */
  readonly seq: number;
  readonly type: EventType;
  readonly at: number;
  /** 0 for a call that goes on, and for one that was deleted or ended empty before it was stored. */
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  /** 0 where call_no is. */
  readonly revision: number;
  readonly customer_sentiment_score: number | null;
  readonly agent_talk_ratio: number | null;
  readonly state: EnrichmentState | null;
  /** Of call.deleted; null otherwise, and for those of older versions. */
  readonly reason: DeleteReason | null;
  /** Of live.turn: which turn has its sentiment now. */
  readonly turn_index: number | null;
  /**
   * Of live.turn, its place among the turn messages of its call (ports/live-calls.ts), ascending; a version that was
   * corrected before it had a sentiment is left out. Of live.alert: the last position it saw.
   */
  readonly position: number | null;
  /** Of live.turn, -1..1; null where the turn has no words or the language is not supported. */
  readonly turn_sentiment: number | null;
  /** Of live.turn and live.alert: the customer's moving average then, -1..1. */
  readonly live_sentiment: number | null;
  /** Of live.alert. */
  readonly rule_id: LiveRule | null;
  /** Of live.alert: indexes of turns, most telling first. */
  readonly evidence: readonly number[] | null;
}

export interface Events {
  /** Events with seq > after in order, within the scope; `oldest` is the first seq the log still holds (0 if empty). */
  after(seq: number, limit: number, scope: Scope): Promise<{ events: EventRow[]; oldest: number; head: number }>;
  head(): Promise<number>;
  /** Called soon after any commit, of this process or another, that added events. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

/** The log of what happened, in order. */
import type { EnrichmentState, Scope } from "../core/call.ts";

export type EventType = "call.accepted" | "call.replaced" | "call.enriched" | "call.deleted";

/** Why a call was deleted: asked for by id, its customer was erased, or its time was over. */
export type DeleteReason = "request" | "customer" | "retention";

/** One row of the log: ids and small facts, never personal text. */
export interface EventRow {
  /** Dense: seq n is followed by n + 1. */
  readonly seq: number;
  readonly type: EventType;
  readonly at: number;
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly revision: number;
  readonly customer_sentiment_score: number | null;
  readonly agent_talk_ratio: number | null;
  readonly state: EnrichmentState | null;
  /** Of call.deleted; null otherwise, and for those of older versions. */
  readonly reason: DeleteReason | null;
}

export interface Events {
  /** Events with seq > after in order, within the scope; `oldest` is the first seq the log still holds (0 if empty). */
  after(seq: number, limit: number, scope: Scope): Promise<{ events: EventRow[]; oldest: number; head: number }>;
  head(): Promise<number>;
  /** Called soon after any commit, of this process or another, that added events. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

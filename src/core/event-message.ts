/** One event as others read it (docs/events.schema.json): ids, numbers and times, never a word of a call. */
import type { MeasureName } from "./measures.ts";

/** Grows when a field changes its meaning or goes; fields may come without it. */
export const EVENT_SCHEMA = 1;

export interface EventMessage {
  readonly schema: typeof EVENT_SCHEMA;
  /** Names the store: messages of several may lie in one topic. */
  readonly log_id: string;
  /** Dense in a store: n is followed by n + 1. A message that comes again has the number that it had. */
  readonly seq: number;
  readonly type: string;
  /** RFC 3339. */
  readonly at: string;
  readonly call_id: string;
  readonly agent_id: string;
  readonly revision: number;
  readonly state: string | null;
  readonly reason: string | null;
  readonly customer_sentiment_score: number | null;
  readonly agent_talk_ratio: number | null;
  readonly turn_index: number | null;
  readonly position: number | null;
  readonly turn_sentiment: number | null;
  readonly live_sentiment: number | null;
  readonly rule_id: string | null;
  readonly evidence: readonly number[] | null;
  /** RFC 3339. Of call.accepted, call.replaced and call.enriched; null where a later event of the call has it. */
  readonly start_time: string | null;
  /** Of call.enriched, every measure that the call has; null where a later event of the call has them. */
  readonly measures: Readonly<Partial<Record<MeasureName, number>>> | null;
}

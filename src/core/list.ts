/** Filters, sorts and pages of call lists, as services and stores pass them on. */
import type { EnrichmentState, Outcome } from "./call.ts";

/** Bounds are inclusive; times are epoch milliseconds; an absent field does not filter. */
export interface CallFilter {
  readonly agent_id?: string;
  readonly customer_id?: string;
  readonly language?: string;
  readonly outcome?: Outcome;
  readonly state?: EnrichmentState;
  /** On start_time. */
  readonly from_date?: number;
  readonly to_date?: number;
  readonly created_from?: number;
  readonly created_to?: number;
  /** On updated_at. */
  readonly updated_since?: number;
  readonly min_sentiment?: number;
  readonly max_sentiment?: number;
  /** Seconds. */
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly min_talk_ratio?: number;
  readonly max_talk_ratio?: number;
}

export const SORT_FIELDS = [
  "start_time",
  "created_at",
  "updated_at",
  "customer_sentiment_score",
  "duration_seconds",
  "agent_talk_ratio",
] as const;
export type SortField = (typeof SORT_FIELDS)[number];

export interface Sort {
  readonly field: SortField;
  readonly descending: boolean;
}

/** Newest first. NULLs are last in both directions; ties break on call_no in the same direction. */
export const NEWEST_FIRST: Sort = { field: "start_time", descending: true };

/** Where a keyset page resumes: just after this row. */
export interface Keyset {
  readonly value: number | null;
  readonly call_no: number;
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
  readonly after: Keyset | null;
}

/** Counts are exact up to this number, and offsets may not pass it. */
export const COUNT_LIMIT = 10_000;

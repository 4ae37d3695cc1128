/** Sums per agent, kept as calls come and go. */
import type { Scope } from "../core/call.ts";
import type { MeasureName } from "../core/measures.ts";

/** Sums of one measure over the enriched calls of a group; `sum` and `sum_squares` in the measure's unit. */
export interface MeasureSum {
  readonly n: number;
  readonly sum: number;
  readonly sum_squares: number;
}

export interface AgentSums {
  readonly agent_id: string;
  /** All accepted calls. */
  readonly total_calls: number;
  readonly measures: Readonly<Partial<Record<MeasureName, MeasureSum>>>;
}

/** One served sum that was not what the calls say; null: no such row. */
export interface SumDifference {
  /** All time, a UTC hour (RFC 3339) or a local day (YYYY-MM-DD). */
  readonly period: string;
  readonly agent_id: string;
  /** `calls` counts accepted calls. */
  readonly measure: MeasureName | "calls";
  readonly before: { readonly n: number; readonly sum: number } | null;
  readonly after: { readonly n: number; readonly sum: number } | null;
}

export interface Rebuild {
  readonly days: number;
  /** Periods whose sums differed from the calls: 0 unless there is a bug, or the file was changed by hand. */
  readonly drifted: number;
  /** The first 100. */
  readonly differences: readonly SumDifference[];
}

/** What one call adds to the sums of its agent now. */
export interface Contribution {
  readonly call_no: number;
  readonly agent_id: string;
  /** Epoch ms: says which periods it adds to. */
  readonly start_time: number;
  readonly revision: number;
  /** null until it has been enriched. */
  readonly measures: Readonly<Partial<Record<MeasureName, number>>> | null;
}

export interface Rollups {
  /** Sums per agent over all time, or over the local days [from_day, to_day] ("YYYY-MM-DD", EARSHOT_TIMEZONE). */
  agents(query: {
    scope: Scope;
    measures: readonly MeasureName[];
    from_day?: string;
    to_day?: string;
  }): Promise<AgentSums[]>;
  /** By internal number; calls that are gone are left out. */
  contributions(call_nos: readonly number[]): Promise<Contribution[]>;
  /** Rebuilds every rollup from the calls beside the served ones, swaps day by day, reports what differed. */
  rebuild(progress: (done: number, total: number) => void): Promise<Rebuild>;
}

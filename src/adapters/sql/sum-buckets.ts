/** What a call adds to the sums, as integers, spread over the buckets they are kept in: the same on both engines. */
import { MEASURE_NAMES, type MeasureName } from "../../core/measures.ts";
import { localDays } from "./local-day.ts";

/** Periods of measures. 1 was the UTC hour, up to schema 6. */
export const GRAIN = { all: 0, day: 2 } as const;
/** The same periods of accepted calls: they lie together, so that calls which settle together share their pages. */
export const COUNTS = { all: 3, day: 4 } as const;
/** The measure number under which accepted calls are counted. */
export const ACCEPTED = -1;
/** x² · 1e6 of an hour in milliseconds passes 2^63: squares are kept as high · 2^26 + low. */
export const SQUARES_BASE = 2 ** 26;

/** The values of one call in the order of MEASURE_NAMES, NaN for null: what its contribution is made of. */
export function contributionOf(measures: Readonly<Record<MeasureName, number | null>>): Float64Array {
  return Float64Array.from(MEASURE_NAMES, (name) => measures[name] ?? Number.NaN);
}

/** call_insights.contribution -> values. */
export function readContribution(blob: Uint8Array): Float64Array {
  const out = new Float64Array(blob.byteLength / 8);
  new Uint8Array(out.buffer).set(blob);
  return out;
}

export interface SumChange {
  readonly sign: 1 | -1;
  readonly call_no: number;
  readonly agent_no: number;
  readonly start_time: number;
  /** null: the call itself is counted, not its measures. */
  readonly values: Float64Array | null;
}

export interface SumBucket {
  readonly generation: number;
  readonly grain: number;
  readonly bucket: number;
  readonly agent_no: number;
  /** Four numbers (n, sum, squares high, squares low) for accepted calls, then, once there are any, for each measure. */
  sums: Float64Array;
}

/** The part of a bucket that is one row of the rollups. */
export interface SumRow {
  readonly measure: number;
  /** n, sum, squares high, squares low. */
  readonly part: Float64Array;
}

/** One row of rollup_state: what is served, in whose days, and the rebuild under way. */
export interface RollupState {
  readonly serving: number;
  readonly timezone: string;
  readonly next_timezone: string | null;
  readonly rebuilt_to: number | null;
}

const WIDTH = 4;

/** The rows of a bucket that change anything. */
export function rowsOf({ sums }: SumBucket): SumRow[] {
  const rows: SumRow[] = [];
  for (let at = 0; at < sums.length; at += WIDTH) {
    const part = sums.subarray(at, at + WIDTH);
    if (part.some((x) => x !== 0)) rows.push({ measure: at / WIDTH - 1, part });
  }
  return rows;
}

/** Adds changes up, bucket by bucket. Every value is an integer, so that adding and subtracting is exact in any order. */
export class SumBuckets {
  readonly #days: Map<string, (time: number) => number>;
  readonly #buckets = new Map<string, SumBucket>();

  /** `days`: time zone -> its localDays, kept by the caller from one time to the next. */
  constructor(days: Map<string, (time: number) => number>) {
    this.#days = days;
  }

  list(): SumBucket[] {
    return [...this.#buckets.values()];
  }

  /** Into the served generation, and into the one that a rebuild makes where it has counted the call already. */
  addServed({ serving, timezone, next_timezone, rebuilt_to }: RollupState, change: SumChange): void {
    this.add(serving, timezone, change);
    if (change.call_no <= (rebuilt_to ?? 0)) this.add(serving + 1, next_timezone ?? timezone, change);
  }

  add(generation: number, timezone: string, change: SumChange): void {
    const grain = change.values ? GRAIN : COUNTS;
    this.#add(generation, grain.all, 0, change);
    this.#add(generation, grain.day, this.#dayOf(timezone, change.start_time), change);
  }

  #dayOf(timezone: string, time: number): number {
    let days = this.#days.get(timezone);
    if (!days) {
      days = localDays(timezone);
      this.#days.set(timezone, days);
    }
    return days(time);
  }

  #add(generation: number, grain: number, bucket: number, change: SumChange): void {
    const key = `${generation} ${grain} ${bucket} ${change.agent_no}`;
    let entry = this.#buckets.get(key);
    if (!entry) {
      entry = { generation, grain, bucket, agent_no: change.agent_no, sums: new Float64Array(WIDTH) };
      this.#buckets.set(key, entry);
    }
    const { sign, values } = change;
    if (!values) {
      entry.sums[0] = (entry.sums[0] as number) + sign;
      return;
    }
    const width = (values.length + 1) * WIDTH;
    if (entry.sums.length < width) {
      const wider = new Float64Array(width);
      wider.set(entry.sums);
      entry.sums = wider;
    }
    const { sums } = entry;
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number;
      if (Number.isNaN(x)) continue;
      const squares = Math.round(x * x * 1e6);
      const high = Math.floor(squares / SQUARES_BASE);
      const at = (i + 1) * WIDTH;
      sums[at] = (sums[at] as number) + sign;
      sums[at + 1] = (sums[at + 1] as number) + sign * Math.round(x * 1e6);
      sums[at + 2] = (sums[at + 2] as number) + sign * high;
      sums[at + 3] = (sums[at + 3] as number) + sign * (squares - high * SQUARES_BASE);
    }
  }
}

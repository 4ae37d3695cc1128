/**
 * Sums kept at write time: what a group of writes adds to and takes from the rollups, put there in one go before
 * COMMIT. Every value is an integer, so that adding and subtracting is exact in any order.
 */
import { MEASURE_NAMES, type MeasureName } from "../../core/measures.ts";
import { localDays } from "./local-day.ts";
import { ROLLUPS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

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

interface Change {
  readonly sign: 1 | -1;
  readonly call_no: number;
  readonly agent_no: number;
  readonly start_time: number;
  /** null: the call itself is counted, not its measures. */
  readonly values: Float64Array | null;
}

interface State {
  readonly serving: number;
  readonly timezone: string;
  readonly next_timezone: string | null;
  readonly rebuilt_to: number | null;
}

interface Bucket {
  readonly generation: number;
  readonly grain: number;
  readonly bucket: number;
  readonly agent_no: number;
  /** Four numbers (n, sum, squares high, squares low) for accepted calls, then, once there are any, for each measure. */
  sums: Float64Array;
}

const WIDTH = 4;

export class RollupSums {
  readonly #context: WriteContext;
  readonly #timezone: string;
  #days = new Map<string, (time: number) => number>();
  #changes: Change[] = [];

  constructor(context: WriteContext, timezone: string) {
    this.#context = context;
    this.#timezone = timezone;
  }

  /** Puts the state row there at first start. */
  start(): void {
    this.#context.run(ROLLUPS.start, this.#timezone);
  }

  state(): State {
    return this.#context.get<State>(ROLLUPS.state) as State;
  }

  mark(): number {
    return this.#changes.length;
  }

  rollback(mark: number): void {
    this.#changes.length = Math.min(mark, this.#changes.length);
  }

  /** Counts a call that settles (1) or takes a settled one out (-1). */
  count(sign: 1 | -1, call: { call_no: number; agent_no: number; start_time: number }): void {
    this.#changes.push({
      sign,
      call_no: call.call_no,
      agent_no: call.agent_no,
      start_time: call.start_time,
      values: null,
    });
  }

  /** Adds the measures of a call or takes them out. */
  measure(sign: 1 | -1, call: { call_no: number; agent_no: number; start_time: number }, values: Float64Array): void {
    this.#changes.push({ sign, call_no: call.call_no, agent_no: call.agent_no, start_time: call.start_time, values });
  }

  /** Writes all changes since the last flush. */
  flush(): void {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    this.#changes = [];
    const { serving, timezone, next_timezone, rebuilt_to } = this.state();
    const buckets = new Map<string, Bucket>();
    for (const change of changes) {
      this.#spread(buckets, serving, timezone, change);
      if (change.call_no <= (rebuilt_to ?? 0)) {
        this.#spread(buckets, serving + 1, next_timezone ?? timezone, change);
      }
    }
    for (const bucket of buckets.values()) this.#write(bucket);
  }

  /** Writes changes into the generation a rebuild is making, alone. */
  flushRecount(generation: number, timezone: string): void {
    const changes = this.#changes;
    this.#changes = [];
    const buckets = new Map<string, Bucket>();
    for (const change of changes) this.#spread(buckets, generation, timezone, change);
    for (const bucket of buckets.values()) this.#write(bucket);
  }

  #dayOf(timezone: string, time: number): number {
    let days = this.#days.get(timezone);
    if (!days) {
      days = localDays(timezone);
      this.#days.set(timezone, days);
    }
    return days(time);
  }

  #spread(buckets: Map<string, Bucket>, generation: number, timezone: string, change: Change): void {
    const grain = change.values ? GRAIN : COUNTS;
    this.#add(buckets, generation, grain.all, 0, change);
    this.#add(buckets, generation, grain.day, this.#dayOf(timezone, change.start_time), change);
  }

  #add(buckets: Map<string, Bucket>, generation: number, grain: number, bucket: number, change: Change): void {
    const key = `${generation} ${grain} ${bucket} ${change.agent_no}`;
    let entry = buckets.get(key);
    if (!entry) {
      entry = { generation, grain, bucket, agent_no: change.agent_no, sums: new Float64Array(WIDTH) };
      buckets.set(key, entry);
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

  #write({ generation, grain, bucket, agent_no, sums }: Bucket): void {
    for (let at = 0; at < sums.length; at += WIDTH) {
      const part = sums.subarray(at, at + WIDTH);
      if (part.every((x) => x === 0)) continue;
      const measure = at / WIDTH - 1;
      this.#context.run(ROLLUPS.add, generation, grain, bucket, agent_no, measure, ...Array.from(part, integer));
      if ((part[0] as number) < 0) this.#context.run(ROLLUPS.dropEmpty, generation, grain, bucket, agent_no, measure);
    }
  }
}

/** Numbers past 32 bits are bound as REAL, and SQLite would add them inexactly; a bigint is bound as INTEGER. */
function integer(x: number): number | bigint {
  return (x | 0) === x ? x : BigInt(x);
}

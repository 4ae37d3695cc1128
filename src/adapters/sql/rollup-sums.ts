/**
 * Sums kept at write time: what a group of writes adds to and takes from the rollups, put there in one go before
 * COMMIT.
 */
import { ROLLUPS } from "./statements.ts";
import { rowsOf, type RollupState, type SumBucket, SumBuckets, type SumChange } from "./sum-buckets.ts";
import type { WriteContext } from "./write-context.ts";

export class RollupSums {
  readonly #context: WriteContext;
  readonly #timezone: string;
  readonly #days = new Map<string, (time: number) => number>();
  #changes: SumChange[] = [];

  constructor(context: WriteContext, timezone: string) {
    this.#context = context;
    this.#timezone = timezone;
  }

  /** Puts the state row there at first start. */
  start(): void {
    this.#context.run(ROLLUPS.start, this.#timezone);
  }

  state(): RollupState {
    return this.#context.get<RollupState>(ROLLUPS.state) as RollupState;
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
    const state = this.state();
    const buckets = new SumBuckets(this.#days);
    for (const change of this.#taken()) buckets.addServed(state, change);
    for (const bucket of buckets.list()) this.#write(bucket);
  }

  /** Writes changes into the generation a rebuild is making, alone. */
  flushRecount(generation: number, timezone: string): void {
    const buckets = new SumBuckets(this.#days);
    for (const change of this.#taken()) buckets.add(generation, timezone, change);
    for (const bucket of buckets.list()) this.#write(bucket);
  }

  #taken(): SumChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  #write(sums: SumBucket): void {
    const { generation, grain, bucket, agent_no } = sums;
    for (const { measure, part } of rowsOf(sums)) {
      this.#context.run(ROLLUPS.add, generation, grain, bucket, agent_no, measure, ...Array.from(part, integer));
      if ((part[0] as number) < 0) this.#context.run(ROLLUPS.dropEmpty, generation, grain, bucket, agent_no, measure);
    }
  }
}

/** Numbers past 32 bits are bound as REAL, and SQLite would add them inexactly; a bigint is bound as INTEGER. */
function integer(x: number): number | bigint {
  return (x | 0) === x ? x : BigInt(x);
}

/** What a transaction adds to and takes from the rollups, put there in one go before COMMIT. */
import { rowsOf, type RollupState, SumBuckets, type SumBucket, type SumChange } from "../sum-buckets.ts";
import type { Write } from "./write.ts";

type Change = Omit<SumChange, "agent_no"> & { readonly agent_id: string };

interface Counted {
  readonly call_no: number;
  readonly agent_id: string;
  readonly start_time: number;
}

/** New agents in one order for everybody, so that two transactions never wait for each other. */
const ADD_AGENTS = `INSERT INTO agents (agent_id) SELECT agent_id FROM unnest($1::text[]) AS a(agent_id)
  ORDER BY agent_id COLLATE "C" ON CONFLICT (agent_id) DO NOTHING`;
const AGENTS = `SELECT agent_no, agent_id FROM agents WHERE agent_id = ANY($1::text[])`;

/** The same for sums. */
const ADD = `INSERT INTO rollups (generation, grain, bucket, agent_no, measure, n, sum_micro, squares_high, squares_low)
  SELECT * FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::bigint[],
    $7::bigint[], $8::bigint[], $9::bigint[]) AS s(generation, grain, bucket, agent_no, measure, n, sum, high, low)
  ORDER BY generation, grain, bucket, agent_no, measure
  ON CONFLICT (generation, grain, bucket, agent_no, measure) DO UPDATE SET n = rollups.n + excluded.n,
    sum_micro = rollups.sum_micro + excluded.sum_micro, squares_high = rollups.squares_high + excluded.squares_high,
    squares_low = rollups.squares_low + excluded.squares_low`;
/** Of rows that this transaction holds already. */
const DROP_EMPTY = `DELETE FROM rollups AS r USING unnest($1::integer[], $2::integer[], $3::integer[], $4::integer[],
    $5::integer[]) AS s(generation, grain, bucket, agent_no, measure)
  WHERE r.generation = s.generation AND r.grain = s.grain AND r.bucket = s.bucket AND r.agent_no = s.agent_no
    AND r.measure = s.measure AND r.n = 0`;

export class PendingSums {
  readonly #known: ReadonlyMap<string, number>;
  readonly #days: Map<string, (time: number) => number>;
  /** Agents that this transaction found or made. */
  readonly made = new Map<string, number>();
  #changes: Change[] = [];

  constructor(known: ReadonlyMap<string, number>, days: Map<string, (time: number) => number>) {
    this.#known = known;
    this.#days = days;
  }

  mark(): number {
    return this.#changes.length;
  }

  rollback(mark: number): void {
    this.#changes.length = mark;
  }

  /** Counts an accepted call (1) or takes it out (-1). */
  count(sign: 1 | -1, { call_no, agent_id, start_time }: Counted): void {
    this.#changes.push({ sign, call_no, agent_id, start_time, values: null });
  }

  /** Adds the measures of a call or takes them out. */
  measure(sign: 1 | -1, { call_no, agent_id, start_time }: Counted, values: Float64Array): void {
    this.#changes.push({ sign, call_no, agent_id, start_time, values });
  }

  /** Writes all changes into what is served, and what a rebuild has counted of them into what it makes. */
  async flush(write: Write): Promise<void> {
    if (this.#changes.length === 0) return;
    const agents = await this.#agentNos(write);
    const state = (await write.get<RollupState>("SELECT * FROM hold_rollup_state()")) as RollupState;
    const buckets = new SumBuckets(this.#days);
    for (const { agent_id, ...change } of this.#changes) {
      buckets.addServed(state, { ...change, agent_no: agents(agent_id) });
    }
    await this.#put(write, buckets.list());
  }

  /** Writes changes into the generation a rebuild is making, alone. */
  async flushRecount(write: Write, generation: number, timezone: string): Promise<void> {
    if (this.#changes.length === 0) return;
    const agents = await this.#agentNos(write);
    const buckets = new SumBuckets(this.#days);
    for (const { agent_id, ...change } of this.#changes) {
      buckets.add(generation, timezone, { ...change, agent_no: agents(agent_id) });
    }
    await this.#put(write, buckets.list());
    this.#changes = [];
  }

  async #agentNos(write: Write): Promise<(agent_id: string) => number> {
    const known = (agent_id: string) => this.#known.get(agent_id) ?? this.made.get(agent_id);
    const unknown = [...new Set(this.#changes.map((c) => c.agent_id))].filter((id) => known(id) === undefined);
    if (unknown.length > 0) {
      await write.run(ADD_AGENTS, unknown);
      const rows = await write.all<{ agent_no: number; agent_id: string }>(AGENTS, unknown);
      for (const { agent_no, agent_id } of rows) this.made.set(agent_id, agent_no);
    }
    return (agent_id) => known(agent_id) as number;
  }

  async #put(write: Write, buckets: readonly SumBucket[]): Promise<void> {
    const rows = buckets.flatMap((bucket) => rowsOf(bucket).map((row) => ({ ...bucket, ...row })));
    const place = (some: typeof rows) => [
      some.map((r) => r.generation),
      some.map((r) => r.grain),
      some.map((r) => r.bucket),
      some.map((r) => r.agent_no),
      some.map((r) => r.measure),
    ];
    // A number that is no integer is a bug, or a measure that nothing can hold: BigInt says so.
    const column = (i: number) => rows.map(({ part }) => BigInt(part[i] as number).toString());
    if (rows.length > 0) await write.run(ADD, ...place(rows), column(0), column(1), column(2), column(3));
    const fewer = rows.filter(({ part }) => (part[0] as number) < 0);
    if (fewer.length > 0) await write.run(DROP_EMPTY, ...place(fewer));
  }
}

/** What stands beside each int8 row: typed columns in chunks, so that growth copies nothing, and the rows of a call. */
import { CHUNK_ROWS } from "./kernel.ts";

const COLUMN_BYTES = CHUNK_ROWS * (5 * 4 + 8);

/** Index of a slot within its chunk is `slot % CHUNK_ROWS`. */
export interface ColumnChunk {
  readonly call_no: Uint32Array;
  readonly part: Uint32Array;
  readonly part_end: Uint32Array;
  /** Interned: see Columns.agentCode. */
  readonly agent: Uint32Array;
  readonly start_time: Float64Array;
  /** Next row of the same call, as slot + 1; 0 at the end. */
  readonly next: Uint32Array;
}

export interface ColumnRow {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  readonly agent: string;
  readonly start_time: number;
}

export class Columns {
  readonly chunks: ColumnChunk[] = [];
  rows = 0;
  readonly #heads = new Map<number, number>();
  readonly #agents = new Map<string, number>();

  /** True if the next append starts a new chunk. */
  get full(): boolean {
    return this.rows === this.chunks.length * CHUNK_ROWS;
  }

  get bytes(): number {
    // A Map entry of two small integers takes about 40 bytes.
    return this.chunks.length * COLUMN_BYTES + this.#heads.size * 40;
  }

  get agentCodes(): number {
    return this.#agents.size;
  }

  /** The number an agent id was interned as; undefined if no row ever had it. */
  agentCode(agent: string): number | undefined {
    return this.#agents.get(agent);
  }

  addChunk(): void {
    this.chunks.push({
      call_no: new Uint32Array(CHUNK_ROWS),
      part: new Uint32Array(CHUNK_ROWS),
      part_end: new Uint32Array(CHUNK_ROWS),
      agent: new Uint32Array(CHUNK_ROWS),
      start_time: new Float64Array(CHUNK_ROWS),
      next: new Uint32Array(CHUNK_ROWS),
    });
  }

  chunkOf(slot: number): ColumnChunk {
    return this.chunks[Math.floor(slot / CHUNK_ROWS)] as ColumnChunk;
  }

  /** Appends a row; its slot. The chunk must be there. */
  append(row: ColumnRow): number {
    const slot = this.rows++;
    const c = this.chunkOf(slot);
    const i = slot % CHUNK_ROWS;
    let agent = this.#agents.get(row.agent);
    if (agent === undefined) {
      agent = this.#agents.size;
      this.#agents.set(row.agent, agent);
    }
    c.call_no[i] = row.call_no;
    c.part[i] = row.part;
    c.part_end[i] = row.part_end;
    c.agent[i] = agent;
    c.start_time[i] = row.start_time;
    c.next[i] = this.#heads.get(row.call_no) ?? 0;
    this.#heads.set(row.call_no, slot + 1);
    return slot;
  }

  has(call_no: number): boolean {
    return this.#heads.has(call_no);
  }

  /** The slots of a call's rows, in no order. */
  slotsOf(call_no: number): number[] {
    const slots: number[] = [];
    for (let at = this.#heads.get(call_no) ?? 0; at !== 0; at = this.#next(at - 1)) slots.push(at - 1);
    return slots;
  }

  /**
   * Removes a call's rows: each freed slot takes the last row. `move(from, to)` is told of every such move.
   */
  remove(call_no: number, move: (from: number, to: number) => void): void {
    const slots = this.slotsOf(call_no);
    this.#heads.delete(call_no);
    // From the highest on, so that the last row is never one still to be removed.
    slots.sort((a, b) => b - a);
    for (const to of slots) {
      const from = --this.rows;
      if (from === to) continue;
      this.#relink(from, to);
      move(from, to);
    }
  }

  #next(slot: number): number {
    return this.chunkOf(slot).next[slot % CHUNK_ROWS] as number;
  }

  #relink(from: number, to: number): void {
    const source = this.chunkOf(from);
    const target = this.chunkOf(to);
    const i = from % CHUNK_ROWS;
    const j = to % CHUNK_ROWS;
    const call_no = source.call_no[i] as number;
    for (const name of ["call_no", "part", "part_end", "agent", "start_time", "next"] as const) {
      target[name][j] = source[name][i] as number;
    }
    let at = this.#heads.get(call_no) as number;
    if (at - 1 === from) {
      this.#heads.set(call_no, to + 1);
      return;
    }
    while (this.#next(at - 1) !== from + 1) at = this.#next(at - 1);
    this.chunkOf(at - 1).next[(at - 1) % CHUNK_ROWS] = to + 1;
  }
}

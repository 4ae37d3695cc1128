/**
 * The oracle of every vector index: plain float64 cosines over all rows as stored, and those rows as VectorRows
 * answers them. Nothing here is shared with an adapter.
 */
import { dequantize, quantize } from "../../src/core/vector.ts";
import type { VectorChunk, VectorFilter, VectorHit, VectorKind, VectorRows, Vectors } from "../../src/ports/vectors.ts";

export interface ExactRow {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  readonly agent: string;
  readonly start_time: number;
  /** 384 values. */
  readonly vector: Float32Array;
}

/** Columns out of rows; int8 where asked for. */
export function chunkOf(rows: readonly ExactRow[], form: "float32" | "int8" = "float32"): VectorChunk {
  const vectors = new Float32Array(rows.length * 384);
  for (const [i, row] of rows.entries()) vectors.set(row.vector, i * 384);
  return {
    call_no: Uint32Array.from(rows, (row) => row.call_no),
    part: Uint32Array.from(rows, (row) => row.part),
    part_end: Uint32Array.from(rows, (row) => row.part_end),
    agent: rows.map((row) => row.agent),
    start_time: Float64Array.from(rows, (row) => row.start_time),
    vectors: form === "int8" ? quantize(vectors) : vectors,
  };
}

interface Kept extends ExactRow {
  /** What is compared: float32 of calls, the int8 values of segments (their scale does not matter to a cosine). */
  readonly stored: Float32Array;
}

/** Keeps calls in float32 and segments in int8, as SQL does. */
export class ExactVectors implements Vectors, VectorRows {
  readonly #rows: Record<VectorKind, Kept[]> = { call: [], segment: [] };

  async upsert(kind: VectorKind, chunk: VectorChunk): Promise<void> {
    await this.remove(kind, [...chunk.call_no]);
    for (const [i, call_no] of chunk.call_no.entries()) {
      const given = chunk.vectors.slice(i * 384, (i + 1) * 384);
      const float = given instanceof Int8Array ? dequantize(given) : given;
      this.#rows[kind].push({
        call_no,
        part: chunk.part[i] as number,
        part_end: chunk.part_end[i] as number,
        agent: chunk.agent[i] as string,
        start_time: chunk.start_time[i] as number,
        vector: float,
        stored: kind === "segment" ? Float32Array.from(quantize(float)) : float,
      });
    }
  }

  async remove(kind: VectorKind, call_nos: readonly number[]): Promise<void> {
    const gone = new Set(call_nos);
    this.#rows[kind] = this.#rows[kind].filter((row) => !gone.has(row.call_no));
  }

  async search(kind: VectorKind, query: Float32Array, k: number, filter: VectorFilter = {}): Promise<VectorHit[]> {
    return this.#rows[kind]
      .filter((row) => passes(row, filter))
      .map(({ call_no, part, part_end, stored }) => ({ call_no, part, part_end, score: exactCosine(query, stored) }))
      .toSorted((a, b) => b.score - a.score || a.call_no - b.call_no || a.part - b.part)
      .slice(0, k);
  }

  async describe(): Promise<{ rows: Record<VectorKind, number>; bytes: number }> {
    return { rows: { call: this.#rows.call.length, segment: this.#rows.segment.length }, bytes: 0 };
  }

  async close(): Promise<void> {}

  async scan(kind: VectorKind, _space_id: string, after: number, limit: number): Promise<VectorChunk> {
    const rest = this.#rows[kind].filter((row) => row.call_no > after).toSorted((a, b) => a.call_no - b.call_no);
    let end = Math.min(limit, rest.length);
    while (end > 0 && end < rest.length && rest[end]?.call_no === rest[end - 1]?.call_no) end++;
    return chunkOf(rest.slice(0, end), "int8");
  }

  async of(kind: VectorKind, _space_id: string, call_nos: readonly number[]): Promise<VectorChunk> {
    const wanted = new Set(call_nos);
    return chunkOf(
      this.#rows[kind].filter((row) => wanted.has(row.call_no)),
      kind === "call" ? "float32" : "int8",
    );
  }

  async exact(_space_id: string, call_nos: readonly number[]): Promise<{ call_no: number; vector: Float32Array }[]> {
    return this.#rows.call.filter((row) => call_nos.includes(row.call_no));
  }
}

/** Rounded to 1e-7, so that equal directions tie. */
export function exactCosine(a: Float32Array, b: Float32Array): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i] as number;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : Math.round((ab / Math.sqrt(aa * bb)) * 1e7) / 1e7;
}

function passes(row: ExactRow, filter: VectorFilter): boolean {
  return (
    (filter.agent_ids?.includes(row.agent) ?? true) &&
    row.start_time >= (filter.from ?? -Infinity) &&
    row.start_time <= (filter.to ?? Infinity) &&
    (filter.call_nos?.includes(row.call_no) ?? true) &&
    !(filter.except?.includes(row.call_no) ?? false)
  );
}

/** Rows of vectors as the index takes them. */
import { DIMENSIONS } from "../../core/vector.ts";
import type { VectorChunk } from "../../ports/vectors.ts";

export interface VectorRow {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  readonly agent: string;
  readonly start_time: number;
  readonly vector: Buffer;
}

/** `full`: the vectors are float32, not int8. */
export function toChunk(rows: readonly VectorRow[], full: boolean): VectorChunk {
  const width = DIMENSIONS * (full ? 4 : 1);
  const all = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row.vector, i * width);
  return {
    call_no: Uint32Array.from(rows, (row) => row.call_no),
    part: Uint32Array.from(rows, (row) => row.part),
    part_end: Uint32Array.from(rows, (row) => row.part_end),
    agent: rows.map((row) => row.agent),
    start_time: Float64Array.from(rows, (row) => row.start_time),
    vectors: full ? new Float32Array(all.buffer) : new Int8Array(all.buffer),
  };
}

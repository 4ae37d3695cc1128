/** Vectors made of real turns, in the place of SQL, and exact search over them. */
import { poolVectors } from "../src/core/pool.ts";
import { DIMENSIONS, dot, quantize } from "../src/core/vector.ts";
import type { VectorChunk, VectorKind, VectorRows } from "../src/ports/vectors.ts";
import { seededRandom } from "../test/support/clustered-vectors.ts";
import type { Corpus } from "./corpus.ts";

export const SHARES = { "0.1%": 0.001, "1%": 0.01, "10%": 0.1 } as const;

/** Rows in memory in the place of SQL. */
export class MemoryRows implements VectorRows {
  readonly float: Float32Array;
  readonly agent: string[];
  readonly #int8: Int8Array;

  constructor(float: Float32Array, agent: string[]) {
    this.float = float;
    this.agent = agent;
    this.#int8 = quantize(float);
  }

  async scan(_kind: VectorKind, _space: string, after: number, limit: number): Promise<VectorChunk> {
    const end = Math.min(after + limit, this.agent.length);
    const call_nos = Array.from({ length: end - after }, (_, i) => after + i + 1);
    return this.#chunk(call_nos, this.#int8.slice(after * DIMENSIONS, end * DIMENSIONS));
  }

  async of(_kind: VectorKind, _space: string, call_nos: readonly number[]): Promise<VectorChunk> {
    const vectors = new Float32Array(call_nos.length * DIMENSIONS);
    for (const [i, call_no] of call_nos.entries()) vectors.set(this.row(call_no), i * DIMENSIONS);
    return this.#chunk(call_nos, vectors);
  }

  async exact(_space: string, call_nos: readonly number[]): Promise<{ call_no: number; vector: Float32Array }[]> {
    return call_nos.map((call_no) => ({ call_no, vector: this.row(call_no) }));
  }

  row(call_no: number): Float32Array {
    return this.float.subarray((call_no - 1) * DIMENSIONS, call_no * DIMENSIONS);
  }

  #chunk(call_nos: readonly number[], vectors: Float32Array | Int8Array): VectorChunk {
    return {
      call_no: Uint32Array.from(call_nos),
      part: new Uint32Array(call_nos.length),
      part_end: new Uint32Array(call_nos.length),
      agent: call_nos.map((call_no) => this.agent[call_no - 1] as string),
      start_time: Float64Array.from(call_nos, (call_no) => call_no * 60_000),
      vectors,
    };
  }
}

/** n vectors as enrichment makes them: word-weighted means of consecutive turns, some with turns of a second dialogue. */
export function makeVectors(
  kind: VectorKind,
  n: number,
  corpus: Corpus,
  vectorOf: (text: string) => Float32Array,
  seed: number,
): Float32Array {
  const random = seededRandom(seed);
  const pick = (limit: number) => Math.floor(random() * limit);
  const dialogues = [...corpus.persuasion, ...corpus.casino].filter((d) => d.texts.length >= 8);
  const window = (length: number) => {
    const { texts } = dialogues[pick(dialogues.length)] as { texts: readonly string[] };
    const start = pick(Math.max(1, texts.length - length + 1));
    return texts.slice(start, start + length);
  };
  const out = new Float32Array(n * DIMENSIONS);
  for (let i = 0; i < n; i++) {
    const texts =
      kind === "call" ? [...window(10 + pick(12)), ...window(pick(10))] : [...window(2 + pick(5)), ...window(pick(2))];
    const vectors = new Float32Array(texts.length * DIMENSIONS);
    for (const [j, text] of texts.entries()) vectors.set(vectorOf(text), j * DIMENSIONS);
    const words = texts.map((text) => text.split(/\s+/).length);
    out.set(poolVectors(vectors, words, 0, texts.length - 1), i * DIMENSIONS);
  }
  return out;
}

/** The rows the index takes the mean of, in float32: 20,000 spread evenly. */
function meanOf(rows: MemoryRows): Float32Array {
  const n = rows.agent.length;
  const sampled = Math.min(20_000, n);
  const sum = new Float64Array(DIMENSIONS);
  for (let j = 0; j < sampled; j++) {
    for (const [i, x] of rows.row(1 + Math.floor((j * n) / sampled)).entries()) sum[i] = (sum[i] as number) + x;
  }
  return Float32Array.from(sum, (x) => ((x / sampled) * n) / (n + 10));
}

/** Cosine without the mean is (q·r − q·m) / ‖r − m‖ but for the query's length; `lengths` holds ‖r − m‖. */
function exactTop(
  rows: MemoryRows,
  { query, offset, lengths }: { query: Float32Array; offset: number; lengths: Float32Array },
  passes: (i: number) => boolean,
): number[] {
  const best: { call_no: number; score: number }[] = [];
  for (let call_no = 1; call_no <= rows.agent.length; call_no++) {
    if (!passes(call_no - 1)) continue;
    const score = (dot(query, rows.row(call_no)) - offset) / (lengths[call_no - 1] as number);
    if (best.length === 10 && score <= (best[9] as { score: number }).score) continue;
    best.push({ call_no, score });
    best.sort((a, b) => b.score - a.score || a.call_no - b.call_no);
    best.length = Math.min(best.length, 10);
  }
  return best.map((hit) => hit.call_no);
}

export function spread(ms: readonly number[]): { p50: number; p95: number } {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] as number).toFixed(3));
  return { p50: at(0.5), p95: at(0.95) };
}

/** Which agent each row is of: those named like a share have it, the rest are spread over 200. */
export function agentsOf(n: number): string[] {
  const random = seededRandom(3);
  return Array.from({ length: n }, () => {
    let at = random();
    for (const [name, share] of Object.entries(SHARES)) {
      if (at < share) return name;
      at -= share;
    }
    return `agent-${Math.floor(random() * 200)}`;
  });
}

/** The ten nearest of those that pass, in float32; about the mean where `centred`. */
export function exactSearch(
  rows: MemoryRows,
  centred: boolean,
): (query: Float32Array, passes: (i: number) => boolean) => number[] {
  const mean = centred ? meanOf(rows) : new Float32Array(DIMENSIONS);
  const less = (v: Float32Array) => v.map((x, i) => x - (mean[i] as number));
  const lengths = Float32Array.from({ length: rows.agent.length }, (_, i) => {
    const v = less(rows.row(i + 1));
    return Math.sqrt(dot(v, v));
  });
  return (query, passes) => exactTop(rows, { query: less(query), offset: dot(less(query), mean), lengths }, passes);
}

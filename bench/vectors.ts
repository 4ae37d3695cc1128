/**
 * The embedded vector index on vectors made of real turns, against exact float32 search. Prints JSON.
 *   EARSHOT_DATA_SETS=… node bench/vectors.ts [--rows 100000] [--kind call|segment] [--queries 200] [--raw]
 * Call vectors are compared about their mean, as the product does, unless --raw says otherwise.
 * 1,000,000 rows take about 4 GB here: the float32 originals are the bench's, not the index's.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { type EmbeddedVectors, openVectors } from "../src/adapters/vectors/embedded.ts";
import { fill } from "../src/adapters/vectors/fill.ts";
import { poolVectors } from "../src/core/pool.ts";
import { DIMENSIONS, dot, quantize } from "../src/core/vector.ts";
import type { VectorChunk, VectorFilter, VectorKind, VectorRows } from "../src/ports/vectors.ts";
import { seededRandom } from "../test/support/clustered-vectors.ts";
import { type Corpus, dataSets, embedCorpus, readCorpus } from "./corpus.ts";
import { machine } from "./machine.ts";

const SHARES = { "0.1%": 0.001, "1%": 0.01, "10%": 0.1 } as const;

/** Rows in memory in the place of SQL. */
class MemoryRows implements VectorRows {
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
function makeVectors(
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

function spread(ms: readonly number[]): { p50: number; p95: number } {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] as number).toFixed(3));
  return { p50: at(0.5), p95: at(0.95) };
}

async function searches(
  vectors: EmbeddedVectors,
  kind: VectorKind,
  queries: readonly Float32Array[],
  truth: readonly (readonly number[])[],
  filter: VectorFilter,
): Promise<object> {
  for (const query of queries.slice(0, 20)) await vectors.search(kind, query, 10, filter);
  const ms: number[] = [];
  let found = 0;
  let wanted = 0;
  for (const [i, query] of queries.entries()) {
    const started = performance.now();
    const hits = await vectors.search(kind, query, 10, filter);
    ms.push(performance.now() - started);
    const right = truth[i] ?? [];
    wanted += right.length;
    found += hits.filter((hit) => right.includes(hit.call_no)).length;
  }
  return { ms: spread(ms), recall_at_10: Number((found / wanted).toFixed(4)) };
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    kind: { type: "string", default: "call" },
    queries: { type: "string", default: "200" },
    candidates: { type: "string" },
    raw: { type: "boolean", default: false },
  },
});
const n = Number(values.rows);
const kind: VectorKind = values.kind === "segment" ? "segment" : "call";
const corpus = await readCorpus(dataSets(process.env));
const vectorOf = await embedCorpus(corpus);

const random = seededRandom(3);
const agent = Array.from({ length: n }, () => {
  let at = random();
  for (const [name, share] of Object.entries(SHARES)) {
    if (at < share) return name;
    at -= share;
  }
  return `agent-${Math.floor(random() * 200)}`;
});
const rows = new MemoryRows(makeVectors(kind, n, corpus, vectorOf, 1), agent);
const asked = makeVectors(kind, Number(values.queries), corpus, vectorOf, 2);
const queries = Array.from({ length: Number(values.queries) }, (_, i) =>
  asked.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS),
);

const centred = kind === "call" && !values.raw;
const mean = centred ? meanOf(rows) : new Float32Array(DIMENSIONS);
const less = (v: Float32Array) => v.map((x, i) => x - (mean[i] as number));
const lengths = Float32Array.from({ length: n }, (_, i) => {
  const v = less(rows.row(i + 1));
  return Math.sqrt(dot(v, v));
});
const exact = (query: Float32Array, passes: (i: number) => boolean) =>
  exactTop(rows, { query: less(query), offset: dot(less(query), mean), lengths }, passes);

const options = values.candidates === undefined ? {} : { signCandidates: Number(values.candidates) };
const rssBefore = process.memoryUsage.rss();
const vectors = openVectors({ rows, spaceId: "bench", log: console, options, ...(values.raw ? { centred: [] } : {}) });
await vectors.describe();
const started = performance.now();
await fill(vectors, rows, kind, "bench");
const fillMs = performance.now() - started;
const { bytes } = await vectors.describe();
const rssGrown = process.memoryUsage.rss() - rssBefore;

const truth = queries.map((query) => exact(query, () => true));
const unfiltered = await searches(vectors, kind, queries, truth, {});
const filtered: Record<string, object> = {};
for (const name of Object.keys(SHARES)) {
  const some = queries.slice(0, 100);
  const right = some.map((query) => exact(query, (i) => agent[i] === name));
  filtered[name] = await searches(vectors, kind, some, right, { agent_ids: [name] });
}
const ten = Uint32Array.from({ length: Math.floor(n / 10) }, (_, i) => 1 + i * 10);
const numbers = await searches(
  vectors,
  kind,
  queries.slice(0, 50),
  queries.slice(0, 50).map((query) => exact(query, (i) => i % 10 === 0)),
  { call_nos: ten },
);

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const one = performance.now();
for (let i = 1; i <= 1_000; i++) await vectors.upsert(kind, await rows.of(kind, "", [i]));
const upsertOne = performance.now() - one;
const batch = await rows.of(
  kind,
  "",
  Array.from({ length: 1_000 }, (_, i) => i + 1),
);
const many = performance.now();
await vectors.upsert(kind, batch);
const upsertMany = performance.now() - many;
const removing = performance.now();
await vectors.remove(
  kind,
  Array.from({ length: 1_000 }, (_, i) => i + 1),
);
const removed = performance.now() - removing;
delay.disable();

process.stdout.write(
  `${JSON.stringify(
    {
      machine: machine(),
      rows: n,
      kind,
      k: 10,
      oracle: centred ? "exact float32 about the mean" : "exact float32",
      fill_ms: Math.round(fillMs),
      index_mb: Math.round(bytes / 1e6),
      rss_grown_mb: Math.round(rssGrown / 1e6),
      search: unfiltered,
      filters: { ...filtered, "10% by call_nos": numbers },
      us_per_row: {
        upsert_one_by_one: Math.round(upsertOne),
        upsert_in_a_batch: Number(upsertMany.toFixed(1)),
        remove_in_a_batch: Number(removed.toFixed(1)),
      },
    },
    null,
    2,
  )}\n`,
);
await vectors.close();

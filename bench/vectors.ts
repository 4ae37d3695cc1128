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
import { DIMENSIONS } from "../src/core/vector.ts";
import type { VectorFilter, VectorKind } from "../src/ports/vectors.ts";
import { dataSets, embedCorpus, readCorpus } from "./corpus.ts";
import { machine } from "./machine.ts";
import { agentsOf, exactSearch, makeVectors, MemoryRows, SHARES, spread } from "./real-vectors.ts";

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

const agent = agentsOf(n);
const rows = new MemoryRows(makeVectors(kind, n, corpus, vectorOf, 1), agent);
const asked = makeVectors(kind, Number(values.queries), corpus, vectorOf, 2);
const queries = Array.from({ length: Number(values.queries) }, (_, i) =>
  asked.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS),
);

const centred = kind === "call" && !values.raw;
const exact = exactSearch(rows, centred);

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

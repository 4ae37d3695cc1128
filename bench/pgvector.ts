/**
 * The index in the database beside the embedded one, both over the same vectors of real turns in the same PostgreSQL, against
 * exact float32 search. Prints JSON lines, one for each kind.
 *   EARSHOT_DATA_SETS=… node bench/pgvector.ts [--rows 100000] [--queries 200] [--kinds call,segment] [--memory 1GB]
 * --memory is maintenance_work_mem, which the graph is built in. The server is the tests' (tools/fetch-pgvector.ts).
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { Database } from "../src/adapters/sql/postgres/database.ts";
import { migrate } from "../src/adapters/sql/postgres/migrate.ts";
import { installPoints } from "../src/adapters/sql/postgres/points-install.ts";
import { PointIndex } from "../src/adapters/sql/postgres/points-index.ts";
import { makeVectorRows } from "../src/adapters/sql/postgres/vector-rows.ts";
import { openVectors } from "../src/adapters/vectors/embedded.ts";
import { fill } from "../src/adapters/vectors/fill.ts";
import { DIMENSIONS } from "../src/core/vector.ts";
import type { IndexBuild, VectorFilter, VectorKind, Vectors } from "../src/ports/vectors.ts";
import { AT, SPACE, vectorTables } from "../test/support/points-index.ts";
import { ask, startPostgres, stopPostgres } from "../test/support/postgres-server.ts";
import { dataSets, embedCorpus, readCorpus } from "./corpus.ts";
import { machine } from "./machine.ts";
import { agentsOf, exactSearch, makeVectors, MemoryRows, SHARES, spread } from "./real-vectors.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    queries: { type: "string", default: "200" },
    kinds: { type: "string", default: "call,segment" },
    memory: { type: "string", default: "1GB" },
  },
});
const n = Number(values.rows);
const LOAD = 2_000;
const FILTERED = 60;

/** The float32 of a call is read by way of its row. */
const CALLS = `INSERT INTO call_records (call_no, call_id, agent_id, language, start_time, created_at, updated_at, digest)
  SELECT i, 'call-' || i, 'a', 'en', 0, ${AT}, 0, '' FROM generate_series(1, $1::int) AS i`;

type Search = (...question: Parameters<Vectors["search"]>) => Promise<readonly { call_no: number }[]>;
interface Asked {
  readonly name: string;
  readonly filter: VectorFilter;
  readonly queries: readonly Float32Array[];
  readonly truth: readonly (readonly number[])[];
}

async function searches(search: Search, kind: VectorKind, asked: readonly Asked[]): Promise<object> {
  const found: Record<string, object> = {};
  for (const { name, filter, queries, truth } of asked) {
    for (const query of queries.slice(0, 20)) await search(kind, query, 10, filter);
    const ms: number[] = [];
    let right = 0;
    for (const [i, query] of queries.entries()) {
      const started = performance.now();
      const hits = await search(kind, query, 10, filter);
      ms.push(performance.now() - started);
      right += hits.filter((hit) => truth[i]?.includes(hit.call_no)).length;
    }
    found[name] = { ms: spread(ms), recall_at_10: Number((right / truth.flat().length).toFixed(4)) };
  }
  return found;
}

async function measure(kind: VectorKind, url: string): Promise<object> {
  const made = makeVectors(kind, n, corpus, vectorOf, 1);
  const rows = new MemoryRows(made, agentsOf(n));
  const asked = makeVectors(kind, Number(values.queries), corpus, vectorOf, 2);
  const queries = Array.from({ length: Number(values.queries) }, (_, i) =>
    asked.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS),
  );
  const exact = exactSearch(rows, kind === "call");
  const questions = (name: string, filter: VectorFilter, passes: (i: number) => boolean, some = FILTERED): Asked => {
    const own = queries.slice(0, some);
    return { name, filter, queries: own, truth: own.map((query) => exact(query, passes)) };
  };
  const everything = [
    questions("all", {}, () => true, queries.length),
    ...Object.keys(SHARES).map((name) => questions(name, { agent_ids: [name] }, (i) => rows.agent[i] === name)),
    questions("10% by start", { from: 60_000 * n * 0.45, to: 60_000 * n * 0.55 }, (i) => {
      const at = (i + 1) * 60_000;
      return at >= 60_000 * n * 0.45 && at <= 60_000 * n * 0.55;
    }),
    questions(
      "50% by calls",
      { call_nos: Uint32Array.from({ length: n / 2 }, (_, i) => 2 * i + 1) },
      (i) => i % 2 === 0,
    ),
  ];

  const db = new Database({ url, pool: 4 });
  const client = new pg.Pool({ connectionString: url, max: 2 });
  try {
    await migrate(db);
    await db.get("SELECT make_partitions('202606', ?, ?)", AT, Date.UTC(2026, 6, 1));
    await client.query("INSERT INTO vector_spaces (space_id) VALUES ($1)", [SPACE]);
    const { put } = vectorTables(client, rows);
    for (let after = 0; after < n; after += LOAD) await put(kind, await rows.scan(kind, SPACE, after, LOAD));
    await client.query(CALLS, [n]);
    await client.query("VACUUM (ANALYZE)");

    const started = performance.now();
    const embedded = openVectors({ rows: makeVectorRows(db), spaceId: SPACE, log: console });
    await fill(embedded, makeVectorRows(db), kind, SPACE);
    const loaded = performance.now() - started;
    const inProcess = await searches((...q) => embedded.search(...q), kind, everything);
    const { bytes } = await embedded.describe();
    await embedded.close();

    await installPoints(db);
    const index = new PointIndex({ db, reads: db });
    const began = performance.now();
    const building = index.tend(SPACE, new AbortController().signal);
    let filled = 0;
    let step: IndexBuild["step"] | undefined = "rows";
    while (step === "rows") {
      step = (await index.progress(SPACE))?.step;
      filled = performance.now() - began;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await building;
    const whole = performance.now() - began;
    await client.query("VACUUM (ANALYZE)");
    const inDatabase = await searches(async (...q) => (await index.search(SPACE, ...q)) ?? [], kind, everything);
    const [size] = await ask<{ graph: number; table: number }>(
      url,
      `SELECT (pg_relation_size(to_regclass('earshot_points.' || graph)) / 1e6)::int AS graph,
        (pg_relation_size(to_regclass('earshot_points.' || kind)) / 1e6)::int AS table
        FROM earshot_points.spaces WHERE kind = $1`,
      [kind],
    );
    // Ten calls at a time, as enrichment saves them.
    const writing = performance.now();
    for (let after = 0; after < 500; after += 10) await put(kind, await rows.scan(kind, SPACE, after, 10));
    const written = performance.now() - writing;
    return {
      bench: "pgvector",
      rows: n,
      kind,
      k: 10,
      memory: values.memory,
      embedded: { load_s: seconds(loaded), mb: Math.round(bytes / 1e6), searches: inProcess },
      pgvector: {
        rows_s: seconds(filled),
        graph_s: seconds(whole - filled),
        table_mb: size?.table,
        graph_mb: size?.graph,
        write_ms_a_row: Number((written / 500).toFixed(2)),
        searches: inDatabase,
      },
    };
  } finally {
    await client.end();
    await db.close();
  }
}

function seconds(ms: number): number {
  return Number((ms / 1_000).toFixed(1));
}

const corpus = await readCorpus(dataSets(process.env));
const vectorOf = await embedCorpus(corpus);
const folder = mkdtempSync(join(tmpdir(), "earshot-bench-pgvector-"));
// The server may run as somebody else.
chmodSync(folder, 0o755);
try {
  const settings = ["shared_buffers = 1GB", "max_wal_size = 4GB", `maintenance_work_mem = ${values.memory}`];
  const server = await startPostgres(join(folder, "server"), "pgvector", settings);
  console.log(JSON.stringify(machine()));
  for (const kind of values.kinds.split(",")) {
    await ask(server.url("postgres"), `CREATE DATABASE ${kind}s`);
    console.log(JSON.stringify(await measure(kind === "segment" ? "segment" : "call", server.url(`${kind}s`))));
  }
} finally {
  stopPostgres(join(folder, "server"));
  rmSync(folder, { recursive: true, force: true });
}

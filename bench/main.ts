/**
 * npm run bench                    what there is
 * npm run bench -- NAME [options]  one bench: JSON lines on stdout, appended to bench/results/NAME.json
 * --no-save keeps a trial out of the results. docs/benchmarks.md is made from them by node bench/write-page.ts.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const COMPARED = ["get", "list", "agents", "recs", "recs-filtered", "post", "bulk", "mix", "feed", "paced"];
const COMPARE = "[--calls 200000 --seconds 5 --rounds 3 --alone --against FOLDER]";
const SCRIPTS: Readonly<Record<string, string>> = {
  growth: "get, list, agents and recs at 10,000, 100,000 and 1,000,000 calls [--sizes 10000,100000]",
  indexes: "the design notes' three queries with and without their four indexes [--sizes 200000,1000000]",
  lake: "the lake against rollups, full text and SQL over the store: time to write, bytes, ms a question [--calls 200000]",
  model: "sequences a second by length and graph, event-loop delay, memory, sentence-transformers [--texts 400]",
  enrich: "import and enrichment of persuasion-for-good, idle and while serving [FOLDER] [--rate 500]",
  vectors: "the vector index on real vectors [--rows 100000 --kind call|segment]",
  pgvector:
    "the index in PostgreSQL beside the embedded one, on the same real vectors [--rows 100000 --kinds call,segment --memory 1GB]",
  overload: "more than the server can do: what is answered, how fast, and what is refused [--calls 20000]",
  page: "first paint and first rows of the dashboard",
  "group-commit": "64 callers sharing a commit against one transaction a call [--calls 20000 --rounds 5 --rows 8000]",
  store: "writes of the store alone [rows] [bytes] [sqlite|postgres]",
  reads: "reads of the store alone [calls]",
  spread:
    "from a write to who follows the events, in the same and in another process, by the log and by Redis [--events 300]",
  dispatch:
    "from a write to another process that takes the work, and looks into the store, by sql: and by Redis, on SQLite and PostgreSQL [--calls 150]",
  live: "calls that go on: from a turn's POST to the socket that follows, alone and beside a bulk import [--calls 50]",
  sockets:
    "the feed to 1,000 and 10,000 sockets: memory, call to last client, messages a second; the peer [--beside 1000]",
  replica: "how fast a replica loads and catches up [--calls 20000]",
  kafka:
    "calls that come by Kafka until they are enriched, with one and two processes [--calls 10000 --store postgres]",
  retention: "what writers notice of the nightly retention [--calls 20000 --rate 200]",
  scale:
    "the same requests to 1 process on SQLite, 3 behind nginx, 3 on PostgreSQL and Redis [--calls 20000 --seconds 10 --rounds 3]",
  ramp: "a business day in minutes: the rate rises tenfold, holds, falls, while enrichment runs [--calls 20000 --minutes 10 --peak 250]",
  profile: "NAME of a row: flame graph and the top frames [get|list|agents|recs|recs-filtered|post|bulk|mix]",
};

const [name, ...given] = process.argv.slice(2);
const saves = !given.includes("--no-save") && name !== "profile";
const args = given.filter((a) => a !== "--no-save");
if (name === undefined) {
  console.log(`rows against the peer, ${COMPARE}:\n  ${COMPARED.join(" ")}\nothers:`);
  for (const [script, what] of Object.entries(SCRIPTS)) console.log(`  ${script.padEnd(12)} ${what}`);
} else if (COMPARED.includes(name)) {
  await run("compare", [name, ...args]);
} else if (name in SCRIPTS) {
  await run(name, args);
} else {
  console.error(`there is no bench ${name}`);
  process.exitCode = 2;
}

async function run(script: string, options: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, `${script}.ts`), ...options], {
    stdio: ["inherit", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (s: string) => {
    text += s;
    process.stdout.write(s);
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  process.exitCode = code ?? 1;
  if (code !== 0 || !saves) return;
  const lines = text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as unknown] : []));
  const folder = join(import.meta.dirname, "results");
  const path = join(folder, `${name}.json`);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as unknown[]) : [];
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout.trim();
  // Folders are the machine's own affair.
  const shown = options.filter((o) => !o.includes("/"));
  mkdirSync(folder, { recursive: true });
  const all = [...before, { at: new Date().toISOString(), commit, options: shown, lines }];
  writeFileSync(path, `[\n${all.map((r) => JSON.stringify(r)).join(",\n")}\n]\n`);
}

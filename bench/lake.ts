/**
 * What answers which question, and how fast, over the same seeded calls: sums kept at write time, full text, SQL over the
 * store's rows, and DuckDB over the lake; and what the lake costs: time to write, bytes. Decides docs/adr/0019.
 *   node bench/lake.ts [--calls 200000] [--rounds 7]
 */
import { copyFile, constants, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { openLake } from "../src/adapters/lake/open.ts";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { EVERYTHING } from "../src/core/call.ts";
import { agentAverages } from "../src/services/analytics.ts";
import { writeLake } from "../src/services/lake-writer.ts";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "200000" }, rounds: { type: "string", default: "7" } },
});
const calls = Number(values.calls);
const rounds = Number(values.rounds);
/** Of the two years that the seeded calls have. */
const [MONTH, MONTH_END] = ["2025-03-01", "2025-04-01"] as const;

const print = (line: Record<string, unknown>): void => console.log(JSON.stringify(line));
const round = (n: number): number => Math.round(n * 100) / 100;

/** The first time apart: nothing is in memory then. */
async function question(name: string, by: string, ask: () => unknown): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i <= rounds; i++) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
  }
  const [first = 0, ...rest] = took;
  const sorted = rest.toSorted((a, b) => a - b);
  print({
    question: name,
    by,
    calls,
    first_ms: round(first),
    ms: round(sorted[sorted.length >> 1] ?? 0),
    min_ms: round(sorted[0] ?? 0),
    max_ms: round(sorted.at(-1) ?? 0),
  });
}

const folder = await mkdtemp(join(tmpdir(), "earshot-bench-"));
try {
  print(machine());
  const path = join(folder, "earshot.db");
  await copyFile(await earshotDatabase({ calls }), path, constants.COPYFILE_FICLONE);
  const store = await openSqlite({
    path,
    timezone: "UTC",
    readers: 1,
    log: { info: () => undefined, warn: console.error },
  });
  const lake = await openLake({
    place: { kind: "folder", path: join(folder, "lake") },
    cacheFolder: folder,
    timezone: "UTC",
    now: Date.now,
  });
  const eye = new Database(path, { readonly: true });
  try {
    const cpu = process.cpuUsage();
    const began = performance.now();
    let longest = 0;
    let last = began;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last - 5);
      last = now;
    }, 5);
    const { rows } = await writeLake({ ...store, lake, terms: { log_id: "bench", timezone: "UTC", text: false } });
    const seconds = (performance.now() - began) / 1000;
    clearInterval(timer);
    const used = process.cpuUsage(cpu);
    const state = await lake.state();
    print({
      measure: "write",
      calls,
      rows,
      seconds: round(seconds),
      cpu_ms_a_call: round((used.user + used.system) / 1000 / calls),
      longest_wait_ms: round(longest),
      files: state.files,
      bytes: state.bytes,
      store_bytes: (await stat(path)).size,
    });

    const agents = { scope: EVERYTHING, rankMinimum: 5 };
    const sql = (text: string) => () => eye.prepare(text).all();
    const duck = (text: string) => () => lake.query(text);
    const perAgent = `SELECT agent_id, count(*) AS n, avg(customer_sentiment_score) AS s, avg(agent_talk_ratio) AS t FROM`;
    await question("means per agent, all time", "rollups", () => agentAverages(store, agents));
    await question(
      "means per agent, all time",
      "SQL over the store",
      sql(`${perAgent} call_records GROUP BY agent_id`),
    );
    await question("means per agent, all time", "the lake", duck(`${perAgent} calls GROUP BY agent_id`));

    const measures = ["customer_sentiment_score", "agent_talk_ratio"] as const;
    await question("means per agent, one month", "rollups", () =>
      store.rollups.agents({ scope: EVERYTHING, measures, from_day: MONTH, to_day: "2025-03-31" }),
    );
    await question(
      "means per agent, one month",
      "the lake",
      duck(`${perAgent} calls WHERE day >= '${MONTH}' AND day < '${MONTH_END}' GROUP BY agent_id`),
    );

    const words = { scope: EVERYTHING, filter: {}, limit: 20 };
    await question("20 turns with a rare word", "full text", () =>
      store.reads.keyword({ ...words, text: "router-07" }),
    );
    await question("20 turns with a word and another", "full text", () =>
      store.reads.keyword({ ...words, text: "frustrated invoice-21" }),
    );

    const quartiles = `SELECT language, date_trunc('month', start_time) AS month, count(*) AS n,
      quantile_cont(customer_sentiment_score, [0.25, 0.5, 0.75]) AS sentiment,
      avg(longest_monologue_words) AS monologue, corr(agent_question_rate, customer_sentiment_score) AS r
      FROM calls GROUP BY ALL ORDER BY ALL`;
    await question("quartiles and a correlation by language and month, 4 measures", "the lake", duck(quartiles));
    const position = `SELECT least(i, 40) AS turn, avg(s) AS sentiment FROM
      (SELECT unnest(turn_sentiment) AS s, generate_subscripts(turn_sentiment, 1) AS i FROM calls) GROUP BY ALL ORDER BY ALL`;
    await question("mean sentiment by place of the turn, all turns", "the lake", duck(position));
    await question(
      "means by hour of the day and language",
      "SQL over the store",
      sql(`SELECT language, (start_time / 3600000) % 24 AS hour, count(*) AS n, avg(customer_sentiment_score) AS s
        FROM call_records GROUP BY 1, 2`),
    );
    await question(
      "means by hour of the day and language",
      "the lake",
      duck(`SELECT language, hour(start_time) AS hour, count(*) AS n, avg(customer_sentiment_score) AS s
        FROM calls GROUP BY ALL`),
    );
  } finally {
    eye.close();
    await lake.close();
    await store.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

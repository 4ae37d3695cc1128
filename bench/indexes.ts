/**
 * The design notes claim what their four indexes gain: agent 25x, date range 20x, complex filter 25x. The same three
 * queries over the same rows of call_records, with these four and without them, in fresh SQLite files. The notes do not say
 * what their queries answer, so each is asked for a page (newest 20) and for the whole count.
 *   node bench/indexes.ts [--sizes 200000,1000000] [--queries 30]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { random } from "../test/support/call-rows.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: { sizes: { type: "string", default: "200000,1000000" }, queries: { type: "string", default: "30" } },
});
const queries = Number(values.queries);
const AGENTS = 100;
const DAY = 86_400_000;
const END = Date.UTC(2025, 5, 30);
const INDEXES = `
  CREATE INDEX idx_call_records_agent_id ON call_records (agent_id);
  CREATE INDEX idx_call_records_created_at ON call_records (created_at);
  CREATE INDEX idx_call_records_sentiment ON call_records (customer_sentiment_score);
  CREATE INDEX idx_call_records_composite ON call_records (agent_id, created_at, customer_sentiment_score);`;
const WHERE = {
  agent: "agent_id = @agent",
  dates: "created_at BETWEEN @from AND @to",
  complex: "agent_id = @agent AND created_at BETWEEN @from AND @to AND customer_sentiment_score BETWEEN @low AND @high",
} as const;
const CLAIMED = { agent: 25, dates: 20, complex: 25 } as const;
const ASKED = {
  page: (where: string) => `SELECT * FROM call_records WHERE ${where} ORDER BY created_at DESC LIMIT 20`,
  count: (where: string) => `SELECT count(*) FROM call_records WHERE ${where}`,
} as const;

type Connection = Database.Database;
const folder = mkdtempSync(join(tmpdir(), "earshot-bench-indexes-"));

/** Rows as narrow as Earshot keeps them: words and vectors live in other tables. */
function fill(path: string, rows: number): Connection {
  const db = new Database(path);
  db.pragma("journal_mode = OFF");
  db.pragma("cache_size = -65536");
  db.exec(`CREATE TABLE call_records (call_no INTEGER PRIMARY KEY, call_id TEXT, agent_id TEXT, customer_id TEXT,
    language TEXT, start_time INTEGER, created_at INTEGER, duration_seconds REAL, agent_talk_ratio REAL,
    customer_sentiment_score REAL)`);
  const insert = db.prepare("INSERT INTO call_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const next = random(3);
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) {
      const at = END - Math.floor(next() * 730 * DAY);
      const agent = `agent-${String(Math.floor(next() * AGENTS)).padStart(3, "0")}`;
      const customer = `cust-${Math.floor(next() * 20_000)}`;
      insert.run(i, `call-${i}`, agent, customer, "en", at, at + 60_000, 300, next(), next() + next() - 1);
    }
  })();
  return db;
}

function measure(db: Connection, sql: string): { p50_ms: number; plan: string } {
  const statement = db.prepare(sql);
  const next = random(9);
  const took: number[] = [];
  let plan = "";
  for (let i = 0; i < queries; i++) {
    const from = END - Math.floor((30 + next() * 700) * DAY);
    const low = -0.5 + next() * 0.5;
    const all = {
      agent: `agent-${String(Math.floor(next() * AGENTS)).padStart(3, "0")}`,
      from,
      to: from + 30 * DAY,
      low,
      high: low + 0.4,
    };
    const used = Object.fromEntries(Object.entries(all).filter(([name]) => sql.includes(`@${name}`)));
    plan ||= (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(used) as { detail: string }[])
      .map((r) => r.detail)
      .join("; ");
    const sent = performance.now();
    statement.all(used);
    took.push(performance.now() - sent);
  }
  took.sort((a, b) => a - b);
  return { p50_ms: Math.round((took[took.length >> 1] as number) * 1_000) / 1_000, plan };
}

console.log(JSON.stringify(machine()));
try {
  for (const rows of values.sizes.split(",").map(Number)) {
    const db = fill(join(folder, `${rows}.db`), rows);
    const ask = () =>
      Object.entries(WHERE).flatMap(([query, where]) =>
        Object.entries(ASKED).map(([kind, sql]) => ({ query, kind, ...measure(db, sql(where)) })),
      );
    // The first reading warms the cache.
    ask();
    const without = ask();
    db.exec(INDEXES);
    ask();
    for (const [i, w] of ask().entries()) {
      const before = without[i] as (typeof without)[number];
      console.log(
        JSON.stringify({
          rows,
          query: w.query,
          kind: w.kind,
          without_ms: before.p50_ms,
          with_ms: w.p50_ms,
          gain: Math.round((10 * before.p50_ms) / w.p50_ms) / 10,
          claimed: CLAIMED[w.query as keyof typeof CLAIMED],
          plan_without: before.plan,
          plan_with: w.plan,
        }),
      );
    }
    db.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}

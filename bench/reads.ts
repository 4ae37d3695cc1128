/**
 * What reading costs: by id, the lists the event loop answers, the lists reader threads answer, keyword search. Seeds a
 * file of its own, asks one question after the other, prints one JSON line (µs: p50, p99, and the mean).
 * Usage: node bench/reads.ts [calls=200000] [calls with searchable words=20000] [folder, kept]
 */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { bytes, packDocument } from "../src/adapters/sql/codec.ts";
import { type Connection, openForReading, openForWriting } from "../src/adapters/sql/connection.ts";
import { openReads } from "../src/adapters/sql/read-calls.ts";
import { listOnLoop, type ListQuery } from "../src/adapters/sql/read-list.ts";
import { ROW_COLUMNS } from "../src/adapters/sql/read-row.ts";
import { searchWordsOf } from "../src/adapters/sql/search-words.ts";
import { Statements } from "../src/adapters/sql/read-statements.ts";
import type { Insights, Provenance, Scope, Turn } from "../src/core/call.ts";
import { documentText } from "../src/core/call-document.ts";
import { type CallFilter, NEWEST_FIRST, type Sort } from "../src/core/list.ts";
import { MEASURE_NAMES } from "../src/core/measures.ts";
import { random as generator } from "../test/support/call-rows.ts";

const calls = Number(process.argv[2] ?? 200_000);
const worded = Math.min(calls, Number(process.argv[3] ?? 20_000));
const kept = process.argv[4];
const AGENTS = 200;
const TURNS = 24;
const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const DAYS = 730;

const WORDS =
  "the price of our product is quite high but we can offer a discount to customers who sign early this quarter while budget support integration and renewal stay open until the team has seen a demo of every module they asked about last week on the phone with somebody from accounting".split(
    " ",
  );
const random = generator(42);
const below = (n: number) => Math.floor(random() * n);

function makeBody() {
  const turns = Array.from(
    { length: TURNS },
    (_, i): Turn => ({
      turn_id: String(i),
      speaker: i % 2 === 0 ? "agent" : "customer",
      text: Array.from({ length: 6 + below(20) }, () => WORDS[below(WORDS.length)]).join(" "),
      start_ms: i * 9_000,
      end_ms: i * 9_000 + 8_000,
    }),
  );
  const made: Provenance = { method: "model", model: "all-MiniLM-L6-v2", version: "q8-1", computed_at: START };
  const insights: Insights = {
    measures: Object.fromEntries(MEASURE_NAMES.map((name) => [name, random()])) as Insights["measures"],
    reasons: {},
    turn_sentiment: turns.map(() => random() * 2 - 1),
    provenance: { sentiment: made, conversation: made, embedding: made },
  };
  return { turns, text: packDocument(documentText({ turns, insights }, true)) };
}

function seed(db: Connection): void {
  db.pragma("synchronous = OFF");
  const bodies = Array.from({ length: 500 }, makeBody);
  const row = db.prepare(
    `INSERT INTO call_records (${ROW_COLUMNS.join(", ")}, digest, in_full_text)
      VALUES (${ROW_COLUMNS.map(() => "?").join(", ")}, ?, ?)`,
  );
  const text = db.prepare("INSERT INTO call_texts (call_no, body) VALUES (?, ?)");
  const insights = db.prepare("INSERT INTO call_insights (call_no, body, contribution) VALUES (?, x'', '[]')");
  const words = searchWordsOf(db);
  const word = db.prepare("INSERT INTO turn_search (rowid, text) VALUES (?, ?)");
  const agent = db.prepare("INSERT INTO agents (agent_id, team) VALUES (?, ?)");
  const digest = bytes(new Uint8Array(32));
  db.transaction(() => {
    for (let a = 0; a < AGENTS; a++) agent.run(`agent-${a}`, `team-${a % 10}`);
    for (let i = 1; i <= calls; i++) {
      const body = bodies[i % bodies.length] as ReturnType<typeof makeBody>;
      const at = START + below(DAYS * DAY);
      const score = random() < 0.02 ? null : random() + random() - 1;
      const mine = [
        i,
        `call-${i}`,
        `agent-${below(AGENTS)}`,
        `customer-${below(20_000)}`,
        random() < 0.9 ? "en" : "de",
      ];
      const numbers = [at, at + 60_000, at + 90_000, 60 + below(1_800), random(), score];
      const state = [
        "open",
        1,
        "enriched",
        "model",
        "all-MiniLM-L6-v2",
        at + 90_000,
        null,
        digest,
        i <= worded ? 1 : 0,
      ];
      row.run(...mine, ...numbers, ...state);
      text.run(i, body.text);
      insights.run(i);
      if (i <= worded) for (const [t, turn] of body.turns.entries()) word.run(i * 32_768 + t, words.indexed(turn.text));
    }
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
}

const folder = kept ?? mkdtempSync(join(tmpdir(), "earshot-bench-reads-"));
const path = join(folder, "calls.db");
const began = performance.now();
if (!existsSync(path)) {
  const writer = openForWriting(path);
  seed(writer);
  writer.close();
}
const seconds = (performance.now() - began) / 1_000;

const db = openForReading(path);
const statements = new Statements(db);
const log = { warn: (fields: Record<string, unknown>, message: string) => console.error(message, fields) };
const opened = openReads({ path, db, readers: 2, log });
const { reads } = opened;
const everyone: Scope = { kind: "all" };

const round = (x: number) => Math.round(x * 10) / 10;

async function measure(times: number, ask: () => Promise<unknown>) {
  for (let i = 0; i < times / 5; i++) await ask();
  const took = new Float64Array(times);
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await ask();
    took[i] = (performance.now() - start) * 1_000;
  }
  took.sort();
  const at = (q: number) => round(took[Math.min(times - 1, Math.floor(q * times))] as number);
  return { p50: at(0.5), p99: at(0.99), mean: round(took.reduce((a, b) => a + b, 0) / times) };
}

const anyCall = () => `call-${1 + below(calls)}`;
const page = (limit: number, offset = 0) => ({ limit, offset, after: null });
const ninety = (): CallFilter => {
  const from_date = START + below((DAYS - 90) * DAY);
  return { from_date, to_date: from_date + 90 * DAY };
};
const band = (): CallFilter => {
  const min_sentiment = -0.8 + random();
  return { min_sentiment, max_sentiment: min_sentiment + 0.5 };
};
const anAgent = (): CallFilter => ({ agent_id: `agent-${below(AGENTS)}` });
const byScore: Sort = { field: "customer_sentiment_score", descending: false };

interface Question {
  readonly scope?: Scope;
  readonly filter: CallFilter;
  readonly sort?: Sort;
  readonly offset?: number;
  readonly total?: boolean;
}
const LISTS: Record<string, () => Question> = {
  "agent, 90 days, sentiment band": () => ({ filter: { ...anAgent(), ...ninety(), ...band() } }),
  "agent, 90 days": () => ({ filter: { ...anAgent(), ...ninety() } }),
  agent: () => ({ filter: anAgent() }),
  "90 days": () => ({ filter: ninety() }),
  "no filter": () => ({ filter: {} }),
  "no filter, no total": () => ({ filter: {}, total: false }),
  "no filter, offset 9,000, no total": () => ({ filter: {}, total: false, offset: 9_000 }),
  "no filter, by sentiment": () => ({ filter: {}, sort: byScore }),
  "agent, by sentiment": () => ({ filter: anAgent(), sort: byScore }),
  "sentiment band": () => ({ filter: band() }),
  "90 days, sentiment band": () => ({ filter: { ...ninety(), ...band() } }),
  team: () => ({ filter: {}, scope: { kind: "team", team: `team-${below(10)}` } }),
  "team, 90 days, by sentiment": () => ({ filter: ninety(), sort: byScore, scope: { kind: "team", team: "team-3" } }),
  language: () => ({ filter: { language: "de" } }),
  "rare: short calls with talk ratio below 1 %": () => ({ filter: { max_duration: 90, max_talk_ratio: 0.01 } }),
};

const lists: Record<string, unknown> = {};
for (const [name, make] of Object.entries(LISTS)) {
  const query = (): ListQuery => {
    const { scope = everyone, filter, sort = NEWEST_FIRST, offset = 0, total = true } = make();
    return { scope, filter, sort, page: page(20, offset), total };
  };
  const place = listOnLoop(statements, query()) === "thread" ? "thread" : "loop";
  lists[name] = { place, ...(await measure(place === "loop" ? 1_000 : 200, () => reads.list(query()))) };
}

const byId = {
  row: await measure(10_000, () => reads.row(anyCall(), everyone)),
  "get, words not read": await measure(10_000, () => reads.get(anyCall(), everyone)),
  "get, document": await measure(10_000, async () => (await reads.get(anyCall(), everyone))?.document),
  "get, turns and insights parsed": await measure(10_000, async () => {
    const call = await reads.get(anyCall(), everyone);
    return [call?.turns, call?.insights];
  }),
};

const search = (text: string, filter: CallFilter = {}) =>
  measure(20, () => reads.keyword({ scope: everyone, text, filter, limit: 50 }));
const keyword = {
  "two words": await search("accounting module"),
  "one word of 30 % of the turns": await search("discount"),
  "two words, one agent": await search("accounting module", { agent_id: "agent-7" }),
};
const numbers = {
  "language de": await measure(20, () =>
    reads.numbers({ scope: everyone, filter: { language: "de" }, limit: 2 ** 31 }),
  ),
  "duration band": await measure(20, () =>
    reads.numbers({ scope: everyone, filter: { min_duration: 100, max_duration: 130 }, limit: 2 ** 31 }),
  ),
};

await opened.close();
db.close();
console.log(
  JSON.stringify({
    bench: "reads",
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30) },
    node: process.version,
    calls,
    worded_calls: worded,
    turns_a_call: TURNS,
    agents: AGENTS,
    seed_seconds: round(seconds),
    file_mb: Math.round(statSync(path).size / 2 ** 20),
    by_id: byId,
    lists,
    keyword,
    numbers,
  }),
);
if (kept === undefined) rmSync(folder, { recursive: true });

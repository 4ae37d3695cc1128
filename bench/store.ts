/**
 * Writes a second: single accepts of calls that have just ended from 64 callers at once, and bulk accepts of calls of
 * the last 90 days, in no order, in batches of 1,000, into a fresh SQLite file or a fresh PostgreSQL on this machine.
 * Prints one JSON line. Usage: node bench/store.ts [rows=20000] [bytes of text a call=3000] [sqlite|postgres]
 */
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { openPostgres } from "../src/adapters/sql/postgres/open.ts";
import type { Store } from "../src/adapters/sql/store.ts";
import type { AcceptedCall, Turn } from "../src/core/call.ts";
import { PRIORITY } from "../src/ports/calls.ts";
import { ask, startPostgres, stopPostgres } from "../test/support/postgres-server.ts";

const rows = Number(process.argv[2] ?? 20_000);
const bytes = Number(process.argv[3] ?? 3_000);
const engine = process.argv[4] ?? "sqlite";
const CALLERS = 64;
const BATCH = 1_000;
const BATCHES_AT_ONCE = 3;

const WORDS =
  "the price of our product is quite high but we can offer a discount to customers who sign early this quarter while budget support integration and renewal stay open until the team has seen a demo".split(
    " ",
  );
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return seed / 2 ** 32;
};

function makeTurns(): Turn[] {
  const turns: Turn[] = [];
  let left = bytes;
  while (left > 0) {
    const text = Array.from({ length: 18 }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");
    turns.push({
      turn_id: String(turns.length),
      speaker: turns.length % 2 === 0 ? "agent" : "customer",
      text,
      start_ms: null,
      end_ms: null,
    });
    left -= text.length;
  }
  return turns;
}

const texts = Array.from({ length: 500 }, makeTurns);

function makeCall(prefix: string, i: number): AcceptedCall {
  return {
    call_id: `${prefix}-${i}`,
    agent_id: `agent-${i % 50}`,
    customer_id: `customer-${i % 5_000}`,
    language: "en",
    start_time: Date.now() - (prefix === "single" ? 300_000 : Math.floor(random() * 90 * 86_400_000)),
    duration_seconds: 300,
    outcome: null,
    turns: texts[i % texts.length] as Turn[],
    digest: (i + (prefix === "bulk" ? 2 ** 40 : 0)).toString(16).padStart(64, "0"),
  };
}

async function together(callers: number, next: () => Promise<unknown> | null): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let one = next(); one; one = next()) await one;
    }),
  );
}

const folder = mkdtempSync(join(tmpdir(), "earshot-bench-"));
const log = { info: () => undefined, warn: console.error };

/** A store of the engine, how large it is, and what stops what was started for it. */
async function open(): Promise<{ store: Store; size: () => Promise<number>; stop: () => void }> {
  if (engine === "sqlite") {
    const path = join(folder, "store.db");
    const store = await openSqlite({ path, timezone: "UTC", readers: 1, log });
    return { store, size: async () => statSync(path).size, stop: () => undefined };
  }
  chmodSync(folder, 0o755);
  const server = await startPostgres(join(folder, "postgres"));
  await ask(server.url("postgres"), "CREATE DATABASE earshot");
  const url = server.url("earshot");
  const store = await openPostgres({ url, pool: 10, timezone: "UTC", log });
  const size = async () => {
    const sql = "SELECT pg_database_size(current_database())::float8 AS bytes";
    return (await ask<{ bytes: number }>(url, sql))[0]?.bytes ?? 0;
  };
  return { store, size, stop: () => stopPostgres(server.folder) };
}

const { store, size, stop } = await open();
try {
  const before = store.commits();
  let i = 0;
  let began = performance.now();
  let slowest = 0;
  await together(CALLERS, () => {
    if (i >= rows) return null;
    const sent = performance.now();
    const one = store.calls.accept([makeCall("single", i++)], PRIORITY.single);
    return one.finally(() => {
      slowest = Math.max(slowest, performance.now() - sent);
    });
  });
  const single_s = (performance.now() - began) / 1_000;
  const commits = store.commits() - before;

  i = 0;
  began = performance.now();
  await together(BATCHES_AT_ONCE, () => {
    if (i >= rows) return null;
    const batch = Array.from({ length: Math.min(BATCH, rows - i) }, () => makeCall("bulk", i++));
    return store.calls.accept(batch, PRIORITY.bulk);
  });
  const bulk_s = (performance.now() - began) / 1_000;
  console.log(
    JSON.stringify({
      bench: "store",
      engine,
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30) },
      node: process.version,
      rows,
      text_bytes: bytes,
      single: {
        callers: CALLERS,
        rows_a_second: Math.round(rows / single_s),
        rows_a_commit: Math.round((rows / commits) * 10) / 10,
        slowest_ms: Math.round(slowest),
      },
      bulk: { batch: BATCH, rows_a_second: Math.round(rows / bulk_s) },
      file_bytes_a_call: Math.round((await size()) / (2 * rows)),
    }),
  );
} finally {
  await store.close();
  stop();
  rmSync(folder, { recursive: true, force: true });
}

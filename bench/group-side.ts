/**
 * One side of group-commit.ts: node bench/group-side.ts DATABASE CALLS "grouped"|"one by one". Opens a copy of the database
 * and, for each number it is sent, accepts so many calls from 64 callers (0: two seconds of reads alone) and answers with
 * what was measured; "stop" ends it.
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { type AcceptedCall, EVERYTHING } from "../src/core/call.ts";
import { PRIORITY } from "../src/ports/calls.ts";
import { normalizeCall } from "../src/services/accept.ts";
import { random } from "../test/support/call-rows.ts";
import { seedOf } from "./seeded-calls.ts";

const CALLERS = 64;
const READ_EVERY_MS = 2;
const IDLE_MS = 2_000;
const [database = "", count = "0", label = ""] = process.argv.slice(2);
const calls = Number(count);
const folder = mkdtempSync(join(resolve(import.meta.dirname, "../.cache/bench"), "group-"));
const path = join(folder, "calls.db");
copyFileSync(database, path);
const log = { info: () => undefined, warn: console.error };
const alone = label === "one by one";
const store = await openSqlite({ path, timezone: "UTC", readers: 1, log, ...(alone && { group_rows: 1 }) });

const next = random(7);
const seed = seedOf(calls);
const seeded = [...seed.calls()].slice(0, 2_000);
let made = 0;

function makeCall(): AcceptedCall {
  const { agent_id, customer_id, language, duration_seconds, body } = seeded[
    made % seeded.length
  ] as (typeof seeded)[number];
  const normalized = normalizeCall(
    {
      call_id: `group-${made++}`,
      agent_id,
      customer_id,
      language,
      start_time: new Date(Date.now() - duration_seconds * 1_000).toISOString(),
      duration_seconds,
      transcript: seed.texts[body]?.join("\n"),
    },
    { now: Date.now() },
  );
  if (!normalized.ok) throw new Error(JSON.stringify(normalized.errors));
  return normalized.call;
}

/** Reads a call every 2 ms until told to stop; milliseconds from when each was due, ascending. */
function readMeanwhile(): () => Promise<number[]> {
  const took: number[] = [];
  let over = false;
  const reading = (async () => {
    const began = performance.now();
    for (let i = 1; !over; i++) {
      const due = began + i * READ_EVERY_MS;
      if (due - performance.now() > 1) await pause(due - performance.now());
      // A timer may be early.
      while (performance.now() < due) await nextTurn();
      await store.reads.get(`call-${String(Math.floor(next() * calls)).padStart(7, "0")}`, EVERYTHING);
      took.push(performance.now() - due);
    }
  })();
  return async () => {
    over = true;
    await reading;
    return took.toSorted((a, b) => a - b);
  };
}

async function pass(rows: number) {
  const batch = Array.from({ length: rows }, makeCall);
  const commits = store.commits();
  const reads = readMeanwhile();
  const began = performance.now();
  let failed = 0;
  if (rows === 0) await pause(IDLE_MS);
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let call = batch.pop(); call; call = batch.pop()) {
        const [result] = await store.calls.accept([call], PRIORITY.single);
        if (result?.status !== "accepted") failed++;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  const took = await reads();
  const at = (q: number) => Math.round((took[Math.floor(q * (took.length - 1))] as number) * 1_000) / 1_000;
  return {
    rows,
    rows_per_s: Math.round(rows / seconds),
    commits: store.commits() - commits,
    read_p50_ms: at(0.5),
    read_p99_ms: at(0.99),
    failed,
  };
}

if (!process.send) throw new Error("group-side.ts is started by group-commit.ts");
const answer = process.send.bind(process);
process.on("message", (told: number | "stop") => {
  void (async () => {
    if (told !== "stop") {
      answer(await pass(told));
      return;
    }
    await store.close();
    rmSync(folder, { recursive: true });
    process.disconnect?.();
  })();
});
answer("ready");

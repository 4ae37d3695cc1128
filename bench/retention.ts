/**
 * What writers notice of the nightly retention: single accepts, open loop, on the store alone, in turn with and without a
 * purge of old calls running as in the night; and then while the full text of the erased calls is dropped. Latency counts from
 * when a write was due.
 *   node bench/retention.ts [--calls 20000] [--rate 200] [--seconds 4] [--rounds 6]
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openForWriting } from "../src/adapters/sql/connection.ts";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { PRIORITY } from "../src/ports/calls.ts";
import { aCall } from "../test/support/sqlite-store.ts";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "6" },
  },
});
const calls = Number(values.calls);
const rate = Number(values.rate);
const writes = rate * Number(values.seconds);
const DAY_MS = 86_400_000;
const KEPT_DAYS = 730;
const TURNS = Array.from({ length: 42 }, (_, i) => `turn ${i}: what would that cost us in the first year`);

const seeded = await earshotDatabase({ calls });
const folder = mkdtempSync(join(dirname(seeded), "retention-"));
const path = join(folder, "calls.db");
copyFileSync(seeded, path);
const aged = openForWriting(path);
aged.prepare("UPDATE call_records SET created_at = created_at - ?").run(2 * KEPT_DAYS * DAY_MS);
// They have been there for long: the first new call begins the next part of the full text.
aged.prepare("UPDATE full_text_parts SET opened_at = opened_at - ?").run(2 * KEPT_DAYS * DAY_MS);
aged.pragma("wal_checkpoint(TRUNCATE)");
aged.close();

const log = { info: () => undefined, warn: console.error };
const store = await openSqlite({ path, timezone: "UTC", readers: 1, log });
let made = 0;

/** Latencies in ms of single accepts at a steady rate. */
async function ingest(): Promise<number[]> {
  const began = performance.now();
  const found: Promise<number>[] = [];
  for (let i = 0; i < writes; i++) {
    const due = began + (i * 1_000) / rate;
    if (due > performance.now()) await pause(due - performance.now());
    const digest = made.toString(16).padStart(64, "0");
    const call = aCall(`new-${made++}`, { digest }, TURNS);
    found.push(store.calls.accept([call], PRIORITY.single).then(() => performance.now() - due));
  }
  return Promise.all(found);
}

function summary(found: readonly number[]): { n: number; p50: number; p95: number; p99: number } {
  const sorted = found.toSorted((a, b) => a - b);
  const at = (q: number): number => Math.round((sorted[Math.floor(q * sorted.length)] ?? 0) * 100) / 100;
  return { n: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

console.log(JSON.stringify(machine()));
try {
  const before: number[] = [];
  const meanwhile: number[] = [];
  let erased = 0;
  let purging_ms = 0;
  // The first writes meet cold caches.
  await ingest();
  for (let round = 0; round < Number(values.rounds); round++) {
    before.push(...(await ingest()));
    const stopping = new AbortController();
    const began = performance.now();
    const purge = store.calls.purge(Date.now() - KEPT_DAYS * DAY_MS, {
      signal: stopping.signal,
      recurring: true,
      onProgress: (done) => {
        if (done >= calls) stopping.abort();
      },
    });
    meanwhile.push(...(await ingest()));
    purging_ms += performance.now() - began;
    stopping.abort();
    erased += await purge;
  }
  // All the other old calls at once, which nobody is to notice.
  const rest = new AbortController();
  const left = await store.calls.receivedBefore(Date.now() - KEPT_DAYS * DAY_MS);
  await store.calls.purge(Date.now() - KEPT_DAYS * DAY_MS, {
    hurry: true,
    recurring: true,
    signal: rest.signal,
    onProgress: (done) => {
      if (done >= left) rest.abort();
    },
  });
  // The disk has to write that first: what writers are used to is measured anew.
  const calm: number[] = [];
  for (let round = 0; round < 3; round++) calm.push(...(await ingest()));
  let dropping = true;
  const drops = store.calls.purge(Date.now() - KEPT_DAYS * DAY_MS, { recurring: true }).then(() => (dropping = false));
  const began = performance.now();
  const duringDrop: number[] = [];
  while (dropping) duringDrop.push(...(await ingest()));
  await drops;
  const [idle, purging] = [summary(before), summary(meanwhile)];
  console.log(
    JSON.stringify({
      retention: "single accepts",
      calls,
      rate,
      idle,
      purging,
      p99_ratio: Math.round((purging.p99 / idle.p99) * 100) / 100,
      erased,
      erased_per_second: Math.round((erased / purging_ms) * 10_000) / 10,
    }),
  );
  const [calmly, dropped] = [summary(calm), summary(duringDrop)];
  console.log(
    JSON.stringify({
      retention: "single accepts while the full text of the erased calls is dropped",
      calls,
      rate,
      idle: calmly,
      dropping: dropped,
      p99_ratio: Math.round((dropped.p99 / calmly.p99) * 100) / 100,
      seconds: Math.round((performance.now() - began) / 100) / 10,
    }),
  );
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type OpenedModels, type OpenModelsOptions, openModels } from "../../src/adapters/models/open-models.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { pollingDispatch } from "../../src/adapters/sql/polling-dispatch.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import { nightly } from "../../src/services/nightly.ts";
import { type Loop, type LoopDeps, startLoop } from "../../src/worker/loop.ts";
import { modelDataDir, modelDir } from "../support/model.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
let models: OpenedModels;
let loop: Loop;
const clock = { now: Date.UTC(2026, 4, 4, 12) };

const loopDeps = (): LoopDeps => ({
  ...store,
  dispatch: pollingDispatch(store),
  models,
  metrics: createMetrics(store.work),
  log: pino({ level: "silent" }),
  now: () => clock.now,
  random: () => 0,
});

async function openFaulty(limits: OpenModelsOptions["limits"] = {}): Promise<OpenedModels> {
  const opened = openModels({
    modelDir: await modelDir(),
    dataDir: modelDataDir(),
    threads: 1,
    autoPull: false,
    limits,
    threadScript: pathToFileURL(join(import.meta.dirname, "../support/faulty-model-thread.ts")),
  });
  await opened.settled();
  return opened;
}

beforeAll(async () => {
  models = await openFaulty();
});

beforeEach(async () => {
  place = temporary();
  store = await openQuiet(place.path, { now: () => clock.now });
  loop = startLoop(loopDeps(), { lanes: 0 });
});

afterEach(async () => {
  await loop.stop();
  await store.close();
  place.remove();
});

afterAll(() => models.close());

const state = async (call_id: string) => (await store.reads.row(call_id, EVERYTHING))?.state;

test("a poison call dies after five tries; its neighbours are enriched at once; redrive gives it new tries", async () => {
  const calls = [aCall("good-1"), aCall("poison", {}, ["hello", "<throw> this"]), aCall("good-2")];
  await store.calls.accept(calls, PRIORITY.single);
  expect(await loop.tick()).toBe(3);
  expect([await state("good-1"), await state("good-2")]).toEqual(["enriched", "enriched"]);
  for (let attempt = 2; attempt <= 5; attempt++) {
    // Not before its pause is over, then once.
    expect(await loop.tick()).toBe(0);
    clock.now += 60_000;
    expect(await loop.tick()).toBe(1);
  }
  expect(await state("poison")).toBe("dead");
  expect(await store.work.dead(10, EVERYTHING)).toMatchObject([{ call_id: "poison", attempts: 5 }]);
  clock.now += 3_600_000;
  expect(await loop.tick()).toBe(0);

  expect(await store.work.redrive("poison", EVERYTHING)).toBe(1);
  await store.calls.replace(aCall("poison", { digest: "cd".repeat(32) }, ["hello", "all is well"]), PRIORITY.single);
  expect(await loop.tick()).toBe(1);
  expect(await state("poison")).toBe("enriched");
});

test("a call that ends its workers is given up in the end, also if none of them ever says why", async () => {
  await store.calls.accept([aCall("ender"), aCall("other")], PRIORITY.single);
  const LEASE = 15_000;
  for (let i = 1; i <= 25; i++) {
    const taken = await store.work.take(1, `killed-${i}`, LEASE);
    expect(taken).toMatchObject([{ call_id: "ender", attempts: i }]);
    clock.now += LEASE + 1;
  }
  expect(await loop.tick()).toBe(2);
  expect(await store.work.dead(10, EVERYTHING)).toMatchObject([
    { call_id: "ender", attempts: 26, error: "taken 25 times by workers that ended without a word" },
  ]);
  expect(await state("other")).toBe("enriched");
});

test("a text that changed while it was being enriched is enriched again, as it is now", async () => {
  await store.calls.accept([aCall("a", {}, ["hello", "this is terrible and I am angry"])], PRIORITY.single);
  const [item] = await store.work.take(1, "somebody else", 60_000);
  expect(item?.call_id).toBe("a");
  await store.calls.replace(
    aCall("a", { digest: "cd".repeat(32) }, ["hello", "this is wonderful, thank you so much"]),
    PRIORITY.single,
  );
  expect(await loop.tick()).toBe(1);
  const row = await store.reads.row("a", EVERYTHING);
  expect(row).toMatchObject({ state: "enriched", revision: 2 });
  expect(row?.customer_sentiment_score).toBeGreaterThan(0.3);
});

test("work that hangs at a stop is given back, without counting as a try", async () => {
  await store.calls.accept([aCall("stuck", {}, ["hello", "<hang> there"])], PRIORITY.single);
  // Closing waits as long for a thread that hangs as a call would.
  const hung = await openFaulty({ deadlineMs: 3_000 });
  const hasty = startLoop({ ...loopDeps(), models: hung }, { lanes: 1, stop_ms: 50 });
  await expect.poll(() => state("stuck"), { timeout: 10_000, interval: 10 }).toBe("running");
  await hasty.stop();
  expect(await store.work.depth()).toMatchObject({ ready: 1, running: 0 });
  expect(await store.work.take(1, "next", 1_000)).toMatchObject([{ call_id: "stuck", attempts: 1 }]);
  await hung.close();
});

test("the night's work runs once a local day, after three o'clock, by one process", async () => {
  const done: string[] = [];
  let pruned = 0;
  const expired: number[] = [];
  const run = (now: number) =>
    nightly({
      jobs: store.jobs,
      timezone: "America/New_York",
      now: () => now,
      expire: async () => void expired.push(now),
      recalculate: async () => void done.push(new Date(now).toISOString()),
      idempotency: { prune: async () => ++pruned },
      pruneEvents: async (before) => (expect(before).toBe(now - 7 * 86_400_000), 0),
      onError: (error) => expect.unreachable(String(error)),
    });
  expect(await run(Date.UTC(2026, 4, 4, 12))).toBe(false);
  // 02:30 in New York.
  expect(await run(Date.UTC(2026, 4, 5, 6, 30))).toBe(false);
  expect(await run(Date.UTC(2026, 4, 5, 7, 30))).toBe(true);
  expect(await run(Date.UTC(2026, 4, 5, 8, 30))).toBe(false);
  // A machine that was off for two days.
  expect(await run(Date.UTC(2026, 4, 8, 20))).toBe(true);
  expect(pruned).toBe(2);
  expect(done).toEqual(["2026-05-05T07:30:00.000Z", "2026-05-08T20:00:00.000Z"]);
  expect(expired).toHaveLength(2);
});

/** A night in UTC whose work is counted and does nothing else. */
const aNight = (jobs: SqliteStore["jobs"], now: number, count: () => void) =>
  nightly({
    jobs,
    timezone: "UTC",
    now: () => now,
    expire: async () => undefined,
    recalculate: async () => count(),
    idempotency: { prune: async () => 0 },
    pruneEvents: async () => 0,
    onError: (error) => expect.unreachable(String(error)),
  });

const hours = (n: number): number => Date.UTC(2026, 4, 4) + n * 3_600_000;

test("a clock that is put back or ahead by two hours does not make the night's work run twice", async () => {
  let runs = 0;
  const run = (now: number) => aNight(store.jobs, now, () => runs++);
  await store.jobs.setBookmark("nightly.day", "2026-05-01");
  expect(await run(hours(4))).toBe(true);
  expect(await run(hours(2))).toBe(false);
  expect(await run(hours(4.5))).toBe(false);
  // 01:30 of the next day, put ahead to 03:30, back to 01:30, and over midnight back.
  expect(await run(hours(25.5))).toBe(false);
  expect(await run(hours(27.5))).toBe(true);
  expect(await run(hours(25.5))).toBe(false);
  expect(await run(hours(23.5))).toBe(false);
  expect(await run(hours(27.6))).toBe(false);
  expect(runs).toBe(2);
  // Years ahead by mistake, then right again: not silent for years.
  await store.jobs.setBookmark("nightly.day", "2037-01-01");
  expect(await run(hours(28))).toBe(true);
  expect(await run(hours(29))).toBe(false);
});

test("of two that find the night's work undone at the same moment one does it", async () => {
  const second = await openQuiet(place.path, { now: () => clock.now });
  try {
    let runs = 0;
    const run = (jobs: SqliteStore["jobs"], now: number) => aNight(jobs, now, () => runs++);
    const both = (now: number) => Promise.all([run(store.jobs, now), run(second.jobs, now)]);
    expect(await both(hours(4))).toEqual([false, false]);
    for (let night = 1; night <= 5; night++) {
      expect((await both(hours(24 * night + 4))).toSorted()).toEqual([false, true]);
    }
    expect(runs).toBe(5);
  } finally {
    await second.close();
  }
});

test("a part of the night's work that fails does not keep the others from theirs", async () => {
  const done: string[] = [];
  const errors: unknown[] = [];
  await store.jobs.setBookmark("nightly.day", "2026-05-01");
  const ran = await nightly({
    jobs: store.jobs,
    timezone: "UTC",
    now: () => Date.UTC(2026, 4, 4, 12),
    expire: () => Promise.reject(new Error("no")),
    recalculate: async () => void done.push("recalculate"),
    idempotency: { prune: () => Promise.reject(new Error("no")) },
    pruneEvents: () => Promise.reject(new Error("no")),
    onError: (error) => errors.push(error),
  });
  expect([ran, done, errors.length]).toEqual([true, ["recalculate"], 3]);
});

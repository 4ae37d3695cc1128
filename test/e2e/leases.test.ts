/** What a worker holds, over the real store: who holds it, how long, and what becomes of it. */
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { createMetrics, type Metrics } from "../../src/observe/metrics.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { WorkItem } from "../../src/ports/work.ts";
import { backoff, type LeaseDeps, makeLeases } from "../../src/worker/leases.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

const LEASE = 15_000;

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
let metrics: Metrics;
let lines: string[];
const clock = { now: 0 };

beforeEach(async () => {
  place = temporary();
  clock.now = Date.UTC(2026, 4, 4, 12);
  store = await openQuiet(place.path, { now: () => clock.now });
  metrics = createMetrics(store.work);
  lines = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await store.close();
  place.remove();
});

const leasesOf = (worker_id: string, more: Partial<LeaseDeps> = {}) =>
  makeLeases(
    {
      work: store.work,
      metrics,
      log: pino({ level: "info" }, { write: (line: string) => void lines.push(line) }),
      now: () => clock.now,
      random: () => 0,
      ...more,
    },
    worker_id,
  );

const accept = (...ids: string[]) =>
  store.calls.accept(
    ids.map((id) => aCall(id)),
    PRIORITY.single,
  );
const ids = (items: readonly WorkItem[]) => items.map((item) => item.call_id);
const state = async (call_id: string) => (await store.reads.row(call_id, EVERYTHING))?.state;
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

/** Puts the clock and the timers of renewal ahead, and is through when what they sent is on disk. */
async function pass(ms: number): Promise<void> {
  clock.now += ms;
  vi.advanceTimersByTime(ms);
  await store.work.release([-1], "nobody");
}

test("takes a batch of eight at most, and nothing of another worker's", async () => {
  await accept(...Array.from({ length: 9 }, (_, i) => `c${i}`));
  const first = await leasesOf("w").take();
  expect([first.taken, ids(first.items)]).toEqual([8, ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"]]);
  expect(ids((await leasesOf("v").take()).items)).toEqual(["c8"]);
  expect(await leasesOf("w").take()).toEqual({ taken: 0, items: [] });
});

test("a lease that nobody renews is another's after fifteen seconds", async () => {
  await accept("a");
  await leasesOf("killed").take();
  clock.now += LEASE;
  expect(await leasesOf("next").take()).toMatchObject({ taken: 0 });
  clock.now += 1;
  expect(ids((await leasesOf("next").take()).items)).toEqual(["a"]);
});

test("leases are renewed three times in each as long as the work goes on, and no longer", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await accept("a", "b");
  const leases = leasesOf("w");
  const { items } = await leases.take();
  const work = Promise.withResolvers<string>();
  const busy = leases.during(items, () => work.promise);
  await pass(LEASE / 3);
  // The next two are lost.
  clock.now += LEASE;
  expect(await leasesOf("v").take()).toMatchObject({ taken: 0 });
  for (let i = 0; i < 9; i++) await pass(LEASE / 3);
  expect(await leasesOf("v").take()).toMatchObject({ taken: 0 });
  work.resolve("done");
  expect(await busy).toBe("done");
  await pass(LEASE + 1);
  expect(ids((await leasesOf("v").take()).items)).toEqual(["a", "b"]);
  expect(lines).toEqual([]);
});

test("work that throws ends its renewal too, and passes its error on", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await accept("a");
  const leases = leasesOf("w");
  const { items } = await leases.take();
  await expect(leases.during(items, () => Promise.reject(new Error("no store")))).rejects.toThrow("no store");
  await pass(LEASE + 1);
  expect(ids((await leasesOf("v").take()).items)).toEqual(["a"]);
});

test("work goes on while leases cannot be renewed, and the log says so", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await accept("a");
  const closed = await openQuiet(place.path, { now: () => clock.now });
  await closed.close();
  const leases = leasesOf("w", { work: { ...store.work, renew: (...lease) => closed.work.renew(...lease) } });
  const { items } = await leases.take();
  const work = Promise.withResolvers<string>();
  const busy = leases.during(items, () => work.promise);
  await pass(LEASE / 3);
  work.resolve("done");
  expect(await busy).toBe("done");
  expect(logged()).toMatchObject([{ msg: "leases could not be renewed", error: { code: "shutting_down" } }]);
});

test("what fails is tried again after a pause, and dead after its fifth try; each is counted and logged", async () => {
  await accept("poison", "good");
  const leases = leasesOf("w");
  for (let attempt = 1; attempt <= 5; attempt++) {
    const [item] = (await leases.take()).items;
    expect(item).toMatchObject({ call_id: "poison", attempts: attempt });
    await leases.fail(item ? [{ item, reason: `reason ${attempt}` }] : []);
    if (attempt === 5) break;
    expect(await state("poison")).toBe("pending");
    clock.now += backoff(attempt, () => 0) - 1;
    expect(await leases.take()).toMatchObject({ taken: 0 });
    clock.now += 1;
  }
  expect(await store.work.dead(10, EVERYTHING)).toMatchObject([
    { call_id: "poison", attempts: 5, error: "reason 5", at: clock.now },
  ]);
  expect(logged()).toMatchObject(
    [1, 2, 3, 4, 5].map((attempts) => ({
      msg: "enrichment failed",
      call_id: "poison",
      attempts,
      dead: attempts === 5,
      error: `reason ${attempts}`,
    })),
  );
  const scraped = await metrics.scrape();
  expect(scraped).toContain('earshot_enrichment_failures_total{outcome="retry"} 4');
  expect(scraped).toContain('earshot_enrichment_failures_total{outcome="dead"} 1');
  expect(await state("good")).toBe("running");
});

test("what ended twenty-five workers is given up when it is taken, and the others of its batch are not", async () => {
  await accept("ender", "other");
  for (let i = 1; i <= 25; i++) {
    expect(await store.work.take(1, `killed-${i}`, LEASE)).toMatchObject([{ call_id: "ender", attempts: i }]);
    clock.now += LEASE + 1;
  }
  const { taken, items } = await leasesOf("w").take();
  expect([taken, ids(items)]).toEqual([2, ["other"]]);
  expect([await state("ender"), await state("other")]).toEqual(["dead", "running"]);
  expect(await store.work.dead(10, EVERYTHING)).toMatchObject([
    { call_id: "ender", error: "taken 25 times by workers that ended without a word" },
  ]);
});

test("what was taken twenty-five times is still tried", async () => {
  await accept("unlucky");
  for (let i = 1; i <= 24; i++) {
    await store.work.take(1, `killed-${i}`, LEASE);
    clock.now += LEASE + 1;
  }
  expect(ids((await leasesOf("w").take()).items)).toEqual(["unlucky"]);
});

test("what is given back is ready at once, and was no try", async () => {
  await accept("a", "b");
  const leases = leasesOf("w");
  const [a] = (await leases.take()).items;
  await leases.giveBack(a ? [a] : []);
  expect((await leasesOf("v").take()).items).toMatchObject([{ call_id: "a", attempts: 1 }]);
  expect([await state("a"), await state("b")]).toEqual(["running", "running"]);
});

test("pauses between tries double, stay under a minute and are jittered by half", () => {
  expect([1, 2, 3].map((n) => backoff(n, () => 1))).toEqual([500, 1_000, 2_000]);
  expect(backoff(30, () => 1)).toBe(60_000);
  expect(backoff(3, () => 0)).toBe(1_000);
});

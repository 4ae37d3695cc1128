/** What a rebuild of SQLite's sums finds and leaves, also where another one ended half way. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { aCall, enriched, openQuiet, temporary } from "../support/sqlite-store.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 1, 12);

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
beforeEach(async () => {
  place = temporary();
  store = await openQuiet(place.path);
});
afterEach(async () => {
  await store.close();
  place.remove();
});

/** Calls at these hours after START, of ann. */
const acceptAt = (hours: readonly number[]) =>
  store.calls.accept(
    hours.map((hour) => aCall(`at${hour}`, { start_time: START + hour * HOUR })),
    1,
  );

/** The same, and they are in the sums. */
async function countedAt(hours: readonly number[]): Promise<void> {
  await acceptAt(hours);
  await allSettled();
}

async function allSettled(): Promise<void> {
  const db = openForReading(place.path);
  const fresh = db.prepare<[], number>("SELECT count(*) FROM call_records WHERE settled = 0").pluck();
  await vi.waitFor(() => expect(fresh.get()).toBe(0), { timeout: 10_000 });
  db.close();
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Changes the file behind the store's back. */
function tamper(...statements: string[]): void {
  const db = openForWriting(place.path);
  for (const sql of statements) db.exec(sql);
  db.close();
}

function generations(): unknown[] {
  const db = openForWriting(place.path);
  const rows = db.prepare("SELECT DISTINCT generation FROM rollups ORDER BY 1").pluck().all();
  const state = db.prepare("SELECT serving, timezone, next_timezone, rebuilt_to FROM rollup_state").get();
  db.close();
  return [rows, state];
}

const rebuild = () => store.rollups.rebuild(() => undefined);
/** Agents that had calls on the second of March or later. */
const agentsOfSecond = async () =>
  (await store.rollups.agents({ scope: EVERYTHING, measures: [], from_day: "2026-03-02" })).length;
const total = async () => (await store.rollups.agents({ scope: EVERYTHING, measures: [] }))[0]?.total_calls;

test("says which sums were not what the calls say, and serves the right ones", async () => {
  await acceptAt([0]);
  const [item] = await store.work.take(1, "w", 60_000);
  await store.calls.saveEnrichment(item ? [enriched(item, "w")] : []);
  tamper("UPDATE rollups SET n = 7 WHERE grain = 4", "DELETE FROM rollups WHERE grain = 0 AND measure = 0");
  const day = { period: "2026-03-01", agent_id: "ann", measure: "calls" };
  const ever = { period: "all time", agent_id: "ann", measure: "agent_talk_ratio" };
  const found = await rebuild();
  expect(found).toMatchObject({ days: 1, drifted: 2 });
  expect(found.differences).toEqual([
    { ...ever, before: null, after: { n: 1, sum: 0.25 } },
    { ...day, before: { n: 7, sum: 0 }, after: { n: 1, sum: 0 } },
  ]);
  expect(await rebuild()).toMatchObject({ drifted: 0, differences: [] });
});

test("finds sums that one side alone has, in order of grain and time", async () => {
  await countedAt(upTo(30).map((day) => day * 24));
  const days = START / 86_400_000 - 0.5;
  tamper(
    `UPDATE rollups SET n = n + 5 WHERE grain = 3`,
    // The third day is lost; one long before and one long after all calls were made up.
    `DELETE FROM rollups WHERE grain = 4 AND bucket = ${days + 2}`,
    `INSERT INTO rollups SELECT generation, grain, bucket - 100, agent_no, measure, n, 2500000, 0, 0
      FROM rollups WHERE grain = 4 AND bucket = ${days}`,
    `INSERT INTO rollups SELECT generation, grain, bucket + 100, agent_no + 8, measure, n, sum_micro, 0, 0
      FROM rollups WHERE grain = 4 AND bucket = ${days}`,
  );
  const found = await rebuild();
  const one = { n: 1, sum: 0 };
  expect(found).toEqual({
    days: 32,
    drifted: 4,
    differences: [
      { period: "all time", agent_id: "ann", measure: "calls", before: { n: 35, sum: 0 }, after: { n: 30, sum: 0 } },
      { period: "2025-11-21", agent_id: "ann", measure: "calls", before: { n: 1, sum: 2.5 }, after: null },
      { period: "2026-03-03", agent_id: "ann", measure: "calls", before: null, after: one },
      { period: "2026-06-09", agent_id: "#9", measure: "calls", before: one, after: null },
    ],
  });
  expect(await total()).toBe(30);
});

test("tells a hundred differences in words and counts the others", async () => {
  await countedAt(upTo(130).map((day) => day * 24));
  tamper("UPDATE rollups SET n = n + 1 WHERE grain = 4");
  const found = await rebuild();
  expect(found.drifted).toBe(130);
  expect(found.differences.map((one) => one.period)).toEqual(
    upTo(100).map((day) => new Date(START + day * 24 * HOUR).toISOString().slice(0, 10)),
  );
});

test("tells how far it is, never past the end", async () => {
  await acceptAt(upTo(1_000));
  await store.calls.remove("at999", EVERYTHING);
  await acceptAt([1_000]);
  const steps: [number, number][] = [];
  await store.rollups.rebuild((done, of) => steps.push([done, of]));
  const [first, ...others] = steps;
  expect(first).toEqual([500, 1_001]);
  expect(others[0]?.[0]).toBe(1_001);
  expect(steps.every(([done, of]) => done <= of)).toBe(true);
});

test("leaves nothing of a rebuild that ended half way, nor of what was served before", async () => {
  await countedAt(upTo(70).map((day) => day * 24));
  const before = await rebuild();
  expect(before).toMatchObject({ drifted: 0 });
  const clean = { next_timezone: null, rebuilt_to: null, timezone: "UTC" };
  expect(generations()).toEqual([[2], { ...clean, serving: 2 }]);
  tamper(
    "INSERT INTO rollups SELECT generation + 1, grain, bucket, agent_no, measure, 9, 9, 9, 9 FROM rollups",
    "UPDATE rollup_state SET rebuilt_to = 40, next_timezone = 'Asia/Tokyo'",
  );
  // Written beside it: the call counted already is taken from both, a new one waits to be counted.
  await store.calls.remove("at24", EVERYTHING);
  await countedAt([2_400]);
  expect(await rebuild()).toEqual({ days: 70, drifted: 0, differences: [] });
  expect(generations()).toEqual([[3], { ...clean, serving: 3 }]);
  expect(await total()).toBe(70);
});

test("of two at once neither leaves wrong sums", async () => {
  await countedAt(upTo(1_200));
  await Promise.all([rebuild(), rebuild()]);
  expect(await total()).toBe(1_200);
  expect(await rebuild()).toMatchObject({ drifted: 0 });
  const [kept] = generations();
  expect(kept).toHaveLength(1);
});

test("days of another time zone are no drift, sums of all time are", async () => {
  await countedAt([0, 30]);
  tamper(
    "UPDATE rollup_state SET timezone = 'Asia/Tokyo'",
    "UPDATE rollups SET bucket = bucket + 10 WHERE grain = 4",
    "UPDATE rollups SET n = n + 1 WHERE grain = 3",
  );
  const found = await rebuild();
  expect(found).toMatchObject({ days: 4, drifted: 1 });
  expect(found.differences.map((one) => one.period)).toEqual(["all time"]);
  expect(await rebuild()).toMatchObject({ days: 2, drifted: 0 });
});

test("what is written beside a rebuild for other days counts on its day of each, and once", async () => {
  await countedAt(upTo(600));
  // Served by the days of Tokyo from here on: nine hours ahead, these calls are on other days than in UTC.
  tamper("UPDATE rollup_state SET timezone = 'Asia/Tokyo'");
  let steps = 0;
  const beside: Promise<unknown>[] = [];
  const found = await store.rollups.rebuild(() => {
    if (steps++ > 0) return;
    // 500 are counted. Of these one goes, and so does one that is not; one is new.
    beside.push(store.calls.remove("at6", EVERYTHING), store.calls.remove("at580", EVERYTHING), acceptAt([1_206]));
  });
  await Promise.all(beside);
  expect(found).toMatchObject({ drifted: 0 });
  expect(steps).toBeGreaterThan(1);
  await allSettled();
  expect(await rebuild()).toEqual({ days: 27, drifted: 0, differences: [] });
  expect(await total()).toBe(599);
});

test("opening with another time zone counts the days anew, and with the same one does not", async () => {
  await acceptAt([6]);
  expect(await agentsOfSecond()).toBe(0);
  for (const [timezone, rebuilds] of [
    ["Asia/Tokyo", 1],
    ["Asia/Tokyo", 0],
    ["UTC", 1],
  ] as const) {
    await store.close();
    const said: unknown[] = [];
    store = await openQuiet(place.path, {
      timezone,
      log: { info: (fields) => void said.push(fields), warn: () => expect.unreachable() },
    });
    expect(said).toEqual(rebuilds === 0 ? [] : [{ timezone }]);
    // Behind the one that opening began, if it did.
    await rebuild();
    expect(await agentsOfSecond()).toBe(timezone === "UTC" ? 0 : 1);
  }
});

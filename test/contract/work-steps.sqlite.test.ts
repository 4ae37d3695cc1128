/** What SQLite's work does in steps, however much there is, and without the write lock where nothing is to be done. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

const LEASE = 15_000;

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
const clock = { now: 0 };
const open = () => openQuiet(place.path, { now: () => clock.now });

beforeEach(async () => {
  clock.now = Date.UTC(2026, 5, 1);
  place = temporary();
  store = await open();
});
afterEach(async () => {
  await store.close();
  place.remove();
});

/** Work for one call as if that many had been sent, each row with these values. */
function fill(n: number, values: { state: string; priority: number; run_after: number }): void {
  const db = openForWriting(place.path);
  db.prepare(
    `WITH RECURSIVE counter (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counter WHERE i < ?)
    INSERT INTO work (call_no, revision, state, priority, created_at, run_after)
    SELECT (SELECT min(call_no) FROM call_records), 1, ?, ?, ?, ? FROM counter`,
  ).run(n, values.state, values.priority, clock.now, values.run_after);
  db.close();
}

test("an idle worker, and one that has nothing to settle, does not wait for another's write lock", async () => {
  await store.calls.accept([aCall("a")], PRIORITY.single);
  await store.work.take(1, "w", LEASE);
  const other = openForWriting(place.path);
  other.exec("BEGIN IMMEDIATE");
  expect(await store.work.take(8, "v", LEASE)).toEqual([]);
  expect(await store.work.renew([], "w", LEASE)).toEqual([]);
  await store.work.fail([], "w");
  await store.work.release([], "w");
  other.exec("ROLLBACK");
  other.close();
}, 2_500);

test("counts what waits, runs and is dead over many steps", async () => {
  expect(await store.work.depth()).toEqual({ ready: 0, running: 0, dead: 0, oldest_ms: 0 });
  await store.calls.accept([aCall("a")], PRIORITY.single);
  fill(20_000, { state: "ready", priority: PRIORITY.bulk, run_after: clock.now });
  fill(20_001, { state: "running", priority: PRIORITY.bulk, run_after: clock.now });
  fill(5, { state: "dead", priority: PRIORITY.bulk, run_after: clock.now });
  clock.now += 300;
  expect(await store.work.depth()).toEqual({ ready: 20_001, running: 20_001, dead: 5, oldest_ms: 300 });
});

test("lists dead letters up to the limit, also where steps end exactly with them", async () => {
  expect(await store.work.dead(10, EVERYTHING)).toEqual([]);
  await store.calls.accept([aCall("a")], PRIORITY.single);
  fill(1_000, { state: "dead", priority: PRIORITY.bulk, run_after: clock.now });
  for (const [limit, found] of [
    [499, 499],
    [500, 500],
    [501, 501],
    [2_000, 1_000],
  ] as const) {
    expect(await store.work.dead(limit, EVERYTHING)).toHaveLength(found);
  }
});

test("a clock that went back while no process ran is noticed by the first take, of however many", async () => {
  await store.calls.accept([aCall("a")], PRIORITY.bulk);
  // A full step and the rest.
  fill(1_500, { state: "ready", priority: PRIORITY.bulk, run_after: clock.now + 1 });
  await store.close();
  clock.now -= 3_600_000;
  store = await open();
  expect(await store.work.take(10_000, "w", LEASE)).toHaveLength(1_501);
});

/** Reading SQLite's sums day by day while other work of the loop goes first. */
import { afterEach, expect, test, vi } from "vitest";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import { LoopReader } from "../../src/adapters/sql/loop-reader.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { ReadPause } from "../../src/adapters/sql/read-pause.ts";
import { makeRollups } from "../../src/adapters/sql/rollups.ts";
import { Writer } from "../../src/adapters/sql/writer.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

const START = Date.UTC(2026, 2, 1, 12);
/** More than can be read in one slice. */
const DAYS = 3_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function open(): Promise<{ path: string; store: SqliteStore }> {
  const place = temporary();
  closing.push(place.remove);
  const store = await openQuiet(place.path);
  closing.push(() => store.close());
  return { path: place.path, store };
}

/** Sums of DAYS days, of one call each. */
async function fill({ path, store }: { path: string; store: SqliteStore }): Promise<void> {
  await store.calls.accept([aCall("a", { start_time: START })], 1);
  const db = openForWriting(path);
  const counted = db.prepare("SELECT count(*) FROM rollups WHERE grain = 4").pluck();
  await vi.waitFor(() => expect(counted.get()).toBe(1), { timeout: 10_000 });
  db.prepare(
    `WITH RECURSIVE counter (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counter WHERE i < ?)
    INSERT INTO rollups SELECT generation, grain, bucket + i, agent_no, measure, n, sum_micro, squares_high, squares_low
    FROM rollups, counter WHERE grain = 4`,
  ).run(DAYS - 1);
  db.close();
}

/** A reader of the loop that, whenever it gives way, first does what is to come between. */
class Interrupted extends LoopReader {
  turns = 0;
  readonly #between: () => Promise<unknown>;

  constructor(path: string, between: () => Promise<unknown>) {
    super(openForReading(path), new ReadPause());
    this.#between = between;
  }

  override async turn(): Promise<void> {
    this.turns++;
    await this.#between();
  }
}

test("a read of many days gives way to others, and starts anew where a rebuild came between", async () => {
  const opened = await open();
  await fill(opened);
  let rebuilt = false;
  const reader = new Interrupted(opened.path, async () => {
    if (rebuilt) return;
    rebuilt = true;
    // Of all those days one is what the calls say: the others are gone when the read goes on.
    await opened.store.rollups.rebuild(() => undefined);
  });
  const writer = await Writer.start(
    { path: opened.path, timezone: "UTC", lock_wait_ms: 5_000, group_rows: 4_000 },
    () => undefined,
  );
  closing.push(
    () => writer.close(),
    () => reader.close(),
  );
  const rollups = makeRollups({ writer, reader, timezone: "UTC", now: Date.now });
  const [ann] = await rollups.agents({ scope: EVERYTHING, measures: [], from_day: "2026-01-01" });
  expect(ann).toMatchObject({ agent_id: "ann", total_calls: 1 });
  expect(reader.turns).toBe(1);
});

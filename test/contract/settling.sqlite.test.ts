/** Calls that have not settled: found at once, in the indexes later; and the log, which is copied beside the writing. */
import { statSync } from "node:fs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Checkpoints } from "../../src/adapters/sql/checkpoints.ts";
import { CHECKPOINT_PAGES, openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { FRESH_LIMIT } from "../../src/adapters/sql/write-settle.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { aCall, enriched, freshStore } from "../support/sqlite-store.ts";

let place: Awaited<ReturnType<typeof freshStore>>;
let store: SqliteStore;
beforeEach(async () => {
  place = await freshStore();
  ({ store } = place);
});
afterEach(() => place.remove());

const fresh = (): number => {
  const db = openForReading(place.path);
  try {
    return db.prepare<[], number>("SELECT count(*) FROM call_records WHERE settled = 0").pluck().get() ?? 0;
  } finally {
    db.close();
  }
};
/** A call of the last millisecond of a day in March. */
const of = (agent_id: string, n: number) => ({ agent_id, start_time: Date.UTC(2026, 2, n, 23, 59, 59, 999) });
const many = (n: number, name: string) =>
  Array.from({ length: n }, (_, i) => aCall(`${name}-${i}`, { agent_id: `agent-${i % 7}`, customer_id: `c-${i % 3}` }));
const listed = async (agent_id: string) => {
  const { total, rows } = await store.reads.list({
    scope: EVERYTHING,
    filter: { agent_id },
    sort: { field: "start_time", descending: true },
    page: { limit: 50, offset: 0, after: null },
    total: true,
  });
  return { total, ids: rows.map((row) => row.call_id) };
};

it("lists a call from its answer on, and settles it once nothing is written for a moment", async () => {
  await store.calls.accept(many(14, "a"), 1);
  expect((await listed("agent-3")).ids.toSorted()).toEqual(["a-10", "a-3"]);
  await vi.waitFor(() => expect(fresh()).toBe(0), { timeout: 10_000 });
  expect((await listed("agent-3")).ids.toSorted()).toEqual(["a-10", "a-3"]);
});

it("settles with its enrichment", async () => {
  await store.calls.accept(many(2, "a"), 1);
  const [item] = await store.work.take(1, "w", 60_000);
  if (!item) throw new Error("no work");
  expect(await store.calls.saveEnrichment([enriched(item, "w")])).toEqual(["saved"]);
  const db = openForReading(place.path);
  const state = db.prepare("SELECT call_id, settled FROM call_records WHERE state = 'enriched'").all();
  db.close();
  expect(state).toEqual([{ call_id: item.call_id, settled: 1 }]);
});

it("counts a call once from its answer on, in every scope and on its day, settled or not", async () => {
  const scopes = [EVERYTHING, { kind: "team", team: "north" }, { kind: "agent", agent_id: "ann" }] as const;
  const counts = (days: { from_day?: string; to_day?: string }) =>
    Promise.all(
      scopes.map(async (scope) => {
        const sums = await store.rollups.agents({ scope, measures: ["agent_words"], ...days });
        return Object.fromEntries(sums.map((sum) => [sum.agent_id, sum.total_calls]));
      }),
    );
  const expected = async (ever: { ann: number; ben: number }, third: { ann: number }) => {
    expect(await counts({})).toEqual([ever, { ann: ever.ann }, { ann: ever.ann }]);
    expect(await counts({ from_day: "2026-03-03", to_day: "2026-03-03" })).toEqual([third, third, third]);
    expect(await counts({ from_day: "2026-03-04" })).toEqual([{ ben: ever.ben }, {}, {}]);
  };
  await store.calls.accept([aCall("a2", of("ann", 2)), aCall("a3", of("ann", 3)), aCall("b4", of("ben", 4))], 1);
  const db = openForWriting(place.path);
  db.exec("UPDATE agents SET team = 'north' WHERE agent_id = 'ann'");
  db.close();
  await expected({ ann: 2, ben: 1 }, { ann: 1 });
  await vi.waitFor(() => expect(fresh()).toBe(0), { timeout: 10_000 });
  await expected({ ann: 2, ben: 1 }, { ann: 1 });
  // Of settled and fresh ones some are moved, some go, and one is enriched.
  await store.calls.accept([aCall("new3", of("ann", 3)), aCall("new4", of("ben", 4)), aCall("gone", of("ben", 4))], 1);
  await expected({ ann: 3, ben: 3 }, { ann: 2 });
  await store.calls.replace(aCall("a2", of("ann", 3)), 1);
  await store.calls.replace(aCall("new3", of("ben", 5)), 1);
  await store.calls.remove("gone", EVERYTHING);
  await store.calls.remove("b4", EVERYTHING);
  const work = await store.work.take(9, "w", 60_000);
  const item = work.find(({ call_id }) => call_id === "new4");
  if (!item) throw new Error("no work");
  expect(await store.calls.saveEnrichment([enriched(item, "w")])).toEqual(["saved"]);
  await expected({ ann: 2, ben: 2 }, { ann: 2 });
  expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
  await vi.waitFor(() => expect(fresh()).toBe(0), { timeout: 10_000 });
  await expected({ ann: 2, ben: 2 }, { ann: 2 });
  expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ days: 3, drifted: 0 });
});

it("never lets more wait than the limit, however busy it is", async () => {
  const batches = Math.ceil(FRESH_LIMIT / 1_000) + 1;
  for (let batch = 0; batch < batches; batch++) {
    await store.calls.accept(many(1_000, `b${batch}`), 2);
  }
  // The last group waited until those before it had settled.
  expect(fresh()).toBeLessThanOrEqual(1_000);
  expect((await listed("agent-0")).total).toBe(batches * 143);
});

it("erases a customer's calls, fresh and settled", async () => {
  await store.calls.accept(many(6, "old"), 1);
  await vi.waitFor(() => expect(fresh()).toBe(0), { timeout: 10_000 });
  await store.calls.accept(many(6, "new"), 1);
  expect(await store.calls.erase("c-1")).toBe(4);
  const left = await Promise.all(
    ["old-1", "new-1", "old-4", "new-4", "old-0", "new-0"].map((id) => store.reads.get(id, EVERYTHING)),
  );
  expect(left.map((call) => call?.row.call_id)).toEqual([undefined, undefined, undefined, undefined, "old-0", "new-0"]);
});

it("copies the log while writes go on, so that it starts anew instead of growing", async () => {
  const long = "word ".repeat(200_000);
  let written = 0;
  while (written < 200e6) {
    const calls = Array.from({ length: 8 }, (_, i) => aCall(`long-${written}-${i}`, {}, [long]));
    await store.calls.accept(calls, 1);
    written += 8 * long.length;
  }
  // 64 MB, and what is written while that much is copied; without copying it would hold all that was written.
  expect(statSync(`${place.path}-wal`).size).toBeLessThan(160e6);
}, 60_000);

it("goes on writing when the disk fails while the rest of the log is copied, and tries again", async () => {
  const path = `${place.path}-failing`;
  const db = openForWriting(path);
  let tries = 0;
  const checkpoints = new Checkpoints({
    name: path,
    pragma: () => {
      tries++;
      throw new Error("disk I/O error");
    },
  });
  try {
    db.exec("CREATE TABLE filler (bytes BLOB)");
    db.prepare("INSERT INTO filler VALUES (zeroblob(?))").run(4_096 * CHECKPOINT_PAGES);
    checkpoints.written();
    await vi.waitFor(() => expect(tries).toBe(1), { timeout: 10_000 });
    checkpoints.written();
    await vi.waitFor(() => expect(tries).toBe(2), { timeout: 10_000 });
  } finally {
    await checkpoints.stop();
    db.close();
    checkpoints.close();
  }
});

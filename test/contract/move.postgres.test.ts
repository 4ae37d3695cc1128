/** Moving a SQLite store to PostgreSQL: all of it, while it is written to, and again after whatever ended it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pack } from "../../src/adapters/sql/codec.ts";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { openMove } from "../../src/adapters/sql/move/open.ts";
import { openMoveSource, undoMove } from "../../src/adapters/sql/move/source.ts";
import { MOVED } from "../../src/adapters/sql/move/tables.ts";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { NO_ALERTS } from "../../src/core/live-alerts.ts";
import { startLive } from "../../src/core/live-measures.ts";
import type { WorkItem } from "../../src/ports/work.ts";
import { type MoveInput, type MoveReport, moveStore } from "../../src/services/move.ts";
import { ask, freshDatabase } from "../support/postgres-server.ts";
import { expectWhole, openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { aCall, enriched, openQuiet, someInsights, someVectors, temporary } from "../support/sqlite-store.ts";
import { storeFacts } from "../support/store-facts.ts";

const ASKED = {
  words: ["gibberish", "café", "follow-up", "gone"],
  space_id: "space",
  jobs: 10,
  bookmarks: ["place", "none"],
};
const LIVE = { language: "en", start_time: 1_000, digest: "aa", state: startLive("en"), alert_state: NO_ALERTS };
const KEY = { account_id: "key-1", key: "k", fingerprint: "f" };

const undo: (() => Promise<unknown> | void)[] = [];
let path = "";
let url = "";
let store: Store;

beforeEach(async () => {
  const place = temporary();
  undo.push(place.remove);
  const database = await freshDatabase();
  undo.push(database.drop);
  path = place.path;
  url = database.url;
  store = await openQuiet(path);
  undo.push(() => store.close());
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function move(input: Partial<MoveInput> = {}): Promise<MoveReport> {
  const deps = openMove({ path, url, lanes: 2, now: Date.now });
  try {
    return await moveStore(deps, { name: "PostgreSQL there", keep: false, ...input });
  } finally {
    await deps.close();
  }
}

async function there(): Promise<Store> {
  const moved = await openQuietPostgres(url);
  undo.push(() => moved.close());
  return moved;
}

/** What a move has left in the file. */
function marks(): unknown[] {
  const db = openForWriting(path);
  const found = db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'move%'").all();
  db.close();
  return found;
}

const many = (n: number, name: string) =>
  Array.from({ length: n }, (_, i) => aCall(`${name}-${i}`, { agent_id: `agent-${i % 7}` }, [`gibberish ${i}`, "yes"]));

/** Enriches what waits, at most `n`; odd ones get vectors. */
async function enrich(n: number, worker = "w"): Promise<WorkItem[]> {
  const items = await store.work.take(n, worker, 60_000);
  await store.calls.saveEnrichment(
    items.map((item) =>
      enriched(item, worker, {
        insights: someInsights({ customer_sentiment_score: 1 / (2 + item.call_no), agent_talk_ratio: 0.25 }),
        vectors: item.call_no % 2 === 1 ? someVectors(item.call_no) : null,
      }),
    ),
  );
  return items;
}

/** Something of everything a store can hold. */
async function fillStore(): Promise<void> {
  await store.calls.accept(many(40, "plain"), 1);
  await store.calls.accept([aCall("words", {}, ["Un café, a follow-up", "gibberish gibberish\0 \u{1F600}", ""])], 1);
  await store.calls.accept(
    [aCall("early", { start_time: -86_400_000 * 9, customer_id: null, duration_seconds: 0.1 })],
    1,
  );
  await enrich(50);
  await store.calls.accept([aCall("waits"), aCall("dies"), aCall("gone", { customer_id: "leaver" }, ["gone"])], 1);
  await store.calls.replace(aCall("plain-3", { digest: "cd".repeat(32), outcome: "won" }, ["other gibberish"]), 1);
  await store.calls.remove("plain-4", EVERYTHING);
  await store.calls.erase("leaver");
  const doomed = (await store.work.take(9, "w", 60_000)).filter(({ call_id }) => call_id === "dies");
  await store.work.fail(
    doomed.map(({ work_no }) => ({ work_no, error: "infer: it broke", retry_at: null })),
    "w",
  );
  await store.live.start({ ...LIVE, call_id: "goes-on", agent_id: "ann", customer_id: null });
  const said = { speaker: "customer" as const, start_ms: 1, end_ms: null };
  await store.live.append(
    "goes-on",
    ["hello", "nul \0 inside"].map((text) => ({ ...said, turn_id: null, text })),
    { turns: 10, text_bytes: 1_000 },
  );
  const account = { role: "agent" as const, agent_id: "ann", team: "north", created_at: 5, revoked_at: null };
  await store.accounts.add({ ...account, account_id: "key-1", kind: "key", name: "crm" }, "ab".repeat(32));
  await store.accounts.add({ ...account, account_id: "user-1", kind: "user", name: "ann" }, "$argon2id$made-up");
  await store.accounts.putOneUse("ef".repeat(32), "user-1", Date.now() + 3_600_000);
  const job = {
    kind: "import" as const,
    created_at: 1,
    updated_at: 2,
    counts: { lines: 3 },
    detail: null,
    report: null,
  };
  await store.jobs.put({ ...job, job_id: "b", state: "done", errors: [{ line: 1, message: "bad" }] });
  await store.jobs.put({ ...job, job_id: "a", state: "failed", errors: [], detail: "broke", report: { of: "it" } });
  await store.jobs.setBookmark("place", "12");
  await store.idempotency.under(KEY, () => undefined).calls.accept([aCall("keyed")], 1);
  const db = openForWriting(path);
  db.exec("UPDATE agents SET team = 'north' WHERE agent_id IN ('ann', 'agent-1')");
  // A call as it was stored before there were documents.
  const { insights, turns, row } = (await store.reads.get("plain-0", EVERYTHING)) as NonNullable<
    Awaited<ReturnType<typeof store.reads.get>>
  >;
  db.prepare("UPDATE call_texts SET body = ? WHERE call_no = ?").run(pack(JSON.stringify(turns)), row.call_no);
  db.prepare("UPDATE call_insights SET body = ? WHERE call_no = ?").run(pack(JSON.stringify(insights)), row.call_no);
  db.close();
}

async function bothSides(moved: Store): Promise<readonly [object, object]> {
  return [await storeFacts(store, ASKED), await storeFacts(moved, ASKED)];
}

describe.skipIf(requirement("postgres") === null)("moving a store from SQLite to PostgreSQL", () => {
  test("everything it holds is there, and goes on counting where it was", async () => {
    await fillStore();
    const report = await move();
    expect(report.differences).toEqual([]);
    expect(report.tables["call_records"]?.rows).toBe(44);
    const moved = await there();
    const [here, gone] = await bothSides(moved);
    expect(gone).toEqual(here);
    await expectWhole(url);
    expect(await ask(url, "SELECT count(*)::int AS n FROM pg_indexes WHERE tablename = 'call_records'")).toEqual([
      { n: 13 },
    ]);

    let replayed = 0;
    const again = await moved.idempotency.under(KEY, () => replayed++).calls.accept([aCall("keyed")], 1);
    expect([replayed, again[0]?.status]).toEqual([1, "accepted"]);
    expect(await moved.accounts.byKeyHash("ab".repeat(32))).toMatchObject({ account_id: "key-1" });
    expect(await moved.accounts.takeOneUse("ef".repeat(32))).toBe("user-1");
    const head = await moved.events.head();
    const given = await moved.reads.numbers({ scope: EVERYTHING, filter: {}, limit: 1_000 });
    expect(await moved.calls.accept([aCall("next")], 1)).toMatchObject([{ call_no: (given.at(-1) ?? 0) + 1 }]);
    expect(await moved.events.head()).toBe(head + 1);
    expect(await moved.calls.accept([aCall("goes-on")], 1)).toEqual([{ status: "conflict" }]);
    expect(await moved.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
  });

  test("every column of every table is moved, or is named here", async () => {
    const own = new Set(["event_head", "events_new", "schema_versions"]);
    const columns = await ask<{ name: string; column: string }>(
      url,
      `SELECT c.relname AS name, a.attname AS column FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attnum > 0 AND NOT a.attisdropped`,
    );
    const there = columns.filter(({ name }) => !own.has(name)).map(({ name, column }) => `${name}.${column}`);
    const moved = Object.values(MOVED)
      .flat()
      .flatMap(({ name, columns }) => columns.map(([column]) => `${name}.${column}`));
    expect(moved.toSorted()).toEqual(there.toSorted());
  });

  test("afterwards the old store refuses to be written to and says where it went, until that is undone", async () => {
    await store.calls.accept(many(3, "a"), 1);
    await move();
    const refusal = { code: "store_unavailable", message: expect.stringContaining("were moved to PostgreSQL there") };
    await expect(store.calls.accept([aCall("late")], 1)).rejects.toMatchObject({ ...refusal, retryAfter: 30 });
    await expect(store.work.take(1, "w", 1_000)).rejects.toMatchObject(refusal);
    expect(await store.reads.row("a-1", EVERYTHING)).toMatchObject({ call_id: "a-1" });
    await expect(openQuiet(path)).rejects.toMatchObject(refusal);
    await expect(move()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("already") });
    await expect(move({ name: "elsewhere" })).rejects.toMatchObject({ code: "conflict" });
    expect([undoMove(path), undoMove(path)]).toEqual([true, false]);
    expect(await store.calls.accept([aCall("late")], 1)).toMatchObject([{ status: "accepted" }]);
    expect(marks()).toEqual([]);
  });

  test("what is written meanwhile gets there, and nobody is refused before the rest", async () => {
    await store.calls.accept(many(1_200, "a"), 1);
    let n = 0;
    const written: Promise<unknown>[] = [];
    const refused: unknown[] = [];
    const write = (stage: string) => {
      const i = n++;
      const some = [
        store.calls.accept([aCall(`new-${i}`, { agent_id: "new" })], 1),
        store.calls.replace(aCall(`a-${i * 10}`, { digest: "cd".repeat(32) }, ["changed gibberish"]), 1),
        store.calls.remove(`a-${i * 10 + 1}`, EVERYTHING),
        // Its id is used again while the old one is at the target.
        store.calls.remove(`a-${i * 10 + 2}`, EVERYTHING).then(() => store.calls.accept([aCall(`a-${i * 10 + 2}`)], 1)),
        store.jobs.setBookmark("place", String(i)),
        enrich(20),
      ];
      written.push(
        ...some.map((one) => one.catch((error: unknown) => refused.push([stage, (error as Error).message]))),
      );
    };
    const report = await move({ onProgress: (stage) => n < 12 && write(stage) });
    await Promise.all(written);
    expect(report.differences).toEqual([]);
    expect(n).toBeGreaterThan(5);
    expect(refused.filter((one) => !String(one).startsWith("the rest"))).toEqual([]);
    const moved = await there();
    const [here, gone] = await bothSides(moved);
    expect(gone).toEqual(here);
    await expectWhole(url);
    expect(await moved.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
  });

  test("stopped in the middle it goes on, changes nothing twice, and nobody serves the target meanwhile", async () => {
    await store.calls.accept(many(2_200, "a"), 1);
    const stop = new AbortController();
    await expect(move({ signal: stop.signal, onProgress: () => stop.abort() })).rejects.toMatchObject({
      code: "shutting_down",
    });
    const copies = "SELECT xmin::text, min(call_no)::int AS first, count(*)::int AS n FROM call_records GROUP BY 1";
    const before = await ask<{ first: number }>(url, copies);
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(5);
    await expect(openQuietPostgres(url)).rejects.toMatchObject({ message: expect.stringContaining("has not ended") });
    expect((await move()).differences).toEqual([]);
    const after = await ask(url, copies);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(5);
    const [here, gone] = await bothSides(await there());
    expect(gone).toEqual(here);
  });

  test("a row that is not the same makes it fail, and the next move right it", async () => {
    await store.calls.accept(many(1_200, "a"), 1);
    await enrich(1_200);
    const stop = new AbortController();
    const first = move({ signal: stop.signal, onProgress: (_stage, done) => done === 3 && stop.abort() });
    await expect(first).rejects.toMatchObject({ code: "shutting_down" });
    const bit = "set_byte(turns, 5, get_byte(turns, 5) # 1)";
    const touched = await ask<{ call_no: number }>(
      url,
      `UPDATE call_vectors SET turns = ${bit} WHERE call_no = (SELECT min(call_no) FROM call_vectors) RETURNING call_no::int`,
    );
    const { call_no = 0 } = touched[0] ?? {};
    const report = await move();
    expect(report.differences).toMatchObject([{ table: "call_vectors", source: { rows: 250 }, target: { rows: 250 } }]);
    const { from = 0, to = 0 } = report.differences[0]?.range ?? {};
    expect(from < call_no && call_no <= to).toBe(true);
    // Nothing has happened to the source.
    expect(await store.calls.accept([aCall("goes on")], 1)).toMatchObject([{ status: "accepted" }]);
    await expect(openQuietPostgres(url)).rejects.toMatchObject({ code: "store_unavailable" });
    // A row too many, in no part.
    await ask(url, "INSERT INTO call_insights VALUES (999999, '')");
    expect((await move()).differences).toMatchObject([
      { table: "call_insights", range: null, target: { rows: 1_201 } },
    ]);
    expect(await store.calls.accept([aCall("still goes on")], 1)).toMatchObject([{ status: "accepted" }]);
    await ask(url, "DELETE FROM call_insights WHERE call_no = 999999");
    expect((await move()).differences).toEqual([]);
    const [here, gone] = await bothSides(await there());
    expect(gone).toEqual(here);
  });

  test("killed between its two last steps it opens the target, and the source stays closed", async () => {
    await store.calls.accept(many(3, "a"), 1);
    const deps = openMove({ path, url, lanes: 1, now: Date.now });
    const target = { ...deps.target, finish: () => Promise.reject(new Error("killed")) };
    const killed = moveStore({ ...deps, target }, { name: "PostgreSQL there", keep: false });
    await expect(killed).rejects.toThrow("killed");
    await deps.close();
    await expect(store.calls.accept([aCall("late")], 1)).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(openQuietPostgres(url)).rejects.toMatchObject({ code: "store_unavailable" });
    expect((await move()).tables["call_records"]?.rows).toBe(3);
    expect(await (await there()).calls.accept([aCall("next")], 1)).toMatchObject([{ call_no: 4 }]);
  });

  test("with `keep` there are two stores afterwards, and each goes its way", async () => {
    await store.calls.accept(many(3, "a"), 1);
    expect((await move({ keep: true })).differences).toEqual([]);
    expect(marks()).toEqual([]);
    const moved = await there();
    const accepted = [await store.calls.accept([aCall("b")], 1), await moved.calls.accept([aCall("b")], 1)];
    expect(accepted.map(([result]) => result)).toMatchObject([{ call_no: 4 }, { call_no: 4 }]);
  });

  test("a target that is not empty is refused", async () => {
    await store.calls.accept(many(3, "a"), 1);
    const other = await openQuietPostgres(url);
    await other.calls.accept([aCall("theirs")], 1);
    await other.close();
    await expect(move()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("call_records") });
    expect(marks()).toEqual([]);
  });

  test("a freeze ends by itself, and what is written after it is not lost sight of", async () => {
    await store.calls.accept(many(3, "a"), 1);
    const clock = { now: Date.now() };
    const source = openMoveSource(path, () => clock.now);
    undo.push(() => source.close());
    source.begin("there");
    source.extend();
    source.freeze(60_000);
    await expect(store.calls.accept([aCall("b")], 1)).rejects.toMatchObject({
      code: "store_unavailable",
      retryAfter: 2,
    });
    clock.now -= 120_000;
    source.freeze(60_000);
    await store.calls.accept([aCall("b")], 1);
    await store.jobs.setBookmark("place", "1");
    expect(source.finish(true)).toBe(false);
    source.extend();
    expect(source.marks()).toContainEqual({ kind: "rest", key: 0 });
    source.settled();
    expect(source.finish(true)).toBe(true);
  });
});

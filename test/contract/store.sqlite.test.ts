/** What only the SQLite store promises: groups, locks, files, other processes, erased bytes, backups. */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pack } from "../../src/adapters/sql/codec.ts";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { searchWordsOf } from "../../src/adapters/sql/search-words.ts";
import { WriteContext } from "../../src/adapters/sql/write-context.ts";
import { runGroup } from "../../src/adapters/sql/write-group.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { aCall, enriched, openQuiet, someVectors, temporary } from "../support/sqlite-store.ts";

const SECOND = fileURLToPath(new URL("../support/second-process.ts", import.meta.url));

const enrichAll = async (store: SqliteStore) => {
  for (;;) {
    const items = await store.work.take(100, "w", 60_000);
    if (items.length === 0) return;
    const saved = items.map((item) => enriched(item, "w", { vectors: someVectors(item.call_no) }));
    await store.calls.saveEnrichment(saved);
  }
};

const accept = (ids: string[], words: number) =>
  ids.map((id) => {
    const { turns, ...call } = aCall(id, {}, ["word ".repeat(words)]);
    return {
      name: "accept" as const,
      input: { rows: [{ ...call, text: JSON.stringify(turns) }], priority: 1, now: 1 },
    };
  });

const on = async (store: SqliteStore, day: string) =>
  (await store.rollups.agents({ scope: EVERYTHING, measures: [], from_day: day, to_day: day })).length;

describe("SQLite store", () => {
  let place: ReturnType<typeof temporary>;
  let opened: SqliteStore[];
  beforeEach(() => {
    place = temporary();
    opened = [];
  });
  afterEach(async () => {
    for (const store of opened) await store.close();
    place.remove();
  });

  const open = async (more: Parameters<typeof openQuiet>[1] = {}) => {
    const store = await openQuiet(place.path, more);
    opened.push(store);
    return store;
  };
  const close = async (store: SqliteStore) => {
    opened = opened.filter((one) => one !== store);
    await store.close();
  };
  /** Everything in the store's folder, as one string of bytes. */
  const allBytes = () =>
    readdirSync(dirname(place.path))
      .map((name) => readFileSync(join(dirname(place.path), name), "latin1"))
      .join("\n");

  it("keeps folder and files to their owner", async () => {
    const store = await open();
    await store.calls.accept([aCall("a")], 1);
    expect(statSync(dirname(place.path)).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dirname(place.path))) {
      expect([name, statSync(join(dirname(place.path), name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it("commits what arrives together as one group", async () => {
    const store = await open();
    const before = store.commits();
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.calls.accept([aCall(`c${i}`)], 1)));
    expect(store.commits() - before).toBeLessThanOrEqual(3);
    expect(await store.events.head()).toBe(500);
  });

  it("lets one violator among 64 that share a commit fail alone", async () => {
    const store = await open();
    const before = store.commits();
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        store.calls.accept([aCall(`c${i}`, i === 31 ? { outcome: "nonsense" as "won" } : {})], 1),
      ),
    );
    const failed = results.flatMap(([result], i) => (result?.status === "accepted" ? [] : [[i, result?.status]]));
    expect(failed).toEqual([[31, "failed"]]);
    // The first few may have a commit of their own; the violator is not among them.
    expect(store.commits() - before).toBeLessThanOrEqual(2);
    expect(await store.events.head()).toBe(63);
    expect(await store.work.depth()).toMatchObject({ ready: 63 });
    const [sums] = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
    expect(sums?.total_calls).toBe(63);
  });

  it("syncs at every commit, erases what is deleted, and gives back space", async () => {
    const db = openForWriting(place.path);
    const pragma = (name: string) => db.pragma(name, { simple: true });
    expect(["synchronous", "secure_delete", "auto_vacuum", "foreign_keys", "journal_mode"].map(pragma)).toEqual([
      2,
      1,
      2,
      1,
      "wal",
    ]);
    db.close();
  });

  it("refuses a file of a newer version with a sentence", async () => {
    const db = openForWriting(place.path);
    db.pragma("user_version = 999");
    db.close();
    await expect(open()).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("Upgrade Earshot") as string,
    });
  });

  it("waits for a foreign lock only so long; reads go on, and so do writes afterwards", async () => {
    const store = await open({ lock_wait_ms: 150 });
    await store.calls.accept([aCall("a")], 1);
    const other = openForWriting(place.path);
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    const refused = store.calls.accept([aCall("b")], 1);
    expect(await store.reads.get("a", EVERYTHING)).not.toBeNull();
    await expect(refused).rejects.toMatchObject({ code: "store_unavailable", retryAfter: 1 });
    expect(performance.now() - began).toBeLessThan(5_000);
    const patient = store.calls.accept([aCall("c")], 1);
    other.exec("COMMIT");
    other.close();
    expect(await patient).toMatchObject([{ status: "accepted" }]);
    expect(await store.calls.accept([aCall("b")], 1)).toMatchObject([{ status: "accepted" }]);
  });

  it("refuses the whole group when the disk is full, and goes on when there is room", () => {
    const db = openForWriting(place.path);
    const context = new WriteContext(db, "UTC");
    context.sums.start();
    const pages = db.pragma("page_count", { simple: true }) as number;
    db.pragma(`max_page_count = ${pages + 8}`);
    const full = runGroup(context, accept(["a", "b"], 50_000));
    expect(full).toMatchObject({
      committed: false,
      outcomes: [{ failure: { code: "storage_full" } }, { failure: { code: "storage_full" } }],
    });
    expect(db.prepare("SELECT count(*) AS n FROM call_records").get()).toEqual({ n: 0 });
    db.pragma("max_page_count = 1000000");
    expect(runGroup(context, accept(["a", "b"], 50_000))).toMatchObject({ committed: true, head: 2 });
    runGroup(context, [{ name: "settle", input: { limit: 10, now: 0 } }]);
    expect(db.prepare("SELECT n FROM rollups WHERE grain = 3").all()).toEqual([{ n: 2 }]);
    db.close();
  });

  it("hears of what another process writes, and both keep the log dense and the sums right", async () => {
    const store = await open();
    const ids = Array.from({ length: 30 }, (_, i) => `other${i}`);
    const heard = new Promise<void>((resolve) => {
      store.events.onChange(() => {
        void store.events.head().then((head) => head >= 60 && resolve());
      });
    });
    const child = promisify(execFile)(process.execPath, [SECOND, place.path, ...ids]);
    for (let i = 0; i < 30; i++) await store.calls.accept([aCall(`mine${i}`)], 1);
    await child;
    await heard;
    const { events } = await store.events.after(0, 100, EVERYTHING);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const sums = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
    expect(sums.map((sum) => sum.total_calls)).toEqual([30, 30]);
  });

  it("leaves no word of erased calls in any file", async () => {
    const store = await open();
    const secret = Array.from({ length: 400 }, (_, i) => `qz${(i * 7919 + 104_729).toString(36)}xj`);
    const calls = Array.from({ length: 40 }, (_, i) =>
      aCall(`c${i}`, { customer_id: i % 2 === 0 ? "forget-me" : "dora" }, [
        `so we said ${i % 2 === 0 ? secret.slice(i * 10, i * 10 + 10).join(" ") : "nothing special"} to them`,
      ]),
    );
    await store.calls.accept(calls, 1);
    await enrichAll(store);
    await store.calls.replace({ ...(calls[0] as (typeof calls)[0]), turns: [] }, 1);
    await store.calls.remove("c2", EVERYTHING);
    expect(allBytes()).toContain(secret[40]);
    expect(await store.calls.erase("forget-me")).toBe(19);
    const left = allBytes();
    expect(secret.filter((word) => left.includes(word))).toEqual([]);
    expect(left).not.toContain("forget-me");
    const eye = openForReading(place.path);
    const count = eye.prepare("SELECT count(*) AS n FROM turn_search WHERE turn_search MATCH ?");
    const found = count.get(searchWordsOf(eye).query("special"));
    eye.close();
    expect(found).toEqual({ n: 20 });
  });

  it("reads, replaces and erases calls stored before words and insights were one document", async () => {
    const store = await open();
    await store.calls.accept([aCall("c1", {}, ["old zebra", "new"]), aCall("c2"), aCall("c3")], 1);
    const get = (id: string) => store.reads.get(id, EVERYTHING);
    const unenriched = await get("c1");
    expect([unenriched?.document, unenriched?.insights]).toEqual([null, null]);
    await enrichAll(store);
    const ids = ["c1", "c2", "c3"];
    const now = await Promise.all(ids.map(get));
    const older = openForWriting(place.path);
    for (const call of now) {
      if (!call) throw new Error("a call is gone");
      const { call_no } = call.row;
      older.prepare("UPDATE call_texts SET body = ? WHERE call_no = ?").run(pack(JSON.stringify(call.turns)), call_no);
      const insights = older.prepare("UPDATE call_insights SET body = ? WHERE call_no = ?");
      insights.run(pack(JSON.stringify(call.insights)), call_no);
    }
    for (const [i, id] of ids.entries()) {
      const call = await get(id);
      expect(call).toMatchObject({ row: now[i]?.row, turns: now[i]?.turns, insights: now[i]?.insights });
      expect([call?.document, now[i]?.document === null]).toEqual([null, false]);
    }
    await store.calls.reprocess("c1", EVERYTHING, 1);
    await enrichAll(store);
    expect((await get("c1"))?.document).toEqual(now[0]?.document);
    expect(older.prepare("SELECT length(body) AS n FROM call_insights ORDER BY call_no").pluck().all()).toEqual([
      0,
      expect.any(Number),
      expect.any(Number),
    ]);
    await store.calls.replace(aCall("c1", { digest: "cd".repeat(32) }, ["other words"]), 1);
    expect(await get("c1")).toMatchObject({ document: null, insights: null, turns: [{ text: "other words" }] });
    await store.calls.remove("c2", EVERYTHING);
    older.exec("INSERT INTO turn_search (turn_search, rank) VALUES ('integrity-check', 1)");
    older.close();
  });

  it("does not call bytes erased while a reader keeps them in the log", async () => {
    const store = await open({ lock_wait_ms: 150 });
    await store.calls.accept([aCall("a", { customer_id: "carl" }, ["unforgettable"])], 1);
    const eye = openForReading(place.path);
    eye.exec("BEGIN");
    eye.prepare("SELECT count(*) FROM call_texts").get();
    await expect(store.calls.erase("carl")).rejects.toMatchObject({ code: "store_unavailable", retryAfter: 10 });
    expect(allBytes()).toContain("unforgettable");
    eye.close();
    expect(await store.calls.erase("carl")).toBe(0);
    expect(allBytes()).not.toContain("unforgettable");
  });

  it("gives the space of what is erased or pruned back", async () => {
    const store = await open({ now: () => 1_000 });
    const calls = Array.from({ length: 500 }, (_, i) =>
      aCall(`c${i}`, { customer_id: "carl" }, ["word ".repeat(2_000)]),
    );
    await store.calls.accept(calls, 1);
    await store.calls.accept([aCall("kept", { customer_id: "dora" })], 1);
    await store.calls.erase("carl");
    expect(statSync(place.path).size).toBeLessThan(500_000);
    await store.pruneEvents(2_000);
    const eye = openForReading(place.path);
    expect(eye.pragma("freelist_count", { simple: true })).toBe(0);
    eye.close();
  });

  it("empties the log soon after a removal, without being asked", async () => {
    const store = await open();
    await store.calls.accept([aCall("a", {}, ["unforgettable"])], 1);
    await enrichAll(store);
    await store.calls.remove("a", EVERYTHING);
    await expect.poll(() => allBytes().includes("unforgettable"), { timeout: 5_000, interval: 50 }).toBe(false);
  });

  it("makes a whole backup while writes go on", async () => {
    const store = await open();
    await store.calls.accept(
      Array.from({ length: 1_000 }, (_, i) => aCall(`c${i}`, {}, ["word ".repeat(200 + (i % 7))])),
      2,
    );
    let writing = true;
    let written = 0;
    const writes = (async () => {
      while (writing) await store.calls.accept([aCall(`during${written++}`)], 1);
    })();
    const seen: [number, number][] = [];
    const copy = join(place.folder, "copy.db");
    await store.backup(copy, (done, total) => seen.push([done, total]));
    writing = false;
    await writes;
    expect(written).toBeGreaterThan(0);
    expect(seen.length).toBeGreaterThan(1);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const restored = await openQuiet(copy);
    opened.push(restored);
    expect(await restored.events.head()).toBeGreaterThanOrEqual(1_000);
    expect(await restored.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
  });

  it("frees the leases of a process that is gone when nobody else has the file open, and only then", async () => {
    const store = await open();
    await store.calls.accept([aCall("a")], 1);
    expect(await store.work.take(1, "lost", 600_000)).toMatchObject([{ attempts: 1 }]);
    const second = await open();
    expect(await second.work.take(1, "other", 1_000)).toEqual([]);
    await close(second);
    await close(store);
    const eye = openForWriting(place.path);
    const besides = await open();
    expect(await besides.work.take(1, "other", 1_000)).toEqual([]);
    await close(besides);
    eye.close();
    const alone = await open();
    expect((await alone.reads.row("a", EVERYTHING))?.state).toBe("pending");
    // The lost try counts: a call that kills its worker must end as a dead letter.
    expect(await alone.work.take(1, "next", 1_000)).toMatchObject([{ call_id: "a", attempts: 2 }]);
  });

  it("drops old events from the front only", async () => {
    let now = 1_000;
    const store = await open({ now: () => now });
    for (const at of [1_000, 3_000, 2_000, 4_000]) {
      now = at;
      await store.calls.accept([aCall(`at${at}`)], 1);
    }
    expect(await store.pruneEvents(2_500)).toBe(1);
    expect(await store.events.after(0, 10, EVERYTHING)).toMatchObject({ oldest: 2, head: 4 });
    expect(await store.pruneEvents(9_000)).toBe(3);
    expect(await store.events.after(0, 10, EVERYTHING)).toEqual({ events: [], oldest: 0, head: 4 });
  });

  it("keeps days in the zone it was opened with, and moves them when the zone changes", async () => {
    const start_time = Date.UTC(2026, 0, 1, 3);
    const inUtc = await open();
    await inUtc.calls.accept([aCall("a", { start_time })], 1);
    expect([await on(inUtc, "2025-12-31"), await on(inUtc, "2026-01-01")]).toEqual([0, 1]);
    await close(inUtc);
    const inNewYork = await open({ timezone: "America/New_York" });
    await expect.poll(() => on(inNewYork, "2025-12-31"), { timeout: 5_000, interval: 20 }).toBe(1);
    expect(await on(inNewYork, "2026-01-01")).toBe(0);
  });
});

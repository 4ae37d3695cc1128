/** The parts of the full text: searched as one, left by erased words at once, and dropped when retention is through them. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import { dropPartStep } from "../../src/adapters/sql/full-text-parts.ts";
import type { SqliteOptions, SqliteStore } from "../../src/adapters/sql/open.ts";
import { searchWordsOf } from "../../src/adapters/sql/search-words.ts";
import { WriteContext } from "../../src/adapters/sql/write-context.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { checkFullText, indexedTurns, partsOf } from "../support/full-text.ts";
import { aCall, enriched, openQuiet, temporary } from "../support/sqlite-store.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
/** Calls in a part; two are few. */
const PART = 16;

async function scores(store: SqliteStore, words: string): Promise<{ at: string; score: number }[]> {
  const hits = await store.reads.keyword({ scope: EVERYTHING, filter: {}, text: words, limit: 1_000 });
  return hits.map(({ call_no, turn_index, score }) => ({ at: `${call_no}/${turn_index}`, score }));
}

describe("parts of the full text", () => {
  let place: ReturnType<typeof temporary>;
  let store: SqliteStore;
  let now: number;
  const open = (more: Partial<SqliteOptions> = {}) =>
    openQuiet(place.path, { now: () => now, part_calls: PART, ...more });
  beforeEach(async () => {
    place = temporary();
    now = START;
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    const db = openForWriting(place.path);
    checkFullText(db);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
    place.remove();
  });

  /** Accepts and enriches calls `from` to `to`, each with a word of its own beside common ones. */
  async function receive(from: number, to: number): Promise<void> {
    for (let i = from; i <= to; i++)
      await store.calls.accept(
        [aCall(`c${i}`, { customer_id: `cust${i}` }, [`the price of item${i} please`, "fine"])],
        1,
      );
    const items = await store.work.take(to - from + 1, "w", 60_000);
    await store.calls.saveEnrichment(items.map((item) => enriched(item, "w")));
  }
  const search = (text: string, limit = 100) => store.reads.keyword({ scope: EVERYTHING, filter: {}, text, limit });
  const foundCalls = async (text: string, limit?: number) => (await search(text, limit)).map((hit) => hit.call_no);
  function seen<T>(look: (db: ReturnType<typeof openForReading>) => T): T {
    const db = openForReading(place.path);
    try {
      return look(db);
    } finally {
      db.close();
    }
  }
  const parts = () => seen((db) => partsOf(db).map((part) => part.from_call_no));
  const withGone = () => seen((db) => partsOf(db).filter((part) => part.has_gone === 1));
  const inIndex = (words: string) => seen((db) => indexedTurns(db, words));

  it("begin after so many calls, or after a week that had some, and hold all calls between them", async () => {
    await receive(1, 40);
    expect(parts()).toEqual([0, 16, 32]);
    now += 8 * DAY_MS;
    await receive(41, 41);
    expect(parts()).toEqual([0, 16, 32, 41]);
    // Two calls a week are few.
    now += 8 * DAY_MS;
    await receive(42, 43);
    now += 8 * DAY_MS;
    await receive(44, 44);
    expect(parts()).toEqual([0, 16, 32, 41, 44]);
    expect(await foundCalls("price item17")).toEqual([17]);
    expect((await foundCalls("price")).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 44 }, (_, i) => i + 1));
  });

  it("weigh words alike: what stands in a part that has just begun does not come last", async () => {
    const texts = Array.from({ length: 3 * PART + 1 }, (_, i) =>
      Array.from({ length: 4 }, (_, turn) => `so we talk about plan ${turn === i % 4 ? "and price" : ""} and more`),
    );
    texts[4]?.splice(1, 1, "so we talk about a zebra and more");
    texts.at(-1)?.splice(1, 1, "so we talk about a zebra and more");
    const other = temporary();
    const whole = await openQuiet(other.path, { now: () => now });
    for (const to of [store, whole]) {
      await to.calls.accept(
        texts.map((turns, i) => aCall(`s${i}`, {}, turns)),
        1,
      );
      const items = await to.work.take(100, "w", 60_000);
      await to.calls.saveEnrichment(items.map((item) => enriched(item, "w")));
    }
    expect(parts()).toEqual([0, 16, 32, 48]);
    for (const words of ["zebra", "zebra talk", "price", "so-we"]) {
      const [mine, theirs] = [await scores(store, words), new Map<string, number>()];
      for (const { at, score } of await scores(whole, words)) theirs.set(at, score);
      expect(mine.map(({ at }) => at).toSorted()).toEqual([...theirs.keys()].toSorted());
      expect(mine.length).toBeGreaterThan(1);
      for (const { at, score } of mine) {
        expect(score / (theirs.get(at) ?? 0), `${words} ${at}`).toBeGreaterThan(0.9);
        expect(score / (theirs.get(at) ?? 0), `${words} ${at}`).toBeLessThan(1.1);
      }
    }
    await whole.close();
    other.remove();
  });

  it("take an old call in again where it belongs, and let go of its words at once when it is replaced or erased", async () => {
    await receive(1, 40);
    await store.calls.replace(aCall("c3", { customer_id: "cust3" }, ["another matter"]), 1);
    expect(inIndex("item3")).toBe(0);
    const items = await store.work.take(1, "w", 60_000);
    await store.calls.saveEnrichment(items.map((item) => enriched(item, "w")));
    expect(await foundCalls("another matter")).toEqual([3]);
    await store.calls.remove("c17", EVERYTHING);
    expect(await store.calls.erase("cust20")).toBe(1);
    expect([inIndex("item17"), inIndex("item20"), inIndex("item18")]).toEqual([0, 0, 1]);
    expect(parts()).toEqual([0, 16, 32]);
  });

  /** Pieces of the hash under which a word is indexed, as they are on disk: the leaves of FTS5 leave out common beginnings. */
  function onDisk(word: string): boolean {
    const hash = Buffer.from(seen((db) => searchWordsOf(db).indexed(word)).slice(1));
    const folder = dirname(place.path);
    return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(hash));
  }

  it("keep words of calls that retention erases, unfound, until all of a part is gone; then no byte of them is left", async () => {
    await receive(1, 20);
    now += DAY_MS;
    await receive(21, 40);
    expect([onDisk("item5"), onDisk("item18")]).toEqual([true, true]);
    expect(await store.calls.purge(START + 1, { recurring: true, hurry: true })).toBe(20);
    // All of the first part, and five calls of the second.
    expect(parts()).toEqual([16, 32]);
    expect([inIndex("item5"), inIndex("item18"), onDisk("item5")]).toEqual([0, 1, false]);
    expect(await foundCalls("item18")).toEqual([]);
    expect((await foundCalls("price")).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 21));
    expect(await foundCalls("price", 20)).toHaveLength(20);
    // The next night: the open part too, so that the next call begins one.
    expect(await store.calls.purge(now + 1, { recurring: true, hurry: true })).toBe(20);
    expect(parts()).toEqual([41]);
    expect([onDisk("item18"), onDisk("item40")]).toEqual([false, false]);
    await receive(41, 41);
    expect(await foundCalls("price")).toEqual([41]);
  });

  it("let go of a few calls turn by turn, and of all in a purge that does not come again tomorrow", async () => {
    await receive(1, 2);
    now += DAY_MS;
    await receive(3, 8);
    now += DAY_MS;
    await receive(9, 20);
    expect(await store.calls.purge(START + 1, { recurring: true, hurry: true })).toBe(2);
    expect([inIndex("item1"), inIndex("item3"), withGone()]).toEqual([0, 1, []]);
    expect(await store.calls.purge(START + DAY_MS + 1, { hurry: true })).toBe(6);
    expect([inIndex("item3"), inIndex("item9"), withGone()]).toEqual([0, 1, []]);
    expect(parts()).toEqual([0, 16]);
  });

  it("let go of more turn by turn where a part is older than parts, and its last call far away", async () => {
    await store.close();
    store = await open({ part_calls: 1_000 });
    // Of a store that was there before there were parts.
    const db = openForWriting(place.path);
    db.prepare("UPDATE full_text_parts SET opened_at = ?").run(START);
    db.close();
    await receive(1, 10);
    now += 30 * DAY_MS;
    await receive(11, 20);
    await store.close();
    store = await open();
    await receive(21, 21);
    expect(parts()).toEqual([0, 21]);
    expect(await store.calls.purge(START + 1, { recurring: true, hurry: true })).toBe(10);
    expect([inIndex("item1"), inIndex("item11")]).toEqual([0, 1]);
    expect(withGone()).toEqual([]);
  });

  it("are dropped in steps that may be interrupted, and the file is sound in between", async () => {
    await receive(1, 40);
    const stopping = new AbortController();
    const last = (erased: number) => erased === 40 && stopping.abort();
    await store.calls.purge(now + 1, { recurring: true, hurry: true, signal: stopping.signal, onProgress: last });
    expect(parts()).toEqual([0, 16, 32, 41]);
    expect([inIndex("item5"), await foundCalls("price")]).toEqual([1, []]);
    await store.close();
    const db = openForWriting(place.path);
    const context = new WriteContext(db, "UTC", PART);
    for (let step = 0; step < 3; step++) {
      expect(db.transaction(() => dropPartStep(context, 1))()).toBe(true);
      expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    }
    expect(partsOf(db)[0]).toMatchObject({ from_call_no: 0, leaving: 1 });
    db.close();
    store = await open();
    expect(await foundCalls("price")).toEqual([]);
    // Nothing is left to be erased.
    expect(await store.calls.purge(now + 1, { recurring: true, hurry: true })).toBe(0);
    expect(parts()).toEqual([41]);
    expect(onDisk("item5")).toBe(false);
    await receive(41, 42);
    expect((await foundCalls("price")).toSorted((a, b) => a - b)).toEqual([41, 42]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Objects } from "../../src/adapters/lake/objects.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import type { Lake, LakeTerms } from "../../src/ports/lake.ts";
import { advanceLake, type LakeWriterDeps, writeLake } from "../../src/services/lake-writer.ts";
import { enrichAll, enrichedCall, everythingIn } from "../support/lake-calls.ts";
import { aCall, freshStore } from "../support/sqlite-store.ts";

/** A lake without anything in it; each `open` is a process of its own. */
export interface TestLake {
  open(timezone?: string): Promise<Lake>;
  readonly objects: Objects;
  /** Where each process keeps what it fetches. */
  readonly folders: readonly string[];
  close(): Promise<void>;
}

const TERMS: LakeTerms = { log_id: "log", timezone: "UTC", text: false };
const DAY_MS = 86_400_000;
const at = (day: number, hour = 12): number => Date.UTC(2026, 2, day, hour);

/** Holds a Lake adapter to the port, written to by the service that writes it. */
export function lakeContract(name: string, make: () => Promise<TestLake>): void {
  describe(`Lake: ${name}`, () => {
    let place: TestLake;
    let lake: Lake;
    let store: SqliteStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      place = await make();
      lake = await place.open();
      const { store: made, remove } = await freshStore();
      store = made;
      close = async () => {
        await lake.close();
        await remove();
        await place.close();
      };
    });
    afterEach(() => close());

    const deps = (more: Partial<LakeWriterDeps> = {}): LakeWriterDeps => ({
      lake,
      events: store.events,
      reads: store.reads,
      terms: TERMS,
      ...more,
    });
    const write = (more: Partial<LakeWriterDeps> = {}) => writeLake(deps(more));
    const everything = () => everythingIn(place.objects, place.folders);
    /** Without what a matcher would print of all of it. */
    const holds = async (what: RegExp): Promise<boolean> => what.test(await everything());
    const ids = async (): Promise<unknown[]> =>
      (await lake.query("SELECT call_id FROM calls ORDER BY call_id")).rows.map(([id]) => id);

    test("is empty at first, and can be asked all the same", async () => {
      expect(await lake.state()).toMatchObject({ version: 0, seq: 0, files: 0, rows: 0 });
      expect(await lake.query("SELECT count(*) AS n FROM calls")).toEqual({ columns: ["n"], rows: [["0"]] });
      expect(await lake.check()).toEqual([]);
    });

    test("has the figures of the store for every agent and day, when filled and when it has followed", async () => {
      const days = [1, 2, 3];
      const enrichSome = async (from: number) => {
        for (let i = from; i < from + 12; i++) {
          await enrichedCall(store, `call-${i}`, {
            agent_id: ["ann", "bob"][i % 2] as string,
            start_time: at(days[i % 3] as number),
            sentiment: (i % 7) / 10 - 0.3,
            talk: (i % 5) / 10,
          });
        }
      };
      const compare = async () => {
        for (const day of days) {
          const date = `2026-03-0${day}`;
          const sums = await store.rollups.agents({
            scope: EVERYTHING,
            measures: ["customer_sentiment_score", "agent_talk_ratio"],
            from_day: date,
            to_day: date,
          });
          const { rows } = await lake.query(
            `SELECT agent_id, count(*)::INT, avg(customer_sentiment_score), avg(agent_talk_ratio) FROM calls
              WHERE day = '${date}' GROUP BY agent_id ORDER BY agent_id`,
          );
          expect(rows).toHaveLength(2);
          for (const [i, { agent_id, measures }] of sums
            .toSorted((a, b) => (a.agent_id < b.agent_id ? -1 : 1))
            .entries()) {
            const [sentiment, talk] = [measures.customer_sentiment_score, measures.agent_talk_ratio];
            expect(rows[i]?.slice(0, 2)).toEqual([agent_id, sentiment?.n]);
            expect(rows[i]?.[2]).toBeCloseTo((sentiment?.sum ?? 0) / (sentiment?.n ?? 0), 6);
            expect(rows[i]?.[3]).toBeCloseTo((talk?.sum ?? 0) / (talk?.n ?? 0), 6);
          }
        }
      };
      await enrichSome(0);
      await write();
      await compare();
      await enrichSome(12);
      await write();
      await compare();
      expect(await lake.state()).toMatchObject({ rows: 24, seq: await store.events.head(), fill: null });
      expect(await lake.check()).toEqual([]);
    });

    test("holds row, measures and the sentiment of every turn, and what was said only where that is asked for", async () => {
      await enrichedCall(store, "a", { outcome: "won", start_time: at(4), texts: ["a canary sings", "it does"] });
      await write();
      const sql = `SELECT call_id, revision, outcome, day::VARCHAR AS day, epoch_ms(start_time)::DOUBLE AS start_time, customer_sentiment_score,
        turn_speaker, turn_sentiment, turn_text FROM calls`;
      const row = ["a", 1, "won", "2026-03-04", at(4), 0.5, ["agent", "customer"], [null, 0.5]];
      expect((await lake.query(sql)).rows).toEqual([[...row, null]]);
      expect(await holds(/canary/)).toBe(false);
      await write({ terms: { ...TERMS, text: true } });
      expect((await lake.query(sql)).rows).toEqual([[...row, ["a canary sings", "it does"]]]);
      expect(await holds(/canary/)).toBe(true);
      await write();
      expect((await lake.query(sql)).rows).toEqual([[...row, null]]);
      expect(await holds(/canary/)).toBe(false);
    });

    test("has the days of the time zone", async () => {
      await enrichedCall(store, "late", { start_time: at(4, 23) + 0.5 * 3_600_000 });
      await lake.close();
      lake = await place.open("Asia/Tokyo");
      await write({ terms: { ...TERMS, timezone: "Asia/Tokyo" } });
      expect((await lake.query("SELECT day::VARCHAR, strftime(start_time, '%H:%M') FROM calls")).rows).toEqual([
        ["2026-03-05", "08:30"],
      ]);
      await write();
      expect((await lake.query("SELECT day::VARCHAR FROM calls")).rows).toEqual([["2026-03-04"]]);
    });

    test("writes nothing where nothing is new, and is committed once by writers that come at the same time", async () => {
      await enrichedCall(store, "a");
      expect(await write()).toMatchObject({ rows: 1 });
      const before = await place.objects.list("");
      expect(await write()).toMatchObject({ rows: 0 });
      expect(await place.objects.list("")).toEqual(before);
      const other = await place.open();
      try {
        for (let i = 0; i < 5; i++) {
          await enrichedCall(store, `b${i}`, { start_time: at(1 + (i % 2)) });
          const done = await Promise.all([write(), write({ lake: other })]);
          expect(done.reduce((n, { rows }) => n + rows, 0)).toBe(1);
        }
      } finally {
        await other.close();
      }
      expect(await ids()).toEqual(["a", "b0", "b1", "b2", "b3", "b4"]);
      expect(await lake.state()).toMatchObject({ rows: 6 });
      expect(await lake.check()).toEqual([]);
    });

    test("goes on with a filling where it stopped; what is served meanwhile is what was there before", async () => {
      for (let i = 0; i < 7; i++) await enrichedCall(store, `call-${i}`);
      const limits = { events: 100, calls: 3 };
      expect(await advanceLake(deps({ limits }))).toMatchObject({ status: "committed", rows: 3 });
      expect(await lake.state()).toMatchObject({ version: 1, files: 0, fill: { seq: 14 } });
      expect(await ids()).toEqual([]);
      await enrichedCall(store, "later");
      await store.calls.remove("call-1", EVERYTHING);
      await lake.close();
      lake = await place.open();
      await write({ limits });
      expect(await ids()).toEqual(["call-0", "call-2", "call-3", "call-4", "call-5", "call-6", "later"]);
      expect(await lake.check()).toEqual([]);
    });

    test("shows the newest version of a call, and none while its text is new", async () => {
      await enrichedCall(store, "a", { sentiment: 0.1 });
      await write();
      await store.calls.replace(aCall("a", { start_time: at(20), digest: "cd".repeat(32) }, ["other", "words"]), 1);
      await write();
      expect(await ids()).toEqual([]);
      await enrichAll(store, { sentiment: 0.9 });
      await write();
      const sql = "SELECT revision, day::VARCHAR, customer_sentiment_score FROM calls";
      expect((await lake.query(sql)).rows).toEqual([[2, "2026-03-20", 0.9]]);
      expect(await lake.state()).toMatchObject({ rows: 1, files: 1 });
      expect(await lake.check()).toEqual([]);
    });

    test("keeps nothing of an erased call or customer in any file", async () => {
      await enrichedCall(store, "keep-1", { customer_id: "kept-customer" });
      await enrichedCall(store, "gone-1", { customer_id: "erased-customer" });
      await write();
      await enrichedCall(store, "gone-2", { customer_id: "erased-customer", start_time: at(11) });
      await enrichedCall(store, "keep-2", { customer_id: "kept-customer" });
      await enrichedCall(store, "gone-3", { customer_id: "kept-customer" });
      await write();
      // Also what a query has fetched, here and by a process that does not write.
      const sql = "SELECT avg(customer_sentiment_score) FROM calls";
      await lake.query(sql);
      const reader = await place.open();
      await reader.query(sql);
      expect(await holds(/erased-customer/)).toBe(true);
      await store.calls.erase("erased-customer");
      await store.calls.remove("gone-3", EVERYTHING);
      await write();
      await reader.query(sql);
      await reader.close();
      expect(await holds(/kept-customer/)).toBe(true);
      expect(await holds(/erased-customer|gone-\d/)).toBe(false);
      expect(await ids()).toEqual(["keep-1", "keep-2"]);
      expect(await lake.check()).toEqual([]);
    });

    test("is filled anew where the log does not reach back, and refuses another store's", async () => {
      await enrichedCall(store, "a");
      await enrichedCall(store, "b");
      await write();
      await store.calls.remove("a", EVERYTHING);
      await enrichedCall(store, "c");
      await store.pruneEvents(Date.now() + DAY_MS);
      await write();
      expect(await ids()).toEqual(["b", "c"]);
      expect(await holds(/"a"/)).toBe(false);
      await expect(write({ terms: { ...TERMS, log_id: "another" } })).rejects.toMatchObject({ code: "conflict" });
    });

    test("gives a day of many files one, and answers readers meanwhile", async () => {
      for (let i = 0; i < 8; i++) {
        await enrichedCall(store, `call-${i}`);
        await advanceLake(deps());
      }
      expect(await lake.state()).toMatchObject({ files: 8, most_files: 8 });
      const reader = await place.open();
      try {
        const asked: Promise<unknown>[] = [];
        for (let i = 0; i < 5; i++) asked.push(reader.query("SELECT count(*)::INT AS n FROM calls"));
        await write();
        for (const answer of await Promise.all(asked)) expect(answer).toEqual({ columns: ["n"], rows: [[8]] });
      } finally {
        await reader.close();
      }
      expect(await lake.state()).toMatchObject({ files: 1, rows: 8 });
      expect(await place.objects.list("calls/")).toHaveLength(1);
      expect(await lake.check()).toEqual([]);
    });

    test("says what is wrong with a question", async () => {
      await expect(lake.query("SELECT no_such FROM calls")).rejects.toMatchObject({ code: "validation" });
      await expect(lake.query("SELEKT")).rejects.toMatchObject({ code: "validation" });
    });
  });
}

/** What is particular to PostgreSQL: many processes write at once, and nobody waits for nobody. */
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { Database } from "../../src/adapters/sql/postgres/database.ts";
import { migrate, migrations } from "../../src/adapters/sql/postgres/migrate.ts";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { random } from "../support/call-rows.ts";
import { ask, freshDatabase } from "../support/postgres-server.ts";
import { expectWhole, freshPostgres, openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { aCall, enriched, someInsights, someVectors } from "../support/sqlite-store.ts";

const DAY = 86_400_000;
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A database and so many stores on it, as of as many processes. */
async function several(n: number): Promise<{ url: string; stores: Store[] }> {
  const { url, drop } = await freshDatabase();
  undo.push(drop);
  const stores = await Promise.all(Array.from({ length: n }, () => openQuietPostgres(url)));
  for (const store of stores) undo.push(() => store.close());
  return { url, stores };
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  undo.push(() => client.end());
  return client;
}

const seqs = async (store: Store, after = 0) =>
  (await store.events.after(after, 1_000, EVERYTHING)).events.map((event) => `${event.seq} ${event.call_id}`);

describe.skipIf(requirement("postgres") === null)("PostgreSQL store", () => {
  test("a transaction that commits late loses none of its events, and makes no gap", async () => {
    const { url, stores } = await several(2);
    const [early, late] = stores as [Store, Store];
    await late.calls.accept([aCall("first", { agent_id: "bob" })], 1);
    expect(await seqs(early)).toEqual(["1 first"]);
    // Whoever holds a sum holds up the COMMIT of a call of that agent, whose event has its place by then.
    const holder = await connected(url);
    await holder.query("BEGIN; SELECT * FROM rollups FOR UPDATE");
    const held = late.calls.accept([aCall("late", { agent_id: "bob" })], 1);
    await expect
      .poll(() =>
        ask(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"),
      )
      .toHaveLength(1);
    await early.calls.accept([aCall("early", { agent_id: "ann" })], 1);
    // A follower reads on, and stands behind the later of the two.
    expect(await seqs(early)).toEqual(["1 first", "2 early"]);
    await holder.query("COMMIT");
    await held;
    expect(await seqs(early, 2)).toEqual(["3 late"]);
    const [numbers] = await ask<{ early: string; late: string }>(
      url,
      `SELECT (SELECT call_no FROM call_records WHERE call_id = 'early') > (SELECT call_no FROM call_records WHERE call_id = 'late') AS ordered`,
    );
    expect(numbers).toEqual({ ordered: true });
  });

  test("another process hears of a commit, each head once", async () => {
    const { stores } = await several(2);
    const [one, other] = stores as [Store, Store];
    const heads: number[] = [];
    other.events.onChange(() => void other.events.head().then((head) => heads.push(head)));
    await one.calls.accept([aCall("a"), aCall("b")], 1);
    await expect.poll(() => heads).toEqual([2]);
    await one.calls.remove("a", EVERYTHING);
    await expect.poll(() => heads).toEqual([2, 3]);
  });

  test("calls that come together are committed together", async () => {
    const { stores } = await several(1);
    const [store] = stores as [Store];
    const before = store.commits();
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => store.calls.accept([aCall(`c${i}`)], 1)));
    expect(results.flat().every(({ status }) => status === "accepted")).toBe(true);
    expect(store.commits() - before).toBeLessThan(20);
    expect(store.oldestWrite()).toBe(0);
  });

  test("whatever three processes do at once to the same calls and sums, none of it fails and the sums are right", async () => {
    const { url, stores } = await several(3);
    const next = random(7);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
    const ids = Array.from({ length: 12 }, (_, i) => `c${i}`);
    const agents = ["ann", "bob", "cyd"];
    const start_time = () => Date.UTC(2026, 2, 1 + Math.floor(next() * 5));
    const call = () => aCall(pick(ids), { agent_id: pick(agents), start_time: start_time() });
    const one = async (store: Store, worker: string): Promise<void> => {
      switch (Math.floor(next() * 8)) {
        case 0:
        case 1: {
          const results = await store.calls.accept([call(), call(), call()], 1);
          expect(results.filter(({ status }) => status === "failed")).toEqual([]);
          return;
        }
        case 2:
          await store.calls.replace(call(), 1);
          return;
        case 3:
          await store.calls.remove(pick(ids), EVERYTHING);
          return;
        case 4:
          await store.calls.reprocess(pick(ids), EVERYTHING, 1);
          return;
        case 5:
          await store.work.requeueDegraded(3);
          return;
        default: {
          const items = await store.work.take(4, worker, 60_000);
          const made = items.map((item) =>
            enriched(item, worker, {
              method: next() < 0.5 ? "model" : "statistical",
              insights: someInsights({ customer_sentiment_score: next(), agent_words: Math.floor(next() * 100) }),
              vectors: someVectors(item.call_no),
            }),
          );
          await store.calls.saveEnrichment(made);
        }
      }
    };
    const lanes = stores.flatMap((store, s) =>
      Array.from({ length: 4 }, async (_, lane) => {
        for (let i = 0; i < 40; i++) await one(store, `w${s}${lane}`);
      }),
    );
    const rebuilt = (async () => {
      for (let i = 0; i < 3; i++)
        expect(await stores[0]?.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
    })();
    await Promise.all([...lanes, rebuilt]);
    expect(await stores[1]?.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
    await expectWhole(url);
    const { events, head } = await (stores[2] as Store).events.after(0, 10_000, EVERYTHING);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
  }, 60_000);

  test("retention drops the months that hold no call any more, and no other", async () => {
    const clock = { now: Date.UTC(2026, 0, 15) };
    const fresh = await freshPostgres({ now: () => clock.now });
    const { store, url } = fresh;
    undo.push(() => fresh.remove());
    const months = async () =>
      (
        await ask<{ name: string }>(
          url,
          "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'call_texts'::regclass ORDER BY 1",
        )
      ).map(({ name }) => name.slice(-6));
    await store.calls.accept([aCall("january")], 1);
    clock.now = Date.UTC(2026, 2, 20);
    await store.calls.accept([aCall("march"), aCall("march, late")], 1);
    for (const item of await store.work.take(9, "w", DAY)) {
      await store.calls.saveEnrichment([enriched(item, "w", { vectors: someVectors(item.call_no) })]);
    }
    const before = await months();
    expect(before).toEqual(expect.arrayContaining(["202601", "202602", "202603", "202604"]));
    expect(await store.calls.purge(Date.UTC(2026, 2, 10))).toBe(1);
    expect(await months()).toEqual(before.filter((month) => month > "202602"));
    expect((await store.reads.get("march", EVERYTHING))?.turns).toHaveLength(2);
    // A clock that went back finds no month for what it takes in, and makes it.
    clock.now = Date.UTC(2026, 0, 20);
    expect(await store.calls.accept([aCall("again")], 1)).toMatchObject([{ status: "accepted" }]);
    await expectWhole(url);
  });

  test("an idle taker writes nothing, and takers do not wait for whoever holds a call", async () => {
    const { url, stores } = await several(1);
    const [store] = stores as [Store];
    await store.calls.accept([aCall("held"), aCall("free")], 1);
    const holder = await connected(url);
    await holder.query("BEGIN; SELECT * FROM call_records WHERE call_id = 'held' FOR UPDATE");
    expect((await store.work.take(5, "w", DAY)).map((item) => item.call_id)).toEqual(["free"]);
    await holder.query("COMMIT");
    expect((await store.work.take(5, "w", DAY)).map((item) => item.call_id)).toEqual(["held"]);
    const before = store.commits();
    expect(await store.work.take(5, "w", DAY)).toEqual([]);
    expect(store.commits()).toBe(before);
  });

  test("an address that answers nothing is said in a sentence", async () => {
    const nowhere = openQuietPostgres("postgres://nobody@127.0.0.1:1/earshot");
    await expect(nowhere).rejects.toMatchObject({ code: "store_unavailable", message: /ECONNREFUSED/ });
  });
});

const LATER = {
  version: 1_000,
  name: "1000-later.sql",
  sql: `-- one by one
CREATE INDEX CONCURRENTLY idx_later ON call_records (language);
-- and another
CREATE INDEX CONCURRENTLY idx_later_still ON call_records (model);
`,
};
const open = async () => {
  const { url, drop } = await freshDatabase();
  const db = new Database({ url, pool: 2 });
  undo.push(drop, () => db.close());
  return { url, db };
};
const indexes = async (url: string) =>
  (
    await ask<{ indexname: string }>(
      url,
      "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'idx_later%' ORDER BY 1",
    )
  ).map((row) => row.indexname);

describe.skipIf(requirement("postgres") === null)("migrations", () => {
  test("are applied once, however many processes start at once, and an older program keeps away", async () => {
    const { url, db } = await open();
    const all = [...migrations(), LATER];
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(db, all)));
    expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1]);
    expect(await indexes(url)).toEqual(["idx_later", "idx_later_still"]);
    await expect(openQuietPostgres(url)).rejects.toMatchObject({ code: "store_unavailable", message: /newer Earshot/ });
  });

  test("one that fails leaves nothing behind, and can be tried again", async () => {
    const { url, db } = await open();
    const bad = { ...LATER, sql: "CREATE INDEX idx_later ON call_records (language); SELECT 1 / 0;" };
    await expect(migrate(db, [...migrations(), bad])).rejects.toThrow(/division by zero/);
    expect(await indexes(url)).toEqual([]);
    expect(await migrate(db, [...migrations(), LATER])).toBe(1);
  });

  test("one that meets a long transaction gives up after seconds, instead of holding everybody up", async () => {
    const { url, db } = await open();
    const holder = await connected(url);
    await holder.query("BEGIN; SELECT count(*) FROM call_records");
    const rude = { ...LATER, sql: "ALTER TABLE call_records ADD COLUMN later text;" };
    await expect(migrate(db, [...migrations(), rude])).rejects.toMatchObject({ code: "store_unavailable" });
    await holder.query("COMMIT");
    expect(await migrate(db, [...migrations(), rude])).toBe(1);
  });
});

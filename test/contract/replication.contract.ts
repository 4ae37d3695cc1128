import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { NO_ALERTS } from "../../src/core/live-alerts.ts";
import { startLive } from "../../src/core/live-measures.ts";
import { NEWEST_FIRST } from "../../src/core/list.ts";
import { fromWire, toWire } from "../../src/core/whole-call.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { Mirror, MirrorStep, Part } from "../../src/ports/replication.ts";
import { readCalls, readChanges } from "../../src/services/originals.ts";
import { checkFullText } from "../support/full-text.ts";
import { aCall, enriched, openQuiet, someInsights, someVectors, temporary } from "../support/sqlite-store.ts";

const W = "worker";
const accepted = PRIORITY.single;

/** The answer of the primary as a step, over the wire and back. */
async function stepOf(parts: AsyncIterable<Part>): Promise<Required<Pick<MirrorStep, "calls" | "live" | "events">>> {
  const step = { calls: [], live: [], events: [] } as { calls: unknown[]; live: unknown[]; events: unknown[] };
  for await (const part of parts) {
    if (part.kind === "call") step.calls.push(fromWire(JSON.parse(JSON.stringify(toWire(part.call)))));
    if (part.kind === "live") step.live.push(JSON.parse(JSON.stringify(part.live)));
    if (part.kind === "event") step.events.push(JSON.parse(JSON.stringify(part.event)));
  }
  return step as Awaited<ReturnType<typeof stepOf>>;
}

/** What runs there waits here. */
function settled<R extends { state: string }>(row: R): R {
  return row.state === "running" ? { ...row, state: "pending" } : row;
}

/** What the two stores must show alike. */
async function view(store: Store): Promise<object> {
  const list = await store.reads.list({
    scope: EVERYTHING,
    filter: {},
    sort: NEWEST_FIRST,
    page: { limit: 100, offset: 0, after: null },
    total: true,
  });
  const calls = await store.reads.texts(list.rows.map(({ call_no }) => call_no));
  return {
    total: list.total,
    calls: calls.map(({ row, turns, insights }) => ({ row: settled(row), turns, insights })),
    vectors: await store.reads.vectors(list.rows.map(({ call_no }) => call_no)),
    agents: (await store.rollups.agents({ scope: EVERYTHING, measures: ["agent_talk_ratio"] })).toSorted((a, b) =>
      a.agent_id < b.agent_id ? -1 : 1,
    ),
    words: (await store.reads.keyword({ scope: EVERYTHING, text: "zebra", filter: {}, limit: 10 })).map(
      ({ call_no, turn_index }) => [call_no, turn_index],
    ),
    live: await store.live.list(EVERYTHING, 10),
  };
}

/** Holds a store to Originals, and a SQLite store that is a copy of it to Mirror. */
export function replicationContract(
  name: string,
  open: () => Promise<{ store: Store; close: () => Promise<void> }>,
): void {
  describe(`Originals and Mirror: ${name}`, () => {
    let original: Store;
    let close: () => Promise<void>;
    let copy: SqliteStore;
    let mirror: Mirror;
    let path: string;
    let remove: () => void;

    beforeEach(async () => {
      ({ store: original, close } = await open());
      ({ path, remove } = temporary());
      copy = await openQuiet(path);
      mirror = copy.mirror as Mirror;
    });
    afterEach(async () => {
      await close();
      expect((await copy.rollups.rebuild(() => undefined)).drifted).toBe(0);
      await copy.close();
      const db = openForWriting(path);
      checkFullText(db);
      expect(db.pragma("foreign_key_check")).toEqual([]);
      db.close();
      remove();
    });

    async function enrich(of: Record<string, number>, more: Parameters<typeof enriched>[2] = {}): Promise<void> {
      for (const item of await original.work.take(50, W, 60_000)) {
        const seed = of[item.call_id];
        if (seed === undefined) await original.work.release([item.work_no], W);
        else {
          const insights = someInsights({ customer_sentiment_score: seed / 10, agent_talk_ratio: 0.5 });
          await original.calls.saveEnrichment([enriched(item, W, { insights, vectors: someVectors(seed), ...more })]);
        }
      }
    }

    const everything = async () => stepOf(readCalls(original, { after: 0, limit: 1_000 }));
    const changes = async (seq: number) => stepOf(readChanges(original, { seq, limit: 1_000 }));

    it("names calls in order with their digests, and leaves out what is not there", async () => {
      await original.calls.accept([aCall("a"), aCall("b", { digest: "cd".repeat(32) }), aCall("c")], accepted);
      await original.calls.remove("a", EVERYTHING);
      const all = await original.originals.after(0, 10);
      expect(all.map(({ digest }) => digest.slice(0, 2))).toEqual(["cd", "ab"]);
      const [b, c] = all.map(({ call_no }) => call_no) as [number, number];
      expect(await original.originals.after(0, 1)).toEqual([all[0]]);
      expect(await original.originals.after(b, 10)).toEqual([all[1]]);
      expect(await original.originals.of([c, c + 1, b])).toEqual([all[1], all[0]]);
    });

    it("copies calls that wait, are enriched, degraded or dead, with sums, vectors and full text", async () => {
      await original.calls.accept(
        [aCall("a", {}, ["a zebra", "x"]), aCall("b"), aCall("c", { agent_id: "bob" })],
        accepted,
      );
      await original.calls.accept([aCall("d", {}, ["zebra zebra"]), aCall("e")], accepted);
      await enrich({ a: 1, b: 2 });
      await enrich({ c: 3 }, { method: "statistical", vectors: null });
      for (const item of await original.work.take(50, W, 60_000)) {
        if (item.call_id === "d")
          await original.work.fail([{ work_no: item.work_no, error: "gave up", retry_at: null }], W);
      }
      await mirror.apply(await everything());
      expect(await view(copy)).toEqual(await view(original));
      // Once more changes nothing.
      await mirror.apply(await everything());
      expect(await view(copy)).toEqual(await view(original));
    });

    it("follows replaces, new enrichments, deletions and an id that is used again", async () => {
      await original.calls.accept([aCall("a", {}, ["a zebra", "x"]), aCall("b"), aCall("c"), aCall("d")], accepted);
      await enrich({ a: 1, b: 2, c: 3, d: 4 });
      const seq = await original.events.head();
      await mirror.apply({ ...(await everything()), restart: seq });
      await original.calls.replace(aCall("b", { agent_id: "bob", digest: "ef".repeat(32) }, ["zebra b"]), accepted);
      await original.calls.reprocess("d", EVERYTHING, accepted);
      await enrich({ b: 5, d: 6 });
      const gone = (await original.reads.row("a", EVERYTHING))?.call_no as number;
      await original.calls.remove("a", EVERYTHING);
      await original.calls.accept([aCall("a", { digest: "00".repeat(32) }, ["zebra again"])], accepted);
      await mirror.apply({ ...(await changes(seq)), gone: [gone], place: "here" });
      expect(await view(copy)).toEqual(await view(original));
      expect(await mirror.place()).toBe("here");
      expect(await copy.events.after(seq, 100, EVERYTHING)).toEqual({
        ...(await original.events.after(seq, 100, EVERYTHING)),
        oldest: seq + 1,
      });
    });

    it("drops what is in a range and not in its calls", async () => {
      await original.calls.accept([aCall("a"), aCall("b"), aCall("c"), aCall("d")], accepted);
      await enrich({ a: 1, b: 2, c: 3, d: 4 });
      await mirror.apply(await everything());
      const numbers = (await original.originals.after(0, 10)).map(({ call_no }) => call_no) as [number, number, number];
      await original.calls.remove("b", EVERYTHING);
      const { calls } = await everything();
      await mirror.apply({ calls: calls.slice(0, 2), range: { after: 0, to: numbers[2] } });
      expect(await view(copy)).toEqual(await view(original));
    });

    it("copies calls that go on, and lets go of those that ended", async () => {
      const start = { agent_id: "ann", customer_id: null, language: "en", start_time: 5, digest: "ab".repeat(32) };
      for (const call_id of ["l1", "l2"])
        await original.live.start({ ...start, call_id, state: startLive("en"), alert_state: NO_ALERTS });
      const turn = { turn_id: null, speaker: "agent", text: "hello", start_ms: null, end_ms: null } as const;
      await original.live.append("l1", [turn, { ...turn, speaker: "customer" }], { turns: 10, text_bytes: 1_000 });
      await mirror.apply({ ...(await everything()), liveGone: "others" });
      expect(await copy.live.get("l1", EVERYTHING)).toEqual(await original.live.get("l1", EVERYTHING));
      await original.calls.remove("l2", EVERYTHING);
      await mirror.apply({ liveGone: ["l2"] });
      expect(await view(copy)).toEqual(await view(original));
    });

    it("takes over keys, users and teams, and says which calls the dead letters change", async () => {
      const account = { kind: "key", name: "k", agent_id: null, team: null, created_at: 1, revoked_at: null } as const;
      await original.accounts.add({ ...account, account_id: "1", role: "admin" }, "s1");
      await original.accounts.add({ ...account, account_id: "2", role: "agent", agent_id: "ann", team: "north" }, "s2");
      await original.accounts.revoke("1");
      await original.calls.accept([aCall("a"), aCall("b")], accepted);
      await mirror.apply(await everything());
      const [item] = await original.work.take(1, W, 60_000);
      if (!item) throw new Error("nothing to take");
      await original.work.fail([{ work_no: item.work_no, error: "gave up", retry_at: null }], W);
      const standing = async () => ({
        accounts: await original.originals.accounts(),
        teams: await original.originals.teams(),
        dead: await original.work.dead(10, EVERYTHING),
      });
      expect(await mirror.stand(await standing())).toEqual({ changed: [item.call_no], whole: true });
      expect(await copy.accounts.byKeyHash("s1")).toBeNull();
      expect(await copy.accounts.byKeyHash("s2")).toMatchObject({ agent_id: "ann", team: "north" });
      expect(await copy.originals.teams()).toEqual([{ agent_id: "ann", team: "north" }]);
      await mirror.apply(await everything());
      expect((await copy.work.dead(10, EVERYTHING)).map(({ call_id, error }) => [call_id, error])).toEqual([
        [item.call_id, "gave up"],
      ]);
      await original.work.redrive(null, EVERYTHING);
      expect(await mirror.stand(await standing())).toEqual({ changed: [item.call_no], whole: true });
      await mirror.apply(await everything());
      expect(await view(copy)).toEqual(await view(original));
    });

    it("knows whether what is there was copied", async () => {
      expect([await mirror.foreign(), await mirror.place()]).toEqual([false, null]);
      await copy.calls.accept([aCall("own")], accepted);
      expect(await mirror.foreign()).toBe(true);
      await mirror.apply({ range: { after: 0, to: 1_000 }, place: "there" });
      expect([await mirror.foreign(), await mirror.place()]).toEqual([false, "there"]);
      expect(await copy.originals.after(0, 10)).toEqual([]);
    });

    it("becomes a store of its own, where what waits is worked on", async () => {
      await original.calls.accept([aCall("a"), aCall("b")], accepted);
      await enrich({ a: 1 });
      await mirror.apply({ ...(await everything()), place: "there" });
      expect([await mirror.release(), await mirror.release(), await mirror.place()]).toEqual([true, false, null]);
      expect((await copy.work.take(10, W, 60_000)).map(({ call_id }) => call_id)).toEqual(["b"]);
      const [again] = await copy.calls.accept([aCall("a")], accepted);
      expect(again).toMatchObject({ status: "replayed" });
    });

    it("empties its log where it goes on from another seq", async () => {
      await original.calls.accept([aCall("a"), aCall("b")], accepted);
      const { events } = await changes(0);
      await mirror.apply({ events });
      await copy.events.after(0, 10, EVERYTHING);
      await mirror.apply({ restart: 1 });
      expect(await copy.events.after(0, 10, EVERYTHING)).toEqual({ events: [], oldest: 0, head: 1 });
      await mirror.apply({ events: events.slice(1) });
      expect((await copy.events.after(0, 10, EVERYTHING)).events.map(({ seq }) => seq)).toEqual([2]);
    });
  });
}

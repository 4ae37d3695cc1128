import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { turnsText } from "../../src/core/turns-text.ts";
import { type EnrichedCall, PRIORITY } from "../../src/ports/calls.ts";
import type { WorkItem } from "../../src/ports/work.ts";
import { type MakeStore, type TestStore, aCall, enriched, someInsights, someVectors } from "../support/sqlite-store.ts";

const mark = (from: string | null, to: string, ...places: string[]) => ({ name: "source", from, to, places });

/** Holds a Calls adapter, together with its Work and Events, to the port. */
export function callsContract(name: string, make: MakeStore): void {
  describe(`Calls: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    const takeOne = async (worker = "w"): Promise<WorkItem> => {
      const [item] = await store.work.take(1, worker, 60_000);
      if (!item) throw new Error("no work");
      return item;
    };
    const save = (item: WorkItem, more: Partial<EnrichedCall> = {}) =>
      store.calls.saveEnrichment([enriched(item, "w", more)]);
    const eventTypes = async () =>
      (await store.events.after(0, 100, EVERYTHING)).events.map((event) => `${event.type} ${event.call_id}`);

    it("tells accepted, replayed and conflicting calls apart, also within one batch", async () => {
      const first = await store.calls.accept([aCall("a"), aCall("a"), aCall("a", { digest: "cd".repeat(32) })], 1);
      expect(first).toEqual([
        { status: "accepted", call_no: 1, revision: 1 },
        { status: "replayed", call_no: 1, revision: 1 },
        { status: "conflict" },
      ]);
      expect(await store.calls.accept([aCall("a")], 1)).toEqual([{ status: "replayed", call_no: 1, revision: 1 }]);
      expect(await eventTypes()).toEqual(["call.accepted a"]);
      expect(await store.work.depth()).toMatchObject({ ready: 1 });
    });

    it("lets one bad row fail alone", async () => {
      const bad = aCall("bad", { outcome: "nonsense" as "won" });
      const results = await store.calls.accept([aCall("a"), bad, aCall("b", { agent_id: "bob" })], 1);
      expect(results.map((result) => result.status)).toEqual(["accepted", "failed", "accepted"]);
      expect(await eventTypes()).toEqual(["call.accepted a", "call.accepted b"]);
      expect(await store.state("bad")).toBeNull();
      const sums = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
      expect(sums.map((sum) => [sum.agent_id, sum.total_calls])).toEqual([
        ["ann", 1],
        ["bob", 1],
      ]);
      expect((await store.events.after(0, 10, EVERYTHING)).events.map((event) => event.seq)).toEqual([1, 2]);
    });

    it("takes a call whose words come packed for the same call", async () => {
      const { turns, ...call } = aCall("a", {}, ["tremendous offer", "too expensive"]);
      const packed = { ...call, turns_zlib: deflateSync(turnsText(turns)) };
      expect(await store.calls.accept([packed], 1)).toMatchObject([{ status: "accepted" }]);
      expect(await store.calls.accept([{ ...call, turns }], 1)).toMatchObject([{ status: "replayed" }]);
      expect(await store.words("a")).toEqual(["tremendous offer", "too expensive"]);
      expect(await save(await takeOne())).toEqual(["saved"]);
      expect(await store.turnsWith("expensive")).toBe(1);
      expect(await store.words("a")).toEqual(["tremendous offer", "too expensive"]);
    });

    it("lets one bad command of a group fail alone", async () => {
      const bad = store.calls.replace(aCall("bad", { outcome: "nonsense" as "won" }), 1);
      const good = store.calls.accept([aCall("good")], 1);
      await expect(bad).rejects.toThrow(/check/i);
      expect(await good).toMatchObject([{ status: "accepted" }]);
      expect(await store.state("bad")).toBeNull();
    });

    it("lets a measure that no sum can hold fail alone", async () => {
      await store.calls.accept([aCall("a"), aCall("b")], 1);
      const [one, two] = await store.work.take(2, "w", 60_000);
      if (!one || !two) throw new Error("there is no work");
      const bad = store.calls.saveEnrichment([
        enriched(one, "w", { insights: someInsights({ agent_words: Number.POSITIVE_INFINITY }) }),
      ]);
      const good = store.calls.saveEnrichment([enriched(two, "w")]);
      const added = store.calls.accept([aCall("c")], 1);
      await expect(bad).rejects.toThrow();
      expect(await good).toEqual(["saved"]);
      expect(await added).toMatchObject([{ status: "accepted" }]);
      const [sums] = await store.rollups.agents({ scope: EVERYTHING, measures: ["agent_words"] });
      expect(sums?.total_calls).toBe(3);
      expect(Number.isFinite(sums?.measures.agent_words?.sum ?? 0)).toBe(true);
    });

    it("saves an enrichment once, settles its work, and finds its words", async () => {
      await store.calls.accept([aCall("a", {}, ["tremendous offer", "too expensive"])], 1);
      const item = await takeOne();
      expect((await store.state("a"))?.state).toBe("running");
      expect(await save(item, { vectors: someVectors(1) })).toEqual(["saved"]);
      expect(await save(item)).toEqual(["stale"]);
      expect((await store.state("a"))?.state).toBe("enriched");
      expect(await store.turnsWith("tremendous")).toBe(1);
      expect(await store.work.depth()).toMatchObject({ ready: 0, running: 0 });
      expect(await eventTypes()).toEqual(["call.accepted a", "call.enriched a"]);
      const [, event] = (await store.events.after(0, 10, EVERYTHING)).events;
      expect(event).toMatchObject({ customer_sentiment_score: 0.5, agent_talk_ratio: 0.25, state: "enriched" });
    });

    it("drops text, words, insights, vectors and work of what is replaced, and never saves the old enrichment", async () => {
      await store.calls.accept([aCall("a", {}, ["oldword"])], 1);
      await save(await takeOne(), { vectors: someVectors(1) });
      await store.calls.reprocess("a", EVERYTHING, PRIORITY.single);
      const old = await takeOne();
      expect(await store.calls.replace(aCall("a", { agent_id: "bob" }, ["newword"]), 1)).toEqual({
        status: "replaced",
        call_no: 1,
        revision: 2,
      });
      expect(await store.turnsWith("oldword")).toBe(0);
      expect((await store.vectorRows.scan("call", "space", 0, 10)).call_no).toHaveLength(0);
      expect((await store.vectorRows.scan("segment", "space", 0, 10)).call_no).toHaveLength(0);
      expect(await save(old)).toEqual(["stale"]);
      expect(await store.state("a")).toMatchObject({ state: "pending", revision: 2 });
      const item = await takeOne();
      expect(item.revision).toBe(2);
      expect(await save({ ...item, revision: 1 })).toEqual(["stale"]);
      expect(await save(item)).toEqual(["saved"]);
      expect(await store.turnsWith("newword")).toBe(1);
    });

    it("creates what it is told to replace when it is not there", async () => {
      expect(await store.calls.replace(aCall("a"), 1)).toEqual({ status: "created", call_no: 1, revision: 1 });
      expect(await eventTypes()).toEqual(["call.accepted a"]);
    });

    it("does not revive a deleted call", async () => {
      await store.calls.accept([aCall("a", {}, ["gone"])], 1);
      const item = await takeOne();
      expect(await store.calls.remove("a", EVERYTHING)).toBe(true);
      expect(await store.calls.remove("a", EVERYTHING)).toBe(false);
      expect(await save(item, { vectors: someVectors(1) })).toEqual(["stale"]);
      await store.work.fail([{ work_no: item.work_no, error: "late", retry_at: null }], "w");
      expect(await store.state("a")).toBeNull();
      expect(await store.turnsWith("gone")).toBe(0);
      expect(await eventTypes()).toEqual(["call.accepted a", "call.deleted a"]);
      expect(await store.calls.accept([aCall("a")], 1)).toMatchObject([
        { status: "accepted", call_no: 2, revision: 1 },
      ]);
    });

    it("removes and reprocesses only within the scope", async () => {
      await store.calls.accept([aCall("a")], 1);
      await store.setTeam("ann", "north");
      expect(await store.calls.remove("a", { kind: "agent", agent_id: "bob" })).toBe(false);
      expect(await store.calls.remove("a", { kind: "team", team: "south" })).toBe(false);
      expect(await store.calls.reprocess("a", { kind: "team", team: "south" }, 1)).toBeNull();
      expect(await store.calls.reprocess("nobody", EVERYTHING, 1)).toBeNull();
      expect(await store.calls.reprocess("a", { kind: "team", team: "north" }, 1)).toEqual({ revision: 1 });
      expect(await store.calls.remove("a", { kind: "agent", agent_id: "ann" })).toBe(true);
    });

    it("asks again for an enrichment: the running one is stale, the new one is not swallowed", async () => {
      await store.calls.accept([aCall("a")], 1);
      const first = await takeOne();
      await store.calls.reprocess("a", EVERYTHING, PRIORITY.single);
      expect((await store.state("a"))?.state).toBe("pending");
      expect(await save(first)).toEqual(["stale"]);
      expect(await save(await takeOne())).toEqual(["saved"]);
    });

    it("marks what was made without the model as degraded, keeps old vectors, and queues it again", async () => {
      await store.calls.accept([aCall("a")], 1);
      await save(await takeOne(), { vectors: someVectors(1) });
      await store.calls.reprocess("a", EVERYTHING, PRIORITY.single);
      await save(await takeOne(), { method: "statistical" });
      expect((await store.state("a"))?.state).toBe("degraded");
      expect((await store.vectorRows.scan("call", "space", 0, 10)).call_no).toHaveLength(1);
      expect(await store.work.requeueDegraded(10)).toBe(1);
      expect(await store.work.requeueDegraded(10)).toBe(0);
      expect((await takeOne()).priority).toBe(PRIORITY.recalculation);
    });

    it("erases all calls of a customer and only those", async () => {
      const calls = Array.from({ length: 230 }, (_, i) => aCall(`c${i}`, { customer_id: i < 205 ? "carl" : "dora" }));
      await store.calls.accept(calls, 2);
      expect(await store.calls.erase("carl")).toBe(205);
      expect(await store.calls.erase("carl")).toBe(0);
      const [sum] = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
      expect(sum?.total_calls).toBe(25);
      const { events } = await store.events.after(0, 1_000, EVERYTHING);
      expect(new Set(events.filter((e) => e.type === "call.deleted").map((e) => e.reason))).toEqual(
        new Set(["customer"]),
      );
    });

    it("purges what was received before a time, whatever its start: rows, words, vectors, sums; and says why", async () => {
      const now = store.clock.now;
      // The same millisecond for all of a batch, some of them enriched, some leased, some waiting.
      await store.calls.accept(
        Array.from({ length: 45 }, (_, i) => aCall(`old${i}`, { start_time: now + i }, ["bygone days", "indeed"])),
        2,
      );
      for (const item of await store.work.take(30, "w", 60_000))
        await save(item, { vectors: someVectors(item.call_no) });
      const held = await takeOne();
      store.clock.now = now + 1_000;
      await store.calls.accept([aCall("new", { start_time: 0 }, ["these days"])], 1);
      await save(held, { vectors: someVectors(1) });
      const last = await takeOne();

      expect(await store.calls.receivedBefore(now)).toBe(0);
      expect(await store.calls.purge(now)).toBe(0);
      expect(await store.calls.receivedBefore(now + 1)).toBe(45);
      const seen: number[] = [];
      expect(await store.calls.purge(now + 1, { onProgress: (erased) => seen.push(erased) })).toBe(45);
      expect(seen.length).toBeGreaterThan(1);
      expect(seen.at(-1)).toBe(45);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(await store.calls.receivedBefore(now + 1)).toBe(0);

      expect(await save(last)).toEqual([last.call_id === "new" ? "saved" : "stale"]);
      expect(await store.state("old0")).toBeNull();
      expect((await store.state("new"))?.call_no).toBe(46);
      expect(await store.turnsWith("bygone")).toBe(0);
      expect((await store.vectorRows.scan("call", "space", 0, 100)).call_no).toHaveLength(0);
      const [sum] = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
      expect(sum?.total_calls).toBe(1);
      expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0, differences: [] });
      const { events } = await store.events.after(0, 1_000, EVERYTHING);
      const deleted = events.filter((e) => e.type === "call.deleted");
      expect(deleted).toHaveLength(45);
      expect(new Set(deleted.map((e) => e.reason))).toEqual(new Set(["retention"]));
    });

    it("stops purging when told to, and keeps what is left whole", async () => {
      await store.calls.accept(
        Array.from({ length: 90 }, (_, i) => aCall(`c${i}`)),
        2,
      );
      const stopping = new AbortController();
      const erased = await store.calls.purge(store.clock.now + 1, {
        signal: stopping.signal,
        onProgress: () => stopping.abort(),
      });
      expect(erased).toBeGreaterThan(0);
      expect(erased).toBeLessThan(90);
      expect(await store.calls.receivedBefore(store.clock.now + 1)).toBe(90 - erased);
    });

    it("stores calls from a source together with how far it was read, or nothing at all", async () => {
      expect(await store.calls.acceptFrom([aCall("a"), aCall("b")], 2, mark(null, "2", "0", "1"))).toMatchObject([
        { status: "accepted" },
        { status: "accepted" },
      ]);
      expect(await store.jobs.bookmark("source")).toBe("2");
      // Somebody who read the same before, or never heard of it.
      for (const from of [null, "1"]) {
        expect(await store.calls.acceptFrom([aCall("c")], 2, mark(from, "3", "2"))).toBeNull();
      }
      expect(await store.state("c")).toBeNull();
      expect(await store.calls.acceptFrom([], 2, mark("2", "5"))).toEqual([]);
      expect(await store.jobs.bookmark("source")).toBe("5");
      expect(await eventTypes()).toEqual(["call.accepted a", "call.accepted b"]);
      expect(await store.work.depth()).toMatchObject({ ready: 2 });
    });

    it("keeps the places of calls that were not taken behind the mark", async () => {
      await store.calls.accept([aCall("a")], 1);
      const bad = aCall("bad", { outcome: "nonsense" as "won" });
      const batch = [aCall("a", { digest: "cd".repeat(32) }), aCall("b"), bad, aCall("a")];
      const results = await store.calls.acceptFrom(batch, 2, mark(null, "9", "5", "6", "7", "8"));
      expect(results?.map((result) => result.status)).toEqual(["conflict", "accepted", "failed", "replayed"]);
      expect(await store.jobs.bookmark("source")).toBe("9 5 7");
      expect(await store.calls.acceptFrom([aCall("d")], 2, mark("9", "10", "9"))).toBeNull();
      expect(await store.calls.acceptFrom([aCall("d")], 2, mark("9 5 7", "10", "9"))).toMatchObject([
        { status: "accepted" },
      ]);
      expect(await store.jobs.bookmark("source")).toBe("10");
    });

    it("lets one of all who read the same store it", async () => {
      for (const from of [null, "3"]) {
        const to = from === null ? "3" : "6";
        const all = await Promise.all(
          Array.from({ length: 8 }, () =>
            store.calls.acceptFrom([aCall(`${to}x`), aCall(`${to}y`)], 2, mark(from, to, "0", "1")),
          ),
        );
        expect(all.filter((results) => results !== null)).toHaveLength(1);
      }
      expect(await eventTypes()).toHaveLength(4);
    });
  });
}

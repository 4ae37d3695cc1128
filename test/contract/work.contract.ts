import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import { type MakeStore, type TestStore, aCall, enriched } from "../support/sqlite-store.ts";

const LEASE = 1_000;

const ids = (items: readonly { call_id: string }[]) => items.map((item) => item.call_id);

/** Holds a Work adapter to the port. */
export function workContract(name: string, make: MakeStore): void {
  describe(`Work: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    it("gives the best priority first, then the oldest, and nothing twice", async () => {
      await store.calls.accept([aCall("bulk1"), aCall("bulk2")], PRIORITY.bulk);
      store.clock.now += 10;
      await store.calls.accept([aCall("live")], PRIORITY.live);
      await store.calls.accept([aCall("single")], PRIORITY.single);
      expect(ids(await store.work.take(3, "w", LEASE))).toEqual(["live", "single", "bulk1"]);
      expect(ids(await store.work.take(3, "v", LEASE))).toEqual(["bulk2"]);
      expect(await store.work.take(3, "w", LEASE)).toEqual([]);
      expect(await store.work.take(0, "w", LEASE)).toEqual([]);
      expect(await store.work.depth()).toEqual({ ready: 0, running: 4, dead: 0, oldest_ms: 0 });
    });

    it("gives an expired lease to another worker and fences the first one out", async () => {
      await store.calls.accept([aCall("a")], 1);
      const [first] = await store.work.take(1, "w", LEASE);
      if (!first) throw new Error("no work");
      store.clock.now += LEASE + 1;
      const [second] = await store.work.take(1, "v", LEASE);
      expect(second).toEqual({ ...first, attempts: 2 });
      expect(await store.work.renew([first.work_no], "w", LEASE)).toEqual([]);
      expect(await store.calls.saveEnrichment([enriched(first, "w")])).toEqual(["stale"]);
      await store.work.fail([{ work_no: first.work_no, error: "x", retry_at: null }], "w");
      await store.work.release([first.work_no], "w");
      expect(await store.work.depth()).toMatchObject({ running: 1, dead: 0 });
      // Nor is the holder's word taken for another text or another call than it holds.
      const others = [enriched(first, "v", { revision: 2 }), enriched(first, "v", { call_no: first.call_no + 1 })];
      expect(await store.calls.saveEnrichment(others)).toEqual(["stale", "stale"]);
      expect(await store.calls.saveEnrichment([enriched(first, "v")])).toEqual(["saved"]);
    });

    it("gives the work of named calls alone, in their order, and not what somebody holds or what waits for its time", async () => {
      const names = ["a", "b", "c", "d", "e"];
      const results = await store.calls.accept(
        names.map((name) => aCall(name)),
        PRIORITY.bulk,
      );
      const no = Object.fromEntries(results.map((r, i) => [names[i], "call_no" in r ? r.call_no : 0])) as Record<
        string,
        number
      >;
      const of = (...some: string[]) => some.map((name) => no[name] as number);
      expect(ids(await store.work.take(9, "w", LEASE, of("d", "b")))).toEqual(["d", "b"]);
      expect(ids(await store.work.take(9, "v", LEASE, of("b", "e", "a")))).toEqual(["e", "a"]);
      expect(ids(await store.work.take(1, "v", LEASE, [...of("c"), 4_711]))).toEqual(["c"]);
      expect(await store.work.take(9, "v", LEASE, [])).toEqual([]);
      store.clock.now += LEASE + 1;
      // What is over counts as ready.
      const [c] = await store.work.take(9, "w", LEASE, of("c"));
      if (!c) throw new Error("no work");
      expect(c.attempts).toBe(2);
      await store.work.fail([{ work_no: c.work_no, error: "x", retry_at: store.clock.now + 500 }], "w");
      expect(await store.work.take(9, "w", LEASE, of("c"))).toEqual([]);
      store.clock.now += 500;
      expect(ids(await store.work.take(9, "w", LEASE, of("c")))).toEqual(["c"]);
      // The clock of whoever accepted it was ahead of this one's.
      store.clock.now -= 1_000;
      await store.calls.replace(aCall("a", { digest: "cd".repeat(32) }), PRIORITY.single);
      const [ahead] = await store.calls.accept([aCall("ahead")], PRIORITY.single);
      store.clock.now -= 400;
      expect(ids(await store.work.take(9, "w", LEASE, [ahead && "call_no" in ahead ? ahead.call_no : 0]))).toEqual([
        "ahead",
      ]);
    });

    it("knows what has been ready for long and nobody has taken, best priority first", async () => {
      expect(await store.work.waiting(0, 9)).toEqual([]);
      await store.calls.accept([aCall("held"), aCall("lost")], PRIORITY.bulk);
      const [held, lost] = [await store.state("held"), await store.state("lost")];
      await store.work.take(1, "w", 60_000);
      await store.work.take(1, "w", LEASE);
      await store.calls.accept([aCall("bulk")], PRIORITY.bulk);
      await store.calls.accept([aCall("live")], PRIORITY.live);
      const [bulk, live] = [await store.state("bulk"), await store.state("live")];
      store.clock.now += 999;
      expect(await store.work.waiting(1_000, 9)).toEqual([]);
      store.clock.now += 1;
      await store.calls.accept([aCall("fresh")], PRIORITY.live);
      const first = [
        { call_no: live?.call_no, priority: PRIORITY.live },
        { call_no: bulk?.call_no, priority: PRIORITY.bulk },
      ];
      expect(await store.work.waiting(1_000, 9)).toEqual(first);
      expect(await store.work.waiting(1_000, 1)).toEqual(first.slice(0, 1));
      store.clock.now += LEASE + 1;
      const now = await store.work.waiting(1_000, 9);
      expect(now.map(({ call_no }) => call_no)).toContain(lost?.call_no);
      expect(now.map(({ call_no }) => call_no)).not.toContain(held?.call_no);
    });

    it("puts back every lease that is over, also where less is taken", async () => {
      await store.calls.accept([aCall("a"), aCall("b"), aCall("c")], 1);
      await store.work.take(2, "w", LEASE);
      await store.work.take(1, "w", LEASE + 1);
      store.clock.now += LEASE + 1;
      expect(ids(await store.work.take(1, "v", LEASE))).toEqual(["a"]);
      const states = await Promise.all(["a", "b", "c"].map(async (id) => (await store.state(id))?.state));
      expect(states).toEqual(["running", "pending", "running"]);
      expect(await store.work.depth()).toMatchObject({ ready: 1, running: 2 });
    });

    it("queues what was made without the model, after everything else", async () => {
      await store.calls.accept([aCall("a"), aCall("b"), aCall("c")], 1);
      const taken = await store.work.take(3, "w", LEASE);
      await store.calls.saveEnrichment(
        taken.map((item) => enriched(item, "w", { method: item.call_id === "c" ? "model" : "statistical" })),
      );
      expect(await store.work.requeueDegraded(1)).toBe(1);
      expect([await store.state("a"), await store.state("b")]).toMatchObject([
        { state: "pending", revision: 1 },
        { state: "degraded" },
      ]);
      await store.calls.accept([aCall("bulk")], PRIORITY.bulk);
      expect(await store.work.requeueDegraded(9)).toBe(1);
      expect(await store.work.requeueDegraded(9)).toBe(0);
      const again = await store.work.take(9, "w", LEASE);
      expect(ids(again)).toEqual(["bulk", "a", "b"]);
      expect(again.at(-1)).toMatchObject({ priority: PRIORITY.recalculation, revision: 1, attempts: 1 });
      const results = await store.calls.saveEnrichment(again.slice(1).map((item) => enriched(item, "w")));
      expect(results).toEqual(["saved", "saved"]);
    });

    it("does not wait for a clock that went back by hours; nor does a lease live on by it", async () => {
      await store.calls.accept([aCall("fresh"), aCall("leased")], 1);
      const [lost] = await store.work.take(1, "lost", LEASE);
      store.clock.now += 10_000;
      await store.calls.accept([aCall("later")], PRIORITY.bulk);
      store.clock.now -= 2 * 3_600_000;
      expect(ids(await store.work.take(9, "w", LEASE)).toSorted()).toEqual(["fresh", "later", "leased"]);
      if (!lost) throw new Error("no work");
      expect(await store.calls.saveEnrichment([enriched(lost, "lost")])).toEqual(["stale"]);
      expect((await store.work.depth()).oldest_ms).toBe(0);
    });

    it("brings forward what lies too far ahead when the clock goes back by more than two seconds, and that alone", async () => {
      await store.calls.accept(
        ["far", "farther", "leased", "held"].map((id) => aCall(id)),
        1,
      );
      const [far, farther, leased] = await store.work.take(4, "w", LEASE);
      if (!far || !farther || !leased) throw new Error("no work");
      await store.work.renew([leased.work_no], "w", 900_000);
      const later = store.clock.now - 2_000 + 120_000;
      await store.work.fail([{ work_no: far.work_no, error: "x", retry_at: later }], "w");
      await store.work.fail([{ work_no: farther.work_no, error: "x", retry_at: later + 1 }], "w");
      // This is the clock being disciplined.
      store.clock.now -= 2_000;
      expect(await store.work.take(9, "v", LEASE)).toEqual([]);
      store.clock.now += 2_001;
      expect(await store.work.take(9, "v", LEASE)).toEqual([]);
      // No pause between tries is longer than two minutes, no lease than fifteen.
      store.clock.now -= 2_001;
      expect(ids(await store.work.take(9, "v", LEASE))).toEqual(["farther", "leased"]);
      store.clock.now = later;
      expect(ids(await store.work.take(9, "u", LEASE))).toContain("far");
    });

    it("lets a clock that goes ahead by hours cost a lease, not a call", async () => {
      await store.calls.accept([aCall("a")], 1);
      const [item] = await store.work.take(1, "w", LEASE);
      store.clock.now += 2 * 3_600_000;
      const [again] = await store.work.take(1, "w", LEASE);
      if (!item || !again) throw new Error("no work");
      // Two lanes of one worker hold the same item: whoever saves first is the only one.
      expect(await store.calls.saveEnrichment([enriched(item, "w")])).toEqual(["saved"]);
      expect(await store.calls.saveEnrichment([enriched(again, "w")])).toEqual(["stale"]);
      expect(await store.work.depth()).toMatchObject({ ready: 0, running: 0, dead: 0 });
    });

    it("prolongs leases", async () => {
      await store.calls.accept([aCall("a"), aCall("b")], 1);
      const items = await store.work.take(2, "w", LEASE);
      const work_nos = items.map((item) => item.work_no);
      store.clock.now += LEASE - 1;
      expect(await store.work.renew([...work_nos, 999], "w", LEASE)).toEqual(work_nos);
      store.clock.now += LEASE - 1;
      expect(await store.work.take(2, "v", LEASE)).toEqual([]);
    });

    it("retries later, then buries; dead letters come back by redrive, and their words are found", async () => {
      await store.calls.accept([aCall("a", {}, ["poisonous"]), aCall("b", { agent_id: "bob" })], 1);
      const [item] = await store.work.take(1, "w", LEASE);
      if (!item) throw new Error("no work");
      const retry_at = store.clock.now + 500;
      await store.work.fail([{ work_no: item.work_no, error: "first", retry_at }], "w");
      expect(await store.state("a")).toMatchObject({ state: "pending" });
      expect(ids(await store.work.take(5, "w", LEASE))).toEqual(["b"]);
      store.clock.now = retry_at;
      const [again] = await store.work.take(5, "w", LEASE);
      expect(again).toMatchObject({ call_id: "a", attempts: 2 });
      await store.work.fail([{ work_no: item.work_no, error: "second", retry_at: null }], "w");
      expect(await store.state("a")).toMatchObject({ state: "dead", error: "second" });
      expect(await store.turnsWith("poisonous")).toBe(1);
      const letter = { call_id: "a", agent_id: "ann", revision: 1, attempts: 2, error: "second", at: retry_at };
      expect(await store.work.dead(10, EVERYTHING)).toEqual([{ work_no: item.work_no, ...letter }]);
      expect(await store.work.dead(10, { kind: "agent", agent_id: "bob" })).toEqual([]);
      expect(await store.work.redrive("b", EVERYTHING)).toBe(0);
      expect(await store.work.redrive(null, EVERYTHING)).toBe(1);
      expect(await store.state("a")).toMatchObject({ state: "pending" });
      const [back] = await store.work.take(5, "w", LEASE);
      expect(back).toMatchObject({ call_id: "a", attempts: 1 });
      if (back) expect(await store.calls.saveEnrichment([enriched(back, "w")])).toEqual(["saved"]);
      expect(await store.turnsWith("poisonous")).toBe(1);
    });

    it("shows and redrives the dead letters of a scope, however many others lie between, newest first", async () => {
      const calls = Array.from({ length: 1_203 }, (_, i) =>
        aCall(`c${i}`, { agent_id: i % 400 === 1 ? "bob" : "ann" }),
      );
      await store.calls.accept(calls, 2);
      await store.setTeam("bob", "north");
      const items = await store.work.take(2_000, "w", LEASE);
      await store.work.fail(
        items.map(({ work_no }) => ({ work_no, error: "x", retry_at: null })),
        "w",
      );
      const north = { kind: "team", team: "north" } as const;
      const bobs = ["c1201", "c801", "c401", "c1"];
      expect(ids(await store.work.dead(10, north))).toEqual(bobs);
      expect(ids(await store.work.dead(2, { kind: "agent", agent_id: "bob" }))).toEqual(bobs.slice(0, 2));
      expect(await store.work.redrive("c0", north)).toBe(0);
      expect(await store.work.redrive("c1", { kind: "team", team: "south" })).toBe(0);
      expect(await store.work.redrive("c1", north)).toBe(1);
      expect(await store.work.redrive("c1", north)).toBe(0);
      expect(await store.state("c1")).toMatchObject({ state: "pending", error: null });
      expect(await store.work.redrive(null, north)).toBe(3);
      expect(ids(await store.work.take(10, "w", LEASE))).toEqual(bobs.toReversed());
      expect(await store.work.redrive(null, EVERYTHING)).toBe(1_199);
      expect(await store.work.depth()).toMatchObject({ ready: 1_199, running: 4, dead: 0 });
    });

    it("releases without counting an attempt", async () => {
      await store.calls.accept([aCall("a")], 1);
      const [item] = await store.work.take(1, "w", LEASE);
      await store.work.release([item?.work_no ?? 0], "w");
      expect(await store.state("a")).toMatchObject({ state: "pending" });
      expect((await store.work.take(1, "w", LEASE))[0]?.attempts).toBe(1);
    });

    it("says how much waits and for how long", async () => {
      await store.calls.accept([aCall("a")], PRIORITY.bulk);
      store.clock.now += 700;
      await store.calls.accept([aCall("b")], PRIORITY.single);
      expect(await store.work.depth()).toEqual({ ready: 2, running: 0, dead: 0, oldest_ms: 700 });
    });

    it("gives each of many items to one of many workers", async () => {
      await store.calls.accept(
        Array.from({ length: 100 }, (_, i) => aCall(`c${i}`)),
        2,
      );
      const taken = await Promise.all(Array.from({ length: 12 }, (_, i) => store.work.take(10, `w${i}`, LEASE)));
      const all = ids(taken.flat());
      expect(all).toHaveLength(100);
      expect(new Set(all).size).toBe(100);
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { type MakeStore, type TestStore, aCall } from "../support/sqlite-store.ts";

const bad = (id: string) => aCall(id, { outcome: "nonsense" as "won" });

/** Holds an Events adapter to the port. */
export function eventsContract(name: string, make: MakeStore): void {
  describe(`Events: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    it("starts empty", async () => {
      expect(await store.events.after(0, 10, EVERYTHING)).toEqual({ events: [], oldest: 0, head: 0 });
      expect(await store.events.head()).toBe(0);
    });

    it("numbers densely, also past failures, and resumes after any seq", async () => {
      await Promise.all([
        store.calls.accept([aCall("a"), bad("x"), aCall("b")], 1),
        store.calls.replace(bad("y"), 1).catch(() => null),
        store.calls.accept([bad("z")], 1),
        store.calls.accept([aCall("c")], 1),
      ]);
      const all = await store.events.after(0, 10, EVERYTHING);
      expect(all.events.map((event) => event.seq)).toEqual([1, 2, 3]);
      expect(all).toMatchObject({ oldest: 1, head: 3 });
      expect((await store.events.after(1, 1, EVERYTHING)).events.map((event) => event.seq)).toEqual([2]);
      expect((await store.events.after(3, 1, EVERYTHING)).events).toEqual([]);
    });

    it("answers the same to everybody who follows, whoever asked before and for how many", async () => {
      const seqs = async (after: number, limit: number) =>
        (await store.events.after(after, limit, EVERYTHING)).events.map((event) => event.seq);
      await store.calls.accept([aCall("a"), aCall("b"), aCall("c")], 1);
      expect(await seqs(1, 10)).toEqual([2, 3]);
      expect(await seqs(0, 10)).toEqual([1, 2, 3]);
      expect(await seqs(2, 10)).toEqual([3]);
      expect(await seqs(0, 2)).toEqual([1, 2]);
      expect(await seqs(3, 10)).toEqual([]);
      await store.calls.accept([aCall("d")], 1);
      expect(await seqs(3, 10)).toEqual([4]);
      expect(await seqs(2, 10)).toEqual([3, 4]);
      expect(await seqs(0, 10)).toEqual([1, 2, 3, 4]);
    });

    it("shows an asker only the events of its scope", async () => {
      await store.calls.accept([aCall("a"), aCall("b", { agent_id: "bob" })], 1);
      await store.setTeam("bob", "north");
      const seen = async (scope: Parameters<typeof store.events.after>[2]) =>
        (await store.events.after(0, 10, scope)).events.map((event) => event.call_id);
      expect(await seen({ kind: "agent", agent_id: "ann" })).toEqual(["a"]);
      expect(await seen({ kind: "team", team: "north" })).toEqual(["b"]);
      expect(await seen({ kind: "team", team: "south" })).toEqual([]);
    });

    it("finds rare events of an agent far into the log", async () => {
      for (let batch = 0; batch < 6; batch++) {
        await store.calls.accept(
          Array.from({ length: 1_000 }, (_, i) => aCall(`c${batch}-${i}`, {}, ["x"])),
          2,
        );
      }
      await store.calls.accept([aCall("rare", { agent_id: "bob" })], 1);
      const { events } = await store.events.after(0, 5, { kind: "agent", agent_id: "bob" });
      expect(events.map((event) => [event.seq, event.call_id])).toEqual([[6_001, "rare"]]);
    });

    it("tells listeners of commits that added events, until they unsubscribe", async () => {
      let heard = 0;
      const stop = store.events.onChange(() => heard++);
      await store.calls.accept([aCall("a")], 1);
      await expect.poll(() => heard).toBe(1);
      await store.work.take(1, "w", 1_000);
      expect(heard).toBe(1);
      stop();
      await store.calls.accept([aCall("b")], 1);
      expect(heard).toBe(1);
    });
  });
}

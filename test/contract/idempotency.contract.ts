/** What every store's Idempotency must do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { KeyedWrites, RequestKey } from "../../src/ports/idempotency.ts";
import type { Job } from "../../src/ports/jobs.ts";
import { type MakeStore, type TestStore, aCall } from "../support/sqlite-store.ts";

const DAY = 24 * 3_600_000;

const aJob = (job_id: string): Job => ({
  job_id,
  kind: "recalculate",
  state: "running",
  created_at: Date.UTC(2026, 5, 1),
  updated_at: Date.UTC(2026, 5, 1),
  counts: { done: 1 },
  errors: [],
  detail: null,
  report: null,
});

const key = (more: Partial<RequestKey> = {}): RequestKey => ({
  account_id: "me",
  key: "k",
  fingerprint: "f",
  ...more,
});

const OTHER = { digest: "cd".repeat(32) };
const BAD = { outcome: "nonsense" as "won" };

const replace = ({ calls }: KeyedWrites) => calls.replace(aCall("a", OTHER), 1);
const replaceBadly = ({ calls }: KeyedWrites) => calls.replace(aCall("b", BAD), 1);
const reprocess = ({ calls }: KeyedWrites) => calls.reprocess("a", EVERYTHING, PRIORITY.single);
const remove = ({ calls }: KeyedWrites) => calls.remove("a", EVERYTHING);
const conflict = ({ calls }: KeyedWrites) => calls.accept([aCall("a", OTHER)], 1);
const acceptBadly = ({ calls }: KeyedWrites) => calls.accept([aCall("b", BAD)], 1);
const redrive = ({ work }: KeyedWrites) => work.redrive(null, EVERYTHING);

/** Holds an Idempotency adapter, together with the writes it guards, to the port. */
export function idempotencyContract(name: string, make: MakeStore): void {
  describe(`Idempotency: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    /** Does the write under the key; [what came of it, whether it was a replay]. */
    const under = async <T>(of: RequestKey, write: (writes: KeyedWrites) => Promise<T>): Promise<[T, boolean]> => {
      let replays = 0;
      const value = await write(store.idempotency.under(of, () => replays++));
      expect(replays).toBeLessThan(2);
      return [value, replays === 1];
    };
    const accept = (id: string, of = key()) => under(of, ({ calls }) => calls.accept([aCall(id)], PRIORITY.single));
    const reused = { code: "idempotency_key_reused" };
    const events = async () => (await store.events.after(0, 100, EVERYTHING)).events.length;

    it("a repeat writes nothing and gets the first result, with the id that was made for it then", async () => {
      expect(await accept("made-first")).toEqual([[{ status: "accepted", call_no: 1, revision: 1 }], false]);
      const first = { call_id: "made-first", status: "accepted", call_no: 1, revision: 1 };
      for (let i = 0; i < 2; i++) expect(await accept("made-anew")).toEqual([[first], true]);
      expect(await store.state("made-anew")).toBeNull();
      expect(await events()).toBe(1);
      expect(await store.work.depth()).toMatchObject({ ready: 1 });
    });

    it("keeps a result for each row of a batch, good or bad, as long as one of them is there", async () => {
      const conflict = aCall("a", { digest: "cd".repeat(32) });
      const bad = aCall("bad", { outcome: "nonsense" as "won" });
      const batch = (calls: KeyedWrites["calls"]) => calls.accept([aCall("a"), conflict, bad, aCall("a")], 2);
      const [first] = await under(key(), ({ calls }) => batch(calls));
      expect(first.map((r) => r.status)).toEqual(["accepted", "conflict", "failed", "replayed"]);
      const [again, replayed] = await under(key(), ({ calls }) => batch(calls));
      expect(replayed).toBe(true);
      expect(again.map((r) => [r.call_id, r.status])).toEqual([
        ["a", "accepted"],
        ["a", "conflict"],
        ["bad", "failed"],
        ["a", "replayed"],
      ]);
      const other = await under(key({ key: "natural" }), ({ calls }) => calls.accept([aCall("a"), conflict], 2));
      expect(other[0].map((r) => r.status)).toEqual(["replayed", "conflict"]);
      await expect(accept("b", key({ key: "natural", fingerprint: "g" }))).rejects.toMatchObject(reused);
    });

    it("refuses another request under a known key, and writes nothing of it", async () => {
      await accept("a");
      await expect(accept("b", key({ fingerprint: "g" }))).rejects.toMatchObject(reused);
      await expect(
        under(key({ fingerprint: "g" }), ({ calls }) => calls.remove("a", EVERYTHING)),
      ).rejects.toMatchObject(reused);
      expect(await store.state("b")).toBeNull();
      expect(await store.state("a")).not.toBeNull();
      // As before for the request that it stands for.
      expect((await accept("c"))[1]).toBe(true);
    });

    it("tells accounts and keys apart", async () => {
      const others = [key({ account_id: "you", fingerprint: "g" }), key({ key: "K" }), key({ key: "k " })];
      expect((await accept("a"))[1]).toBe(false);
      for (const [i, other] of others.entries()) expect((await accept(`b${i}`, other))[1]).toBe(false);
      expect(await events()).toBe(4);
    });

    it("replays a replacement, an erasure, a new enrichment", async () => {
      await store.calls.accept([aCall("a")], 1);
      const replaced = { status: "replaced", call_no: 1, revision: 2 };
      expect(await under(key(), replace)).toEqual([replaced, false]);
      expect(await under(key(), replace)).toEqual([replaced, true]);
      expect(await store.state("a")).toMatchObject({ revision: 2 });
      const [item] = await store.work.take(1, "w", 60_000);
      expect(await under(key({ key: "p" }), reprocess)).toEqual([{ revision: 2 }, false]);
      const [next] = await store.work.take(1, "w", 60_000);
      expect(next?.work_no).not.toBe(item?.work_no);
      expect(await under(key({ key: "p" }), reprocess)).toEqual([{ revision: 2 }, true]);
      expect(await store.work.take(1, "w", 60_000)).toEqual([]);
      expect(await under(key({ key: "d" }), remove)).toEqual([true, false]);
      await store.calls.accept([aCall("a")], 1);
      expect(await under(key({ key: "d" }), remove)).toEqual([true, true]);
      expect(await store.state("a")).not.toBeNull();
    });

    it("keeps nothing of what wrote nothing", async () => {
      expect(await under(key(), remove)).toEqual([false, false]);
      expect(await under(key(), reprocess)).toEqual([null, false]);
      await store.calls.accept([aCall("a")], 1);
      expect(await under(key(), conflict)).toEqual([[{ status: "conflict" }], false]);
      expect(await under(key(), acceptBadly)).toMatchObject([[{ status: "failed" }], false]);
      await expect(under(key(), replaceBadly)).rejects.toThrow(/check/i);
      expect(await under(key(), remove)).toEqual([true, false]);
      expect(await under(key(), remove)).toEqual([true, true]);
    });

    it("a write that fails beside others takes no key with it", async () => {
      const bad = under(key({ key: "bad" }), ({ calls }) => calls.replace(aCall("x", { outcome: "no" as "won" }), 1));
      const good = accept("good", key({ key: "good" }));
      await expect(bad).rejects.toThrow(/check/i);
      expect((await good)[1]).toBe(false);
      expect((await accept("again", key({ key: "good" })))[1]).toBe(true);
      expect((await accept("x", key({ key: "bad", fingerprint: "g" })))[1]).toBe(false);
    });

    it("repeats that are under way together take effect once", async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => accept(`made-${i}`)));
      expect(answers.filter(([, replayed]) => !replayed)).toHaveLength(1);
      expect(new Set(answers.map(([[result]]) => (result?.status === "accepted" ? result.call_no : null)))).toEqual(
        new Set([1]),
      );
      expect(await events()).toBe(1);
    });

    it("knows a key for 24 hours; then it is free for another request, pruned or not", async () => {
      await accept("a");
      store.clock.now += DAY - 1;
      expect((await accept("b"))[1]).toBe(true);
      expect(await store.idempotency.prune()).toBe(0);
      store.clock.now += 1;
      expect((await accept("c", key({ fingerprint: "g" })))[1]).toBe(false);
      // For 24 hours from then on.
      store.clock.now += DAY - 1;
      expect((await accept("d", key({ fingerprint: "g" })))[1]).toBe(true);
      await expect(accept("e")).rejects.toMatchObject(reused);
    });

    it("forgets what has expired and nothing else", async () => {
      const many = Array.from({ length: 12 }, (_, i) => accept(`old-${i}`, key({ key: `old-${i}` })));
      await Promise.all(many);
      store.clock.now += 1_000;
      await accept("new", key({ key: "new" }));
      store.clock.now += DAY - 1_000;
      expect(await store.idempotency.prune()).toBe(12);
      expect(await store.idempotency.prune()).toBe(0);
      expect((await accept("x", key({ key: "new" })))[1]).toBe(true);
      expect((await accept("y", key({ key: "old-3" })))[1]).toBe(false);
    });

    it("a job begins once under its key, and a job that is there is left as it is", async () => {
      const begin = (id: string, of = key()) => under(of, ({ jobs }) => jobs.begin(aJob(id)));
      expect(await begin("j1")).toEqual([aJob("j1"), false]);
      await store.jobs.put({ ...aJob("j1"), state: "done" });
      expect(await begin("j2")).toEqual([aJob("j1"), true]);
      expect(await store.jobs.get("j2")).toBeNull();
      // Who joins it keeps it under a key of their own.
      expect(await begin("j1", key({ account_id: "you" }))).toEqual([aJob("j1"), false]);
      expect(await begin("j3", key({ account_id: "you" }))).toEqual([aJob("j1"), true]);
      expect(await store.jobs.get("j1")).toMatchObject({ state: "done" });
      expect(await store.jobs.begin(aJob("j4"))).toEqual(aJob("j4"));
      expect(await store.jobs.get("j4")).toMatchObject({ state: "running", counts: { done: 1 } });
    });

    it("dead letters go back once under a key, all of them in however many steps", async () => {
      const ids = Array.from({ length: 1_005 }, (_, i) => `c${i}`);
      await store.calls.accept(
        ids.map((id) => aCall(id)),
        2,
      );
      const kill = async () => {
        const items = await store.work.take(2_000, "w", 60_000);
        await store.work.fail(
          items.map(({ work_no }) => ({ work_no, error: "x", retry_at: null })),
          "w",
        );
        return items.length;
      };
      expect(await kill()).toBe(1_005);
      expect(await under(key(), redrive)).toEqual([1_005, false]);
      expect(await kill()).toBe(1_005);
      expect(await under(key(), redrive)).toEqual([1_005, true]);
      expect(await store.work.depth()).toMatchObject({ ready: 0, dead: 1_005 });
    });
  });
}

import { afterEach, beforeEach, expect, test } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import type { EnrichedCall } from "../../src/ports/calls.ts";
import type { WorkItem } from "../../src/ports/work.ts";
import { aCall, enriched, someVectors, type TestStore } from "../support/sqlite-store.ts";
import { makeSqlite } from "../support/sqlite-suite.ts";

/** Turns leave the full text of SQLite one by one, so that nobody waits for many; elsewhere a call goes as a whole. */
let store: TestStore;
beforeEach(async () => {
  store = await makeSqlite();
});
afterEach(() => store.close());

const takeOne = async (): Promise<WorkItem> => {
  const [item] = await store.work.take(1, "w", 60_000);
  if (!item) throw new Error("no work");
  return item;
};
const save = (item: WorkItem, more: Partial<EnrichedCall> = {}) =>
  store.calls.saveEnrichment([enriched(item, "w", more)]);

test("a purge may stop in the middle of a call: what is left of it can be replaced, enriched, removed and purged", async () => {
  const words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];
  const ids = ["replaced", "reprocessed", "removed", "purged"];
  const before = store.clock.now + 1;
  for (const id of ids) {
    await store.calls.accept([aCall(id, { start_time: store.clock.now }, words)], 1);
    await save(await takeOne(), { vectors: someVectors(1) });
    const stopping = new AbortController();
    let steps = 0;
    const erased = await store.calls.purge(before, {
      signal: stopping.signal,
      onProgress: () => {
        if (++steps === 2) stopping.abort();
      },
    });
    expect([id, erased]).toEqual([id, 0]);
    // Its first turns are found no more, its last ones still are.
    expect([await store.turnsWith("alpha"), await store.turnsWith("foxtrot")]).toEqual([0, 1]);
    if (id === "replaced") {
      await store.calls.replace(aCall(id, {}, ["golf", "hotel"]), 1);
      await save(await takeOne());
      expect([await store.turnsWith("foxtrot"), await store.turnsWith("golf")]).toEqual([0, 1]);
      await store.calls.remove(id, EVERYTHING);
    } else if (id === "reprocessed") {
      await store.calls.reprocess(id, EVERYTHING, 1);
      await save(await takeOne(), { vectors: someVectors(2) });
      await store.calls.remove(id, EVERYTHING);
    } else if (id === "removed") {
      expect(await store.calls.remove(id, EVERYTHING)).toBe(true);
    } else {
      // At full speed, where nobody else writes.
      expect(await store.calls.purge(before, { hurry: true })).toBe(1);
    }
    for (const word of [...words, "golf"]) expect([id, word, await store.turnsWith(word)]).toEqual([id, word, 0]);
  }
  // One stays half out: the index must still agree with what is stored when the store is closed.
  await store.calls.accept([aCall("half", {}, words)], 1);
  await save(await takeOne());
  const stopping = new AbortController();
  await store.calls.purge(before, { signal: stopping.signal, onProgress: () => stopping.abort() });
  expect(await store.turnsWith("foxtrot")).toBe(1);
});

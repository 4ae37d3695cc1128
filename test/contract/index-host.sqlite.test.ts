/** The served index over a real store and a real index: what it does when filling or following goes wrong. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openVectors, type OpenVectors } from "../../src/adapters/vectors/embedded.ts";
import { fill } from "../../src/adapters/vectors/fill.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { AppError } from "../../src/errors.ts";
import type { Events } from "../../src/ports/events.ts";
import type { VectorRows } from "../../src/ports/vectors.ts";
import { createIndexHost, type IndexHost } from "../../src/services/index-host.ts";
import { aCall, enriched, freshStore, someVectors } from "../support/sqlite-store.ts";

let store: SqliteStore;
let host: IndexHost | null = null;
let errors: unknown[];
let told: boolean[];
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ store, remove } = await freshStore());
  [errors, told] = [[], []];
});
afterEach(async () => {
  await host?.close();
  host = null;
  await remove();
});

/** Stores a call and its vectors. */
async function enrich(call_id: string): Promise<void> {
  await store.calls.accept([aCall(call_id)], 1);
  const [item] = await store.work.take(1, "w", 60_000);
  if (!item) throw new Error("no work");
  await store.calls.saveEnrichment([enriched(item, "w", { vectors: someVectors(item.call_no) })]);
}

function hostOf(more: { events?: Events; rows?: VectorRows; thread?: OpenVectors["thread"] } = {}): IndexHost {
  const { events = store.events, rows = store.vectorRows, thread } = more;
  const log = { error: (fields: object) => void errors.push(fields) };
  host = createIndexHost({
    events,
    rows,
    open(spaceId) {
      const vectors = openVectors({ rows, spaceId, log, ...(thread && { thread }) });
      return { vectors, ended: vectors.ended, fill: (kind) => fill(vectors, rows, kind, spaceId) };
    },
    onError: (error) => errors.push(error),
    onChange: (whole) => told.push(whole),
    limits: { pause_ms: [5, 20] },
  });
  return host;
}

const calls = async () => (await host?.vectors.describe())?.rows.call ?? null;
const query = someVectors(1).call;

test("there is none before one is wanted, and none at hand while it is being filled", async () => {
  await enrich("a");
  const index = hostOf();
  expect(await index.vectors.describe()).toMatchObject({ rows: { call: 0 } });
  const full = index.use("space");
  expect([await index.vectors.search("call", query, 1), await calls(), await index.lag()]).toEqual([null, null, null]);
  await full;
  expect(await index.vectors.search("call", query, 1)).toMatchObject([{ call_no: 1 }]);
  expect([await calls(), index.space(), told, errors]).toEqual([1, "space", [], []]);
});

test("a store that cannot be read when it is to be filled is asked again, until it can", async () => {
  await enrich("a");
  let fails = 3;
  const scan: VectorRows["scan"] = (...args) =>
    fails-- > 0 ? Promise.reject(new AppError("store_unavailable")) : store.vectorRows.scan(...args);
  await hostOf({ rows: { ...store.vectorRows, scan } }).use("space");
  expect([await calls(), told]).toEqual([null, [false]]);
  await vi.waitFor(async () => expect(await calls()).toBe(1), { timeout: 10_000, interval: 5 });
  expect([errors.length, told]).toEqual([3, [false, true]]);
});

test("an index that the log has left behind is filled anew, and serves until then", async () => {
  await enrich("a");
  let gate = Promise.resolve();
  const after: Events["after"] = async (...args) => {
    await gate;
    return store.events.after(...args);
  };
  const { events } = store;
  const index = hostOf({
    events: { after, head: () => events.head(), onChange: (listener) => events.onChange(listener) },
  });
  await index.use("space");
  const held = Promise.withResolvers<void>();
  gate = held.promise;
  await enrich("b");
  await store.pruneEvents(Date.now() + 1_000);
  await enrich("c");
  expect(await calls()).toBe(1);
  held.resolve();
  await vi.waitFor(async () => expect(await calls()).toBe(3), { timeout: 10_000, interval: 5 });
  expect(errors).toMatchObject([{ message: expect.stringContaining("it is filled anew") as string }]);
  // It was never away, and follows again.
  expect(told).toEqual([]);
  await enrich("d");
  await vi.waitFor(async () => expect(await calls()).toBe(4), { timeout: 10_000, interval: 5 });
});

test("closing does not wait for a fill whose thread hangs", async () => {
  const index = hostOf({ thread: new URL("../support/silent-reader.ts", import.meta.url) });
  const full = index.use("space");
  await Promise.resolve();
  await index.close();
  await full;
  expect([index.space(), errors]).toEqual([null, []]);
});

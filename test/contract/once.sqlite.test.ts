/** Requests under a key in one process, over the real store. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { KeyedWrites, RequestKey } from "../../src/ports/idempotency.ts";
import { type Once, createOnce } from "../../src/services/once.ts";
import { makeSqlite } from "../support/sqlite-suite.ts";
import { type TestStore, aCall } from "../support/sqlite-store.ts";

let store: TestStore;
let once: Once;
beforeEach(async () => {
  store = await makeSqlite();
  once = createOnce(store);
});
afterEach(() => store.close());

const key = (more: Partial<RequestKey> = {}): RequestKey => ({ account_id: "me", key: "k", fingerprint: "f", ...more });
const accept =
  (id: string) =>
  ({ calls }: KeyedWrites) =>
    calls.accept([aCall(id)], PRIORITY.single);
const accepted = { status: "accepted", call_no: 1, revision: 1 };

test("without a key each request is done anew", async () => {
  expect(await once(null, accept("a"))).toEqual({ value: [accepted], replayed: false });
  expect(await once(null, accept("b"))).toMatchObject({ value: [{ call_no: 2 }], replayed: false });
});

test("a repeat is told from the first, and writes nothing", async () => {
  expect(await once(key(), accept("a"))).toEqual({ value: [accepted], replayed: false });
  expect(await once(key(), accept("b"))).toEqual({ value: [{ ...accepted, call_id: "a" }], replayed: true });
  expect(await store.state("b")).toBeNull();
});

test("while the first is under way a repeat is refused; other keys and accounts are not", async () => {
  const gate = Promise.withResolvers<void>();
  const first = once(key(), async (writes) => {
    await gate.promise;
    return accept("a")(writes);
  });
  await expect(once(key({ fingerprint: "g" }), accept("b"))).rejects.toMatchObject({
    code: "idempotency_in_progress",
    retryAfter: 1,
    message: expect.stringMatching(/not done yet/) as string,
  });
  expect((await once(key({ key: "l" }), accept("c"))).replayed).toBe(false);
  expect((await once(key({ account_id: "you" }), accept("d"))).replayed).toBe(false);
  gate.resolve();
  expect((await first).replayed).toBe(false);
  expect(await store.state("b")).toBeNull();
});

test("a request that failed frees its key", async () => {
  await expect(once(key(), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect((await once(key(), accept("a"))).replayed).toBe(false);
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { Priority } from "../../src/ports/calls.ts";
import type { Dispatch } from "../../src/ports/dispatch.ts";
import { tellWork } from "../../src/services/tell-work.ts";
import { type OrderTaker, takeOrders } from "../support/orders.ts";
import { aCall } from "../support/sqlite-store.ts";

/** Two processes on one store; both take work. */
export interface TestDispatch {
  readonly stores: readonly [SqliteStore, SqliteStore];
  readonly dispatches: readonly [Dispatch, Dispatch];
  close(): Promise<void>;
}

const names = (taken: readonly OrderTaker[]) => taken.flatMap(({ items }) => items.map((item) => item.call_id));

/** Holds a Dispatch adapter to the port. */
export function dispatchContract(name: string, make: () => Promise<TestDispatch>): void {
  describe(`Dispatch: ${name}`, () => {
    let t: TestDispatch;
    let takers: OrderTaker[];
    beforeEach(async () => {
      takers = [];
      t = await make();
    });
    afterEach(async () => {
      await Promise.all(takers.map((taker) => taker.stop()));
      await t.close();
    });

    const accept = (process: 0 | 1, ids: readonly string[], priority: Priority = PRIORITY.single) =>
      tellWork(t.stores[process], t.dispatches[process]).calls.accept(
        ids.map((id) => aCall(id)),
        priority,
      );
    const worker = (process: 0 | 1): OrderTaker => {
      const taker = takeOrders(t.dispatches[process], t.stores[process].work);
      takers.push(taker);
      return taker;
    };

    test("says that all is well, and that nothing waits", async () => {
      expect(t.dispatches.map((dispatch) => dispatch.problem())).toEqual([null, null]);
      expect(await t.dispatches[0].depth()).toBe(0);
    });

    test("brings work of either process to workers of both, each piece once", async () => {
      const workers = [worker(0), worker(1), worker(1)];
      const ids = Array.from({ length: 200 }, (_, i) => `c${i}`);
      for (let i = 0; i < 200; i += 5) await accept(i % 2 === 0 ? 0 : 1, ids.slice(i, i + 5));
      await vi.waitFor(() => expect(names(workers)).toHaveLength(200), { timeout: 10_000 });
      expect(names(workers).toSorted()).toEqual(ids.toSorted());
      await vi.waitFor(async () => expect(await t.dispatches[0].depth()).toBe(0));
    });

    test("what is better comes first, whenever it came", async () => {
      await accept(0, ["r"], PRIORITY.recalculation);
      await accept(0, ["b"], PRIORITY.bulk);
      await accept(0, ["s"], PRIORITY.single);
      await accept(0, ["l"], PRIORITY.live);
      expect(await t.dispatches[1].depth()).toBe(4);
      const taker = takeOrders(t.dispatches[1], t.stores[1].work, 1);
      takers.push(taker);
      await taker.reaches(4);
      expect(names([taker])).toEqual(["l", "s", "b", "r"]);
    });

    test("what nobody was told of is found", async () => {
      const taker = worker(1);
      await t.stores[0].calls.accept([aCall("a"), aCall("b")], PRIORITY.bulk);
      await taker.reaches(2);
      // A retry has nobody to tell of it.
      const [first] = taker.items;
      const [held] = await t.stores[0].work.take(1, "w", 1_000, [first?.call_no ?? 0]);
      expect(held).toBeUndefined();
      await accept(0, ["c"]);
      await taker.reaches(3);
      expect(names([taker]).toSorted()).toEqual(["a", "b", "c"]);
    });

    test("work that is given back, to be tried again, is ordered again", async () => {
      const one = new AbortController();
      await accept(0, ["a"]);
      const order = await t.dispatches[0].take(8, one.signal);
      const [item] = await t.stores[0].work.take(8, "w", 60_000, order?.call_nos ?? undefined);
      order?.taken(1);
      order?.done();
      if (!item) throw new Error("no work");
      await t.stores[0].work.fail([{ work_no: item.work_no, error: "x", retry_at: Date.now() + 50 }], "w");
      const taker = worker(1);
      await taker.reaches(1);
      expect(taker.items).toMatchObject([{ call_id: "a", attempts: 2 }]);
    });

    test("who waits for an order stops waiting as soon as it is told to, and loses none", async () => {
      // What there is to look for at the start.
      await accept(0, ["first"]);
      const taker = worker(0);
      await taker.reaches(1);
      const began = performance.now();
      await taker.stop();
      expect(performance.now() - began).toBeLessThan(250);
      const leaving = new AbortController();
      const left = t.dispatches[0].take(8, leaving.signal);
      await accept(1, ["second"]);
      leaving.abort();
      const order = await left;
      // An order that it had by then is its own, and may be of work that is done.
      const own = order && (await t.stores[0].work.take(8, "w", 60_000, order.call_nos ?? undefined));
      order?.taken(own?.length ?? 0);
      const next = worker(1);
      if (!own?.length) await next.reaches(1);
      expect([...(own ?? []), ...next.items].map((item) => item.call_id)).toEqual(["second"]);
    });
  });
}

import { createClient } from "@redis/client";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { Priority } from "../../src/ports/calls.ts";
import { tellWork } from "../../src/services/tell-work.ts";
import { takeOrders } from "../support/orders.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { aCall } from "../support/sqlite-store.ts";
import { areAway, type TwoDispatches, twoDispatches } from "../support/two-dispatches.ts";
import { dispatchContract } from "./dispatch.contract.ts";

const program = requirement("redis");
const server = program === null ? null : await startRedis(program);
afterAll(() => server?.close());

const url = () => (server as RedisServer).url;
const LEASE_MS = 60_000;

describe.skipIf(server === null)("redis", () => {
  dispatchContract("redis", async () => {
    const t = await twoDispatches(url());
    await areAway(t.dispatches, false);
    return t;
  });

  describe("what it does beside the port", () => {
    const forever = new AbortController().signal;
    let t: TwoDispatches;
    let client: ReturnType<typeof createClient>;
    beforeEach(async () => {
      t = await twoDispatches(url());
      await areAway(t.dispatches, false);
      client = createClient({ url: url() });
      await client.connect();
    });
    afterEach(async () => {
      client.destroy();
      await t.close();
    });

    const accept = (count: number, priority: Priority, name = "c") =>
      tellWork(t.stores[0], t.dispatches[0]).calls.accept(
        Array.from({ length: count }, (_, i) => aCall(`${name}${i}`)),
        priority,
      );
    const lengths = () =>
      Promise.all(Object.keys(PRIORITY).map((name) => client.xLen(`${t.tag}:${name}`).then((n) => [name, n] as const)));
    /** The next order that names calls; looks find nothing. */
    const order = async (n = 8, process: 0 | 1 = 1) => {
      for (;;) {
        const found = await t.dispatches[process].take(n, forever);
        if (found?.call_nos) return found as typeof found & { call_nos: readonly number[] };
        found?.taken(0);
        found?.done();
      }
    };

    test("says which calls, and nothing else about them; what is taken leaves nothing behind", async () => {
      const results = await accept(3, PRIORITY.single);
      const entries = await vi.waitFor(async () => {
        const found = (await client.xRange(`${t.tag}:single`, "-", "+")) ?? [];
        expect(found).toHaveLength(3);
        return found;
      });
      const numbers = results.map((r) => ("call_no" in r ? r.call_no : 0));
      expect(entries.map(({ message }) => ({ ...message }))).toEqual(numbers.map((n) => ({ call: String(n) })));
      const first = await order();
      expect(first.call_nos).toEqual(numbers);
      first.taken(3);
      await vi.waitFor(async () => expect((await lengths()).every(([, n]) => n === 0)).toBe(true));
    });

    test("a process full of bulk has room for a live call, and takes the rest one by one", async () => {
      await accept(40, PRIORITY.bulk, "b");
      const sizes: number[] = [];
      const held = [await order(), await order(), await order(), await order()];
      for (const { call_nos } of held) sizes.push(call_nos.length);
      expect(sizes).toEqual([8, 8, 1, 1]);
      const [live] = await accept(1, PRIORITY.live, "l");
      expect((await order()).call_nos).toEqual([live && "call_no" in live ? live.call_no : 0]);
      for (const one of held) one.done();
      expect((await order()).call_nos).toHaveLength(8);
    });

    test("of a large bulk so much is told as is soon done; the rest comes as that goes, each call once", async () => {
      for (let i = 0; i < 4; i++) await accept(1_000, PRIORITY.bulk, `b${i}-`);
      await vi.waitFor(async () => expect(await client.xLen(`${t.tag}:bulk`)).toBe(2_000));
      const takers = [takeOrders(t.dispatches[1], t.stores[1].work), takeOrders(t.dispatches[0], t.stores[0].work)];
      await vi.waitFor(() => expect(takers.reduce((n, { items }) => n + items.length, 0)).toBe(4_000), 20_000);
      expect(new Set(takers.flatMap(({ items }) => items.map((item) => item.call_no))).size).toBe(4_000);
      await Promise.all(takers.map((taker) => taker.stop()));
    });

    test("who read an order and ended without taking the work loses none of it", async () => {
      await accept(3, PRIORITY.single);
      const lost = await order();
      expect(lost.call_nos).toHaveLength(3);
      // Never taken: as if it had been killed.
      const taker = takeOrders(t.dispatches[0], t.stores[0].work);
      await taker.reaches(3);
      await vi.waitFor(async () => expect((await lengths()).every(([, n]) => n === 0)).toBe(true), 20_000);
      await taker.stop();
    }, 40_000);

    test("emptied, filled with nonsense: all work is found", async () => {
      const takers = [takeOrders(t.dispatches[0], t.stores[0].work), takeOrders(t.dispatches[1], t.stores[1].work)];
      const reach = (count: number) =>
        vi.waitFor(() => expect(takers.reduce((n, { items }) => n + items.length, 0)).toBe(count), 10_000);
      await accept(20, PRIORITY.single, "a");
      await reach(20);
      await client.flushAll();
      await accept(20, PRIORITY.single, "b");
      await client.flushAll();
      await reach(40);
      await client.xAdd(`${t.tag}:live`, "*", { call: "nonsense" });
      await client.xAdd(`${t.tag}:live`, "*", { other: "9" });
      await client.xAdd(`${t.tag}:live`, "*", { call: "4711" });
      await accept(20, PRIORITY.live, "d");
      await reach(60);
      await client.set(`${t.tag}:bulk`, "no stream");
      await accept(20, PRIORITY.bulk, "e");
      await reach(80);
      await areAway(t.dispatches);
      await client.del(`${t.tag}:bulk`);
      await areAway(t.dispatches, false);
      await accept(20, PRIORITY.bulk, "f");
      await reach(100);
      await Promise.all(takers.map((taker) => taker.stop()));
    }, 60_000);

    test("who only tells of work takes none; what it tells before anybody works is kept", async () => {
      const teller = t.open(0, { takes: false });
      await areAway([teller], false);
      const [result] = await t.stores[0].calls.accept([aCall("a")], PRIORITY.single);
      const call_no = result && "call_no" in result ? result.call_no : 0;
      await client.flushAll();
      teller.dispatch([{ call_no, priority: PRIORITY.single }]);
      expect((await order()).call_nos).toEqual([call_no]);
      expect(await t.stores[1].work.take(8, "w", LEASE_MS, [call_no])).toHaveLength(1);
      await teller.close();
    });
  });
});

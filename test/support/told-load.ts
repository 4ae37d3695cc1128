/** A load of calls that workers are told of, and what became of them. */
import { expect, vi } from "vitest";
import type { Dispatch } from "../../src/ports/dispatch.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import { tellWork } from "../../src/services/tell-work.ts";
import { type OrderTaker, takeOrders } from "./orders.ts";
import { aCall } from "./sqlite-store.ts";
import type { TwoStores } from "./two-stores.ts";

export interface ToldLoad {
  /** Accepts one call, by each process in turn. */
  accept(): Promise<void>;
  /** Resolves once each call accepted so far was leased, by one worker and once. */
  all(): Promise<void>;
  /** The longest time from acceptance to lease, ms, of the calls since this was asked last. */
  latest(): number;
  stop(): Promise<void>;
}

/** Two workers, one at each process. */
export function toldLoad({ stores }: TwoStores, dispatches: readonly [Dispatch, Dispatch]): ToldLoad {
  const takers: readonly OrderTaker[] = [0, 1].map((i) =>
    takeOrders(dispatches[i] as Dispatch, (stores[i] as (typeof stores)[0]).work),
  );
  const accepted = new Map<string, number>();
  let looked = 0;
  const leased = () => takers.flatMap(({ items, at }) => items.map(({ call_id }, i) => ({ call_id, at: at[i] ?? 0 })));
  return {
    async accept() {
      const process = accepted.size % 2 === 0 ? 0 : 1;
      const call_id = `told-${accepted.size}`;
      await tellWork(stores[process], dispatches[process]).calls.accept([aCall(call_id)], PRIORITY.single);
      accepted.set(call_id, performance.now());
    },
    async all() {
      await vi.waitFor(() => expect(leased()).toHaveLength(accepted.size), { timeout: 20_000, interval: 20 });
      expect(new Set(leased().map(({ call_id }) => call_id)).size).toBe(accepted.size);
    },
    latest() {
      const since = [...accepted.keys()].slice(looked);
      looked = accepted.size;
      const at = new Map(leased().map((one) => [one.call_id, one.at]));
      return Math.max(...since.map((id) => (at.get(id) ?? 0) - (accepted.get(id) ?? 0)));
    },
    async stop() {
      await Promise.all(takers.map((taker) => taker.stop()));
    },
  };
}

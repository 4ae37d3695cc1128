/** Workers that take what they are told to, as worker/loop.ts does, and keep it leased. */
import { randomUUID } from "node:crypto";
import type { Dispatch } from "../../src/ports/dispatch.ts";
import type { Work, WorkItem } from "../../src/ports/work.ts";

const LEASE_MS = 60_000;

export interface OrderTaker {
  /** What was leased, in order. */
  readonly items: readonly WorkItem[];
  /** When each was leased, by performance.now(). */
  readonly at: readonly number[];
  /** Resolves when it has leased `count` items in all. */
  reaches(count: number): Promise<void>;
  /** Resolves once it waits for no order any more. */
  stop(): Promise<void>;
}

/** One lane of a worker; a store that rejects is asked again with the next order. */
export function takeOrders(dispatch: Dispatch, work: Pick<Work, "take">, n = 8): OrderTaker {
  const worker_id = randomUUID();
  const stopping = new AbortController();
  const items: WorkItem[] = [];
  const at: number[] = [];
  let changed = Promise.withResolvers<void>();
  const lane = (async () => {
    for (;;) {
      const order = await dispatch.take(n, stopping.signal);
      if (order === null) return;
      try {
        const taken = await work.take(n, worker_id, LEASE_MS, order.call_nos ?? undefined);
        order.taken(taken.length);
        items.push(...taken);
        at.push(...taken.map(() => performance.now()));
      } finally {
        order.done();
      }
      changed.resolve();
      changed = Promise.withResolvers();
    }
  })();
  lane.catch((error: unknown) => changed.reject(error));
  return {
    items,
    at,
    async reaches(count) {
      while (items.length < count) await changed.promise;
    },
    async stop() {
      stopping.abort();
      await lane;
    },
  };
}

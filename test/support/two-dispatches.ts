/** Two processes on one SQLite file whose workers are told of work by Redis. */
import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import { openRedisDispatch } from "../../src/adapters/redis/dispatch.ts";
import type { RedisDispatchOptions } from "../../src/adapters/redis/dispatch.ts";
import { pollingDispatch } from "../../src/adapters/sql/polling-dispatch.ts";
import type { Dispatch } from "../../src/ports/dispatch.ts";
import { type TwoStores, twoStores } from "./two-stores.ts";

export interface TwoDispatches extends TwoStores {
  readonly dispatches: readonly [Dispatch, Dispatch];
  /** What the two were told, in order. */
  readonly changes: readonly (string | null)[];
  readonly log_id: string;
  /** The hash tag of the keys. */
  readonly tag: string;
  open(process: 0 | 1, more?: Partial<RedisDispatchOptions>): Dispatch;
}

export async function twoDispatches(url: string): Promise<TwoDispatches> {
  const two = await twoStores();
  const log_id = randomUUID();
  const changes: (string | null)[] = [];
  const open: TwoDispatches["open"] = (process, more = {}) => {
    const { work, events } = two.stores[process];
    return openRedisDispatch({
      url,
      log_id,
      work,
      takes: true,
      standIn: () => pollingDispatch({ events, work }),
      onChange: (problem) => changes.push(problem),
      ...more,
    });
  };
  const dispatches = [open(0), open(1)] as const;
  return {
    ...two,
    dispatches,
    changes,
    log_id,
    tag: `earshot:{${log_id}:work}`,
    open,
    async close() {
      await Promise.all(dispatches.map((dispatch) => dispatch.close()));
      await two.close();
    },
  };
}

/** Resolves once all of them are whole (or away). */
export function areAway(dispatches: readonly { problem(): string | null }[], away = true): Promise<void> {
  return vi.waitFor(
    () => expect(dispatches.map((dispatch) => dispatch.problem() !== null)).toEqual(dispatches.map(() => away)),
    { timeout: 15_000 },
  );
}

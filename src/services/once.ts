/** Requests that their senders may repeat: one at a time for each key, once in effect. */
import { AppError } from "../errors.ts";
import type { Idempotency, KeyedWrites, RequestKey } from "../ports/idempotency.ts";

/**
 * Runs `work` with the writes it may make; `replayed` says that they had been made before and nothing was written. The
 * work must make one write. Without a key nothing is kept.
 * @throws AppError idempotency_in_progress, idempotency_key_reused
 */
export type Once = <T>(
  key: RequestKey | null,
  work: (writes: KeyedWrites) => Promise<T>,
) => Promise<{ value: T; replayed: boolean }>;

export function createOnce(store: KeyedWrites & { readonly idempotency: Idempotency }): Once {
  // Of this process alone: between two of them the store sees to it that the second one gets the first one's result.
  const running = new Set<string>();
  return async (key, work) => {
    if (key === null) return { value: await work(store), replayed: false };
    const name = JSON.stringify([key.account_id, key.key]);
    if (running.has(name)) {
      throw new AppError(
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is not done yet; ask again for its answer",
        { retryAfter: 1 },
      );
    }
    running.add(name);
    try {
      let replayed = false;
      const writes = store.idempotency.under(key, () => {
        replayed = true;
      });
      const value = await work(writes);
      return { value, replayed };
    } finally {
      running.delete(name);
    }
  };
}

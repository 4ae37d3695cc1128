/**
 * A lease that one process holds at a time, as a bookmark in the store that its holder changes again and again. Whoever
 * waits takes it over once it has not changed for a while by the waiter's own clock: clocks of two machines are never
 * compared.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Jobs } from "../ports/jobs.ts";

export interface LeaseTimes {
  /** A lease that did not change for so long is nobody's, ms. */
  readonly stale_ms: number;
  /** Its holder gives up what it could not renew for so long, ms: sooner than another takes it, to have time to stop. */
  readonly hold_ms: number;
  /** How often it is renewed, ms. */
  readonly renew_ms: number;
  /** How often whoever waits looks, ms. */
  readonly look_ms: number;
}

export const LEASE_TIMES: LeaseTimes = { stale_ms: 10_000, hold_ms: 7_000, renew_ms: 3_000, look_ms: 1_000 };

export interface LeaseDeps {
  readonly jobs: Pick<Jobs, "bookmark" | "moveBookmark">;
  readonly times: LeaseTimes;
}

export interface Lease {
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  /** Whoever waits gets it at its next look. Never rejects. */
  giveBack(): Promise<void>;
}

/** What a lease that was given back says. */
const FREE = "free";

/**
 * Resolves when `holder` (one name a process) holds the lease `name`; null where `signal` aborted before.
 * @throws what keeps the store from being asked
 */
export async function takeLease(
  { jobs, times }: LeaseDeps,
  { name, holder, signal }: { name: string; holder: string; signal: AbortSignal },
): Promise<Lease | null> {
  let seen: string | null = null;
  let since = performance.now();
  while (!signal.aborted) {
    const value = await jobs.bookmark(name);
    if (value !== seen) {
      seen = value;
      since = performance.now();
    }
    if (value === null || value === FREE || performance.now() - since >= times.stale_ms) {
      const asked = performance.now();
      const first = `${holder} 0`;
      if (await jobs.moveBookmark(name, value, first)) return hold({ jobs, times }, { name, holder, asked });
    }
    await delay(times.look_ms, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** Renews until the lease is lost or given back. `asked`: performance.now() when it was asked for. */
function hold(
  { jobs, times }: LeaseDeps,
  { name, holder, asked }: { name: string; holder: string; asked: number },
): Lease {
  const lost = new AbortController();
  const ending = new AbortController();
  let value = `${holder} 0`;
  let over: NodeJS.Timeout;
  // Counted from before the store was asked: whoever waits cannot have seen the change earlier.
  const holdFrom = (at: number): void => {
    clearTimeout(over);
    over = setTimeout(() => lost.abort(), Math.max(0, at + times.hold_ms - performance.now())).unref();
  };
  holdFrom(asked);
  const renew = async (): Promise<void> => {
    for (let count = 1; !lost.signal.aborted; ) {
      await delay(times.renew_ms, undefined, { signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      const at = performance.now();
      const next = `${holder} ${count}`;
      try {
        // One whose answer was lost has moved all the same.
        const moved = (await jobs.moveBookmark(name, value, next)) || (await jobs.bookmark(name)) === next;
        if (!moved) lost.abort();
        value = next;
        count++;
        holdFrom(at);
      } catch {
        // The store is away for now; the time to hold goes on.
      }
    }
  };
  const renewing = renew();
  return {
    lost: lost.signal,
    async giveBack() {
      ending.abort();
      clearTimeout(over);
      await renewing;
      // Where it fails the lease runs out.
      await jobs.moveBookmark(name, value, FREE).catch(() => false);
    },
  };
}

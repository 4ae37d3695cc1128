import { AppError } from "../errors.ts";
import type { Quota } from "../errors.ts";

/** What a client is told that has met a limit: which one, and when to come back. */
export function limitMet(quota: Quota, input: { what: string; wait_s: number; advice?: string }): AppError {
  const wait = Math.max(1, input.wait_s);
  const limit = `More than ${quota.limit.toLocaleString("en")} ${input.what} in ${quota.window_s} seconds`;
  const advice = input.advice === undefined ? "" : ` ${input.advice}`;
  return new AppError("too_many_requests", `${limit}; try again in ${wait} s.${advice}`, { retryAfter: wait, quota });
}

export interface Throttle {
  /** Counts one attempt for every name, or refuses when any has used up its limit. `refund` takes the count back.
   *  @throws AppError too_many_requests with retryAfter */
  take(names: readonly string[]): { refund(): void };
}

/** Names kept at most; beyond it the longest-idle ones are forgotten. */
const NAMES = 20_000;

/** A sliding window in memory: at most `limit` counted attempts a name in any `window_ms`. */
export function createThrottle(input: { name: string; limit: number; window_ms: number; now: () => number }): Throttle {
  const { limit, window_ms, now } = input;
  const attempts = new Map<string, number[]>();
  const recent = (name: string): number[] => (attempts.get(name) ?? []).filter((at) => at > now() - window_ms);
  return {
    take(names) {
      for (const name of names) {
        const times = recent(name);
        if (times.length >= limit) {
          const wait_s = Math.ceil(((times[0] as number) + window_ms - now()) / 1000);
          const what = "wrong attempts from this address or for this user";
          throw limitMet({ name: input.name, limit, window_s: window_ms / 1000 }, { what, wait_s });
        }
      }
      const at = now();
      for (const name of names) {
        const times = recent(name);
        times.push(at);
        attempts.delete(name);
        attempts.set(name, times);
      }
      while (attempts.size > NAMES) attempts.delete(attempts.keys().next().value as string);
      return {
        refund() {
          for (const name of names) {
            const times = attempts.get(name);
            const index = times?.indexOf(at) ?? -1;
            if (index >= 0) times?.splice(index, 1);
            if (times?.length === 0) attempts.delete(name);
          }
        },
      };
    },
  };
}

import { AppError } from "../errors.ts";

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
          const wait = Math.max(1, Math.ceil(((times[0] as number) + window_ms - now()) / 1000));
          throw new AppError(
            "too_many_requests",
            `${limit} wrong attempts in ${window_ms / 1000} seconds from this address or for this user; try again in ${wait} s`,
            { retryAfter: wait, quota: { name: input.name, limit, window_s: window_ms / 1000 } },
          );
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

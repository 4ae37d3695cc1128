/** The RateLimit port in the memory of this process. */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { RateLimit } from "../../ports/rate-limit.ts";

/** At most `limit` takes a name in `window_s` seconds from the first of them. */
export function memoryRateLimit({ limit, window_s }: { limit: number; window_s: number }): RateLimit {
  const limiter = new RateLimiterMemory({ points: limit, duration: window_s });
  return {
    limit,
    window_s,
    async take(name) {
      let left: RateLimiterRes;
      let allowed = true;
      try {
        left = await limiter.consume(name);
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        left = refused;
        allowed = false;
      }
      return { allowed, remaining: left.remainingPoints, reset_ms: Math.max(0, left.msBeforeNext) };
    },
  };
}

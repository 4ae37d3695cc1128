import { describe, expect, test, vi } from "vitest";
import type { RateLimit } from "../../src/ports/rate-limit.ts";

export function rateLimitContract(name: string, make: (of: { limit: number; window_s: number }) => RateLimit): void {
  describe(`RateLimit: ${name}`, () => {
    test("a name has its limit, counted down, and names do not mix", async () => {
      const limit = make({ limit: 3, window_s: 60 });
      expect([limit.limit, limit.window_s]).toEqual([3, 60]);
      const taken = [await limit.take("a"), await limit.take("a"), await limit.take("a"), await limit.take("a")];
      expect(taken.map((t) => [t.allowed, t.remaining])).toEqual([
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
      for (const { reset_ms } of taken) expect(reset_ms).toSatisfy((ms: number) => ms > 0 && ms <= 60_000);
      expect(await limit.take("b")).toMatchObject({ allowed: true, remaining: 2 });
    });

    test("when the window is over the name has its limit again", async () => {
      const limit = make({ limit: 1, window_s: 1 });
      await limit.take("a");
      expect((await limit.take("a")).allowed).toBe(false);
      await vi.waitFor(async () => expect((await limit.take("a")).allowed).toBe(true), {
        timeout: 5_000,
        interval: 50,
      });
    });

    test("of many at once exactly the limit is allowed", async () => {
      const limit = make({ limit: 10, window_s: 60 });
      const taken = await Promise.all(Array.from({ length: 50 }, () => limit.take("a")));
      expect(taken.filter((t) => t.allowed)).toHaveLength(10);
    });
  });
}

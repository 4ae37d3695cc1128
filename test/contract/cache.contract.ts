import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { Cache } from "../../src/ports/cache.ts";
import { measured } from "../support/measured.ts";

interface TestCache {
  readonly cache: Cache;
  /** Lets so many ms pass for the cache. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** `random` gives 0 to 1 and decides how much earlier a value expires. */
export type MakeCache = (random: () => number) => Promise<TestCache>;

/** An answer of this value, as old as that, give or take what real time it took. */
const answer = (value: unknown, age_ms: number, stale = false) => ({
  value,
  age_ms: expect.toSatisfy(
    (age: number) => age >= age_ms && age < age_ms + 80,
    `${age_ms} ms or little more`,
  ) as number,
  stale,
});

const gone = () => Promise.reject(new AppError("store_unavailable"));

export function cacheContract(name: string, make: MakeCache): void {
  describe(`Cache: ${name}`, () => {
    let chance = 0;
    let t: TestCache;
    beforeEach(async () => {
      chance = 0;
      t = await make(() => chance);
    });
    afterEach(() => t.close());

    const ask = <T>(make: () => Promise<T>, more: { key?: string; version?: string; ttl_ms?: number } = {}) =>
      t.cache.once({ key: "agents", version: "1", ttl_ms: 2_000, make, ...more });

    test("a thousand who miss one key at once make one value", async () => {
      let made = 0;
      const gate = Promise.withResolvers<void>();
      const value = { rows: [1, 2, null] };
      const answers = Array.from({ length: 1_000 }, () =>
        ask(async () => {
          made++;
          await gate.promise;
          return value;
        }),
      );
      await turnOfTheLoop();
      gate.resolve();
      for (const one of await Promise.all(answers)) expect(one).toEqual(answer(value, 0));
      expect(made).toBe(1);
      measured("a thousand ask the same at once", `${name}: ${answers.length} answers, ${made} query`);
    });

    test("a value holds for its time and has an age; keys and versions do not mix", async () => {
      await ask(async () => "a");
      await t.advance(1_900);
      expect(await ask(async () => "b")).toEqual(answer("a", 1_900));
      expect((await ask(async () => "c", { key: "other" })).value).toBe("c");
      expect((await ask(async () => "d", { version: "2" })).value).toBe("d");
      // Whether the older one is there still is the cache's own business.
      expect((await ask(async () => "e")).value).toMatch(/^[ae]$/);
      await t.advance(2_000);
      expect((await ask(async () => "f")).value).toBe("f");
    });

    test("nothing is kept for more than two seconds, and some of it shorter", async () => {
      await ask(async () => "a", { ttl_ms: 60_000 });
      await t.advance(2_000);
      expect((await ask(async () => "b", { ttl_ms: 60_000 })).value).toBe("b");
      chance = 1;
      await ask(async () => "c", { key: "early" });
      await t.advance(1_400);
      expect((await ask(async () => "d", { key: "early" })).value).toBe("c");
      await t.advance(100);
      expect((await ask(async () => "d", { key: "early" })).value).toBe("d");
    });

    test("who asks for a newer version does not get what is being made of an older one", async () => {
      const gate = Promise.withResolvers<string>();
      const old = ask(() => gate.promise);
      expect((await ask(async () => "new", { version: "2" })).value).toBe("new");
      gate.resolve("old");
      expect((await old).value).toBe("old");
    });

    test("when it cannot be made, the last one stands in with its age, for ten minutes", async () => {
      await expect(ask(gone)).rejects.toThrow(AppError);
      await ask(async () => "a");
      await t.advance(5_000);
      expect(await ask(gone)).toEqual(answer("a", 5_000, true));
      expect(await ask(gone, { version: "2" })).toEqual(answer("a", 5_000, true));
      expect(await ask(async () => "b")).toEqual(answer("b", 0));
      await t.advance(600_001);
      await expect(ask(gone)).rejects.toThrow(AppError);
    });

    test("a bug is not hidden behind the last value, and a failure is not kept", async () => {
      await ask(async () => "a");
      await t.advance(3_000);
      await expect(ask(() => Promise.reject(new TypeError("a bug")))).rejects.toThrow(TypeError);
      expect((await ask(async () => "b")).value).toBe("b");
    });
  });
}

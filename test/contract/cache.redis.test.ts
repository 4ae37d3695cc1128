import { createClient } from "@redis/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../src/errors.ts";
import { measured } from "../support/measured.ts";
import { type RedisCaches, redisCaches } from "../support/redis-caches.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { areAway } from "../support/two-dispatches.ts";
import { cacheContract } from "./cache.contract.ts";

const program = requirement("redis");
const server = program === null ? null : await startRedis(program);
const redis = () => server as RedisServer;

const request = <T>(make: () => Promise<T>, key = "agents") => ({ key, version: "1", ttl_ms: 2_000, make });
const gone = () => Promise.reject(new AppError("store_unavailable"));

describe.skipIf(server === null)("redis", () => {
  let client: ReturnType<typeof createClient>;
  const connect = async (): Promise<void> => {
    client = createClient({ url: redis().url });
    client.on("error", () => {});
    await client.connect();
  };
  beforeAll(connect);
  afterAll(async () => {
    client.destroy();
    await redis().close();
  });

  cacheContract("redis, three processes", (random) => redisCaches(redis().url, client, random));

  describe("between processes", () => {
    let t: RedisCaches;
    beforeEach(async () => {
      t = await redisCaches(redis().url, client);
    });
    afterEach(() => t.close());

    test("a thousand who miss one key at once, in three processes, make one query; nothing stays locked", async () => {
      let made = 0;
      const make = async () => {
        made++;
        await client.ping();
        return { n: made };
      };
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => t.cache.once(request(make))));
      const took = performance.now() - began;
      expect(new Set(answers.map(({ value }) => value.n))).toEqual(new Set([1]));
      expect(made).toBe(1);
      expect(await client.keys(`${t.tag}:*`)).toHaveLength(1);
      measured(
        "a thousand ask the same at once",
        `redis, three processes: 1000 answers, ${made} query, ${took.toFixed(0)} ms`,
      );
    });

    test("who makes it and ends in the middle is waited for a second, no longer", async () => {
      const never = Promise.withResolvers<string>();
      const dead = t.caches[0]?.once(request(() => never.promise));
      await vi.waitFor(async () => expect(await client.keys(`${t.tag}:*`)).toHaveLength(1));
      const began = performance.now();
      expect((await t.caches[1]?.once(request(async () => "own")))?.value).toBe("own");
      const waited = performance.now() - began;
      expect(waited).toBeGreaterThan(900);
      expect(waited).toBeLessThan(2_500);
      never.resolve("late");
      await dead;
    });

    test("one that fails to make it does not keep the others", async () => {
      const begun = Promise.withResolvers<void>();
      const making = Promise.withResolvers<string>();
      const failed = t.caches[0]?.once(
        request(() => {
          begun.resolve();
          return making.promise;
        }),
      );
      await begun.promise;
      const made = t.caches[1]?.once(request(async () => "b"));
      making.reject(new AppError("store_unavailable"));
      await expect(failed).rejects.toThrow(AppError);
      expect((await made)?.value).toBe("b");
    });

    test("a value that is no value is made again", async () => {
      await t.caches[0]?.once(request(async () => "a"));
      const [key] = await client.keys(`${t.tag}:*`);
      await client.set(key ?? "", "nonsense");
      await t.advance(2_000);
      expect((await t.caches[1]?.once(request(async () => "b")))?.value).toBe("b");
    });

    test("Redis killed, silent and back: answers go on, the last one stands in, and it says so", async () => {
      expect((await t.cache.once(request(async () => "a"))).value).toBe("a");
      const [one, two] = t.caches;
      if (!one || !two) throw new Error("no cache");
      redis().freeze();
      const began = performance.now();
      // Not only once the connection is given up.
      expect((await two.once(request(async () => "own", "other"))).value).toBe("own");
      expect(performance.now() - began).toBeLessThan(1_500);
      redis().resume();
      await areAway(t.caches, false);
      await redis().kill();
      await areAway(t.caches);
      expect((await one.once(request(async () => "b", "third"))).value).toBe("b");
      expect((await one.once(request(async () => "c", "third"))).value).toBe("b");
      const stale = await one.once({ ...request(gone), version: "2" });
      expect(stale).toMatchObject({ value: "a", stale: true });
      await redis().start();
      await areAway(t.caches, false);
      client.destroy();
      await connect();
      expect((await one.once(request(async () => "d", "fourth"))).value).toBe("d");
      expect((await two.once(request(async () => "e", "fourth"))).value).toBe("d");
    }, 30_000);
  });
});

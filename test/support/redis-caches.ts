/** Three processes that share their figures by one Redis. */
import type { createClient } from "@redis/client";
import { randomUUID } from "node:crypto";
import { openRedisCache } from "../../src/adapters/redis/cache.ts";
import type { Cache } from "../../src/ports/cache.ts";
import { areAway } from "./two-dispatches.ts";

export interface RedisCaches {
  /** Asks one after the other. */
  readonly cache: Cache;
  readonly caches: readonly ReturnType<typeof openRedisCache>[];
  /** The hash tag of the keys. */
  readonly tag: string;
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** `client` reaches the keys of these caches; `advance` takes the time off them. */
export async function redisCaches(
  url: string,
  client: Pick<ReturnType<typeof createClient>, "keys" | "pTTL" | "pExpire" | "del">,
  random: () => number = Math.random,
  log_id: string = randomUUID(),
): Promise<RedisCaches> {
  const tag = `earshot:{${log_id}:cache}`;
  let passed = 0;
  const now = (): number => performance.now() + passed;
  const caches = [1, 2, 3].map(() => openRedisCache({ url, log_id, onChange: () => {}, now, random }));
  await areAway(caches, false);
  let asked = 0;
  return {
    cache: {
      once: (request) => (caches[asked++ % caches.length] as Cache).once(request),
      close: async () => {},
    },
    caches,
    tag,
    async advance(ms) {
      passed += ms;
      for (const key of await client.keys(`${tag}:*`)) {
        const left = (await client.pTTL(key)) - ms;
        await (left > 0 ? client.pExpire(key, left) : client.del(key));
      }
    },
    async close() {
      await Promise.all(caches.map((cache) => cache.close()));
    },
  };
}

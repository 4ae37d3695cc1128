/** The Cache port in the memory of this process. */
import { LRUCache } from "lru-cache";
import { AppError, ERRORS } from "../../errors.ts";
import type { Cache, Cached, CacheRequest } from "../../ports/cache.ts";

/** Values kept at most; the longest unused go first. */
const VALUES = 500;
const LONGEST_TTL_MS = 2_000;
const STALE_MS = 600_000;

interface Entry {
  readonly value: unknown;
  readonly version: string;
  readonly made_at: number;
  readonly expires_at: number;
}

export interface MemoryCacheOptions {
  /** Milliseconds that never jump back. */
  readonly now?: () => number;
  /** 0 to 1: spreads what is made at once. */
  readonly random?: () => number;
}

export function memoryCache(options: MemoryCacheOptions = {}): Cache {
  const { now = () => performance.now(), random = Math.random } = options;
  const entries = new LRUCache<string, Entry>({ max: VALUES });
  const flights = new Map<string, Promise<Cached<unknown>>>();

  async function make({ key, version, ttl_ms, make }: CacheRequest<unknown>): Promise<Cached<unknown>> {
    try {
      const value = await make();
      const made_at = now();
      const expires_at = made_at + Math.min(ttl_ms, LONGEST_TTL_MS) * (1 - random() / 4);
      entries.set(key, { value, version, made_at, expires_at });
      return { value, age_ms: 0, stale: false };
    } catch (error) {
      const last = entries.get(key);
      const age_ms = last ? now() - last.made_at : 0;
      if (!last || age_ms > STALE_MS || !(error instanceof AppError) || !ERRORS[error.code].retryable) throw error;
      return { value: last.value, age_ms, stale: true };
    }
  }

  return {
    async once<T>(request: CacheRequest<T>): Promise<Cached<T>> {
      const { key, version } = request;
      const entry = entries.get(key);
      if (entry?.version === version && entry.expires_at > now()) {
        return { value: entry.value as T, age_ms: now() - entry.made_at, stale: false };
      }
      // Who asks for a newer version must not get what is being made of an older one.
      const name = `${version}\n${key}`;
      let flight = flights.get(name);
      if (!flight) {
        flight = make(request).finally(() => flights.delete(name));
        flights.set(name, flight);
      }
      return flight as Promise<Cached<T>>;
    },
    async close() {
      entries.clear();
    },
  };
}

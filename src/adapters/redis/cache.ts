/**
 * The Cache port for several processes: what one of them makes is there for all, and all of them together make it once.
 * A process keeps what it has seen while that is fresh; without Redis it is on its own, as with a cache in memory.
 */
import { LRUCache } from "lru-cache";
import { AppError, ERRORS } from "../../errors.ts";
import type { Cache, Cached, CacheRequest } from "../../ports/cache.ts";
import { Sessions } from "./sessions.ts";
import type { Session } from "./sessions.ts";
import { openSharedValues, STALE_MS } from "./shared-values.ts";
import type { SharedValue, SharedValues } from "./shared-values.ts";

/** Values kept here at most; the longest unused go first. */
const VALUES = 500;
const LONGEST_TTL_MS = 2_000;

export interface RedisCacheOptions {
  /** As connect.ts takes it. */
  readonly url: string;
  /** Names the store among others that the server may hold. */
  readonly log_id: string;
  /** Told when figures are shared (null), and when each process has its own (why). */
  readonly onChange: (problem: string | null) => void;
  /** Milliseconds that never jump back. */
  readonly now?: () => number;
  /** 0 to 1: spreads what is made at once. */
  readonly random?: () => number;
}

/** A cache that says how it is. */
export interface SharedCache extends Cache {
  /** Why each process keeps figures of its own; null while all is well. */
  problem(): string | null;
}

/** Answers at once and connects by itself, for as long as it takes. */
export function openRedisCache(options: RedisCacheOptions): SharedCache {
  return new RedisCache(options);
}

/** As it is kept here; made_at by the clock of this process. */
interface Kept extends Omit<SharedValue, "age_ms"> {
  readonly made_at: number;
}

class RedisCache implements SharedCache {
  readonly #options: RedisCacheOptions;
  readonly #now: () => number;
  readonly #sessions: Sessions;
  readonly #kept = new LRUCache<string, Kept>({ max: VALUES });
  readonly #flights = new Map<string, Promise<Cached<unknown>>>();
  /** null: Redis is away. */
  #shared: SharedValues | null = null;
  #lose: (error: unknown) => void = () => {};

  constructor(options: RedisCacheOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sessions = new Sessions((session) => this.#run(session), options.onChange);
  }

  async once<T>(request: CacheRequest<T>): Promise<Cached<T>> {
    const { key, version } = request;
    const kept = this.#kept.get(key);
    if (kept?.version === version && this.#age(kept) < kept.fresh_ms) {
      return { value: kept.value as T, age_ms: this.#age(kept), stale: false };
    }
    // Who asks for a newer version must not get what is being made of an older one.
    const name = `${version}\n${key}`;
    let flight = this.#flights.get(name);
    if (!flight) {
      flight = this.#get(request).finally(() => this.#flights.delete(name));
      this.#flights.set(name, flight);
    }
    return flight as Promise<Cached<T>>;
  }

  problem(): string | null {
    return this.#sessions.problem;
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    this.#kept.clear();
  }

  async #run({ signal, whole }: Session): Promise<never> {
    const { url, log_id } = this.#options;
    const shared = await openSharedValues(url, log_id, signal);
    const over = Promise.withResolvers<never>();
    const stop = (): void => over.reject(new Error("closed"));
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) stop();
      this.#lose = (error) => {
        if (this.#shared === shared) this.#shared = null;
        over.reject(error);
      };
      this.#shared = shared;
      whole();
      return await Promise.race([over.promise, shared.lost]);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#shared = null;
      shared.close();
    }
  }

  async #get(request: CacheRequest<unknown>): Promise<Cached<unknown>> {
    const { key, version } = request;
    const shared = this.#shared;
    const asked = (await shared?.find(key, version).catch(this.#lose)) ?? { lock: null, last: null };
    if ("found" in asked) return this.#take(key, asked.found, false);
    const { random = Math.random } = this.#options;
    try {
      const value = await request.make();
      const made = { value, version, fresh_ms: Math.min(request.ttl_ms, LONGEST_TTL_MS) * (1 - random() / 4) };
      await shared?.put(key, made, asked.lock).catch(this.#lose);
      return this.#take(key, { ...made, age_ms: 0 }, false);
    } catch (error) {
      await shared?.giveBack(asked.lock).catch(this.#lose);
      const last = asked.last ?? this.#remembered(key);
      if (!last || !(error instanceof AppError) || !ERRORS[error.code].retryable) throw error;
      return this.#take(key, last, true);
    }
  }

  #take(key: string, shared: SharedValue, stale: boolean): Cached<unknown> {
    const { age_ms, ...value } = shared;
    this.#kept.set(key, { ...value, made_at: this.#now() - age_ms });
    return { value: value.value, age_ms, stale };
  }

  /** What stands in where Redis has nothing. */
  #remembered(key: string): SharedValue | null {
    const kept = this.#kept.get(key);
    if (kept === undefined || this.#age(kept) > STALE_MS) return null;
    return { ...kept, age_ms: this.#age(kept) };
  }

  #age(kept: Kept): number {
    return this.#now() - kept.made_at;
  }
}

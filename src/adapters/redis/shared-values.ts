/** Values that all processes see, and who makes one, in one slot of a cluster. */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connect, ended } from "./connect.ts";

/** A value is there for so long, to stand in; how long it is fresh is written into it. */
export const STALE_MS = 600_000;
/** An answer that takes longer costs more than it spares. */
const ANSWER_MS = 250;
/** Who makes a value and ends in the middle is waited for no longer than this. */
const LOCK_MS = 2_000;
/** So long others wait for who makes it; then they make it as well. */
const WAIT_MS = 1_000;
const LOOK_MS = 10;
/** Takes the lock away if it is still one's own. */
const UNLOCK = `if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`;

export interface SharedValue {
  readonly value: unknown;
  readonly version: string;
  readonly fresh_ms: number;
  /** By the clock of Redis alone. */
  readonly age_ms: number;
}

/** Whoever has it makes the value; null: made without, as the one who has it takes too long. */
type Lock = { readonly key: string; readonly token: string } | null;

/** Each method rejects once the connection is lost, or where an answer takes too long. */
export interface SharedValues {
  /** The value of this version while it is fresh, also if it is being made just now; else leave to make it, and the last one there is. */
  find(
    key: string,
    version: string,
  ): Promise<{ readonly found: SharedValue } | { readonly lock: Lock; readonly last: SharedValue | null }>;
  /** Shares what was made, and gives the lock back. */
  put(key: string, made: Omit<SharedValue, "age_ms">, lock: Lock): Promise<void>;
  /** Gives the lock back: nothing was made. */
  giveBack(lock: Lock): Promise<void>;
  /** Rejects once the connection is lost. */
  readonly lost: Promise<never>;
  close(): void;
}

/** Connects to the values of the store whose log has this name. */
export async function openSharedValues(url: string, log_id: string, signal: AbortSignal): Promise<SharedValues> {
  // In a cluster the part in braces decides where they lie: a value and its lock together.
  const tag = `earshot:{${log_id}:cache}`;
  const client = await connect(url, tag, signal);
  const place = (key: string): string => `${tag}:${createHash("sha256").update(key).digest("base64url")}`;

  const read = async (at: string): Promise<SharedValue | null> => {
    const [text, left] = await inTime(Promise.all([client.get(at), client.pTTL(at)]));
    if (text === null) return null;
    const { value, version, fresh_ms } = JSON.parse(text) as Omit<SharedValue, "age_ms">;
    return { value, version, fresh_ms, age_ms: Math.max(0, STALE_MS - left) };
  };
  const unlock = async (lock: Lock): Promise<void> => {
    if (lock) await client.eval(UNLOCK, { keys: [lock.key], arguments: [lock.token] });
  };

  return {
    async find(key, version) {
      const at = place(key);
      const lock = { key: `${at}:${version}`, token: randomUUID() };
      const until = performance.now() + WAIT_MS;
      for (;;) {
        const last = await read(at);
        if (isFresh(last, version)) return { found: last };
        if (performance.now() >= until) return { lock: null, last };
        const options = { condition: "NX", expiration: { type: "PX", value: LOCK_MS } } as const;
        if ((await inTime(client.set(lock.key, lock.token, options))) !== null) {
          // Who had it may have made the value since it was read.
          const made = await read(at);
          if (!isFresh(made, version)) return { lock, last: made };
          await inTime(unlock(lock));
          return { found: made };
        }
        await delay(LOOK_MS);
      }
    },
    async put(key, made, lock) {
      const expiration = { type: "PX", value: STALE_MS } as const;
      await inTime(Promise.all([client.set(place(key), JSON.stringify(made), { expiration }), unlock(lock)]));
    },
    giveBack: (lock) => inTime(unlock(lock)),
    lost: ended([client]),
    close() {
      if (client.isOpen) client.destroy();
    },
  };
}

function isFresh(value: SharedValue | null, version: string): value is SharedValue {
  return value !== null && value.version === version && value.age_ms < value.fresh_ms;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

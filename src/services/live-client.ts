/** One connected client: numbered messages, bounded buffers, close codes. Knows no transport. */
import type { Principal } from "./access.ts";

/** Close codes clients rely on. */
export const CLOSE = {
  bad_message: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  unknown_call: 4404,
  too_slow: 4408,
  too_large: 4413,
  too_many: 4429,
  restarting: 1012,
  internal: 1011,
} as const;

/** What a transport gives. */
export interface Connection {
  /** `done` is called when the text has left this process, or with the reason why not. */
  send(text: string, done: (error?: Error) => void): void;
  /** Bytes taken but not sent yet. */
  buffered(): number;
  close(code: number, reason: string): void;
}

export interface LiveLimits {
  /** A client with more than this unsent is closed as too slow. */
  readonly buffered_bytes: number;
  /** A replay pauses above this, and the client has `drain_ms` to take it. */
  readonly high_water_bytes: number;
  readonly drain_ms: number;
  readonly message_bytes: number;
  /** Incoming messages: sustained rate and burst. */
  readonly messages_per_second: number;
  readonly message_burst: number;
  readonly sockets_per_account: number;
  /** Credentials of open sockets are looked at again this often. */
  readonly recheck_ms: number;
  /** Figures are sent at most this often. */
  readonly coalesce_ms: number;
  readonly ping_ms: number;
}

export const LIVE_LIMITS: LiveLimits = {
  buffered_bytes: 1_048_576,
  high_water_bytes: 262_144,
  drain_ms: 20_000,
  message_bytes: 65_536,
  messages_per_second: 50,
  message_burst: 200,
  sockets_per_account: 1_000,
  recheck_ms: 2_000,
  coalesce_ms: 500,
  ping_ms: 30_000,
};

export class Client {
  readonly #connection: Connection;
  readonly #limits: LiveLimits;
  readonly #now: () => number;
  #seq = 0;
  #tokens: number;
  #filled: number;
  #flushed: Promise<void> = Promise.resolve();
  #closed = false;
  principal: Principal;

  constructor(connection: Connection, principal: Principal, limits: LiveLimits, now: () => number) {
    this.#connection = connection;
    this.principal = principal;
    this.#limits = limits;
    this.#now = now;
    this.#tokens = limits.message_burst;
    this.#filled = now();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends `message` with the next `seq` and the time. A client that takes nothing is closed instead. */
  send(type: string, message: Readonly<Record<string, unknown>>): void {
    if (this.#closed) return;
    if (this.#connection.buffered() > this.#limits.buffered_bytes) {
      this.close(CLOSE.too_slow, "too slow: more than 1 MB is waiting");
      return;
    }
    this.#seq++;
    const text = JSON.stringify({ type, seq: this.#seq, ...message, timestamp: new Date(this.#now()).toISOString() });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed = promise;
    // A failed send is followed by the close of its connection.
    this.#connection.send(text, () => resolve());
  }

  /** Resolves when there is room to send; closes a client that makes none in time. */
  async room(): Promise<void> {
    if (this.#closed || this.#connection.buffered() <= this.#limits.high_water_bytes) return;
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), this.#limits.drain_ms);
    const first = await Promise.race([promise, this.#flushed]);
    clearTimeout(timer);
    if (first === "late") this.close(CLOSE.too_slow, "too slow: nothing was taken for a while");
  }

  /** False (and closed) when the client sends faster than it may. */
  mayReceive(): boolean {
    const now = this.#now();
    const refill = (Math.max(0, now - this.#filled) / 1000) * this.#limits.messages_per_second;
    this.#filled = now;
    this.#tokens = Math.min(this.#limits.message_burst, this.#tokens + refill) - 1;
    if (this.#tokens >= 0) return true;
    this.close(CLOSE.too_many, `more than ${this.#limits.messages_per_second} messages a second`);
    return false;
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close(code, reason);
  }

  /** The other side has gone. */
  gone(): void {
    this.#closed = true;
  }
}

/** One connected client: bounded buffers, close codes, how much it may say. Knows no transport. */
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

/** One message of a stream. */
export interface Message {
  readonly type: string;
  /** The position that a client which has this message resumes from. */
  readonly seq: number;
  /** What else that needs; null where seq alone says it. */
  readonly of: string | null;
  /** The JSON object, `type` and `seq` in it. */
  readonly text: string;
}

/** Messages that are sent in one go. A transport encodes a parcel once, however many clients get it. */
export type Parcel = readonly Message[];

/** What a transport gives. */
export interface Connection {
  push(parcel: Parcel): void;
  /** Bytes taken but not sent yet. */
  waiting(): number;
  /** Resolves once nothing waits, or the connection has ended. */
  drained(): Promise<void>;
  /** `retry_ms`: when the client should come again, where the close says so. */
  close(code: number, reason: string, retry_ms?: number): void;
}

/** What a transport tells a stream. */
export interface Session {
  /** One text message of the client. */
  receive(text: string): void;
  /** The connection has ended. */
  ended(): void;
}

export interface StreamLimits {
  /** A client with more than this unsent is closed as too slow. */
  readonly buffered_bytes: number;
  /** A backfill pauses above this, and the client has `drain_ms` to take it. */
  readonly high_water_bytes: number;
  readonly drain_ms: number;
  readonly message_bytes: number;
  /** Incoming messages: sustained rate and burst. */
  readonly messages_per_second: number;
  readonly message_burst: number;
  readonly sockets_per_account: number;
  /** Credentials of open streams are looked at again this often. */
  readonly recheck_ms: number;
  /** Figures are sent at most this often. */
  readonly coalesce_ms: number;
  /** A socket that answers no ping for so long is closed; an event stream gets a comment as often. */
  readonly ping_ms: number;
  /** At a shutdown clients are told to come back spread over at least this time, one each ms where they are many. */
  readonly reconnect_ms: number;
}

export const STREAM_LIMITS: StreamLimits = {
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
  reconnect_ms: 2_000,
};

export function message(
  type: string,
  seq: number,
  fields: Readonly<Record<string, unknown>>,
  of: string | null = null,
): Message {
  return { type, seq, of, text: JSON.stringify({ type, seq, ...(of !== null && { of }), ...fields }) };
}

export class Client {
  readonly #connection: Connection;
  readonly #limits: StreamLimits;
  principal: Principal;
  #closed = false;
  /** Most clients never say anything. */
  #said: { tokens: number; at: number } | null = null;

  constructor(connection: Connection, principal: Principal, limits: StreamLimits) {
    this.#connection = connection;
    this.principal = principal;
    this.#limits = limits;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A client that takes nothing is closed instead. */
  send(parcel: Parcel): void {
    if (this.#closed) return;
    if (this.#connection.waiting() > this.#limits.buffered_bytes) {
      this.close(CLOSE.too_slow, "too slow: more than 1 MB is waiting");
    } else this.#connection.push(parcel);
  }

  /** Resolves when there is room to send; closes a client that makes none in time. */
  async room(): Promise<void> {
    if (this.#closed || this.#connection.waiting() <= this.#limits.high_water_bytes) return;
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), this.#limits.drain_ms);
    const first = await Promise.race([promise, this.#connection.drained()]);
    clearTimeout(timer);
    if (first === "late") this.close(CLOSE.too_slow, "too slow: nothing was taken for a while");
  }

  /** False (and closed) when the client says more than it may; `now` in ms. */
  mayReceive(now: number): boolean {
    const { messages_per_second: rate, message_burst: burst } = this.#limits;
    this.#said ??= { tokens: burst, at: now };
    const refill = (Math.max(0, now - this.#said.at) / 1000) * rate;
    this.#said = { tokens: Math.min(burst, this.#said.tokens + refill) - 1, at: now };
    if (this.#said.tokens >= 0) return true;
    this.close(CLOSE.too_many, `more than ${rate} messages a second`);
    return false;
  }

  close(code: number, reason: string, retry_ms?: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close(code, reason, retry_ms);
  }

  /** The other side has gone. */
  gone(): void {
    this.#closed = true;
  }
}

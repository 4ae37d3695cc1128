/**
 * Events between processes by way of Redis: one process copies what is new in the log into a capped Redis stream, another
 * what the first leaves, and all read from there. Followers wait for a message instead of asking the database. The log stays
 * the truth: what Redis does not have (it is away, was emptied, has dropped what is old) is read from the log, and a
 * follower cannot tell the difference.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { EVERYTHING } from "../../core/call.ts";
import type { Scope } from "../../core/call.ts";
import type { EventRow, Events } from "../../ports/events.ts";
import type { Stream } from "../../ports/stream.ts";
import { openEntries } from "./entries.ts";
import type { Entries } from "./entries.ts";
import { Tail } from "./tail.ts";

const STEP = 500;
/** Of a log that Redis knows nothing of, so much is copied. */
const COPIED = 1_000;
/** What is in the log must have come back through Redis by then. */
const LATE_MS = 1_000;
/** Pause before the next try to connect: doubled from the first up to the longest, with jitter. */
const PAUSE_MS = [100, 5_000] as const;
/** A log that cannot be read is tried again after this. */
const LOG_RETRY_MS = 250;

export interface RedisStreamOptions {
  /** redis:// or rediss://, with what else a Redis URL says. */
  readonly url: string;
  readonly log: Events;
  /** Names the log among others that the server may hold. */
  readonly log_id: string;
  /** Told when Redis brings the events (null), and when it does not (why). */
  readonly onChange: (problem: string | null) => void;
  /**
   * What is new in the log is left to another process for so long, ms, unless this one was told to copy; without it
   * all copy at once, and Redis refuses the doubles.
   */
  readonly standby_ms?: number;
}

/** Answers at once and connects by itself, for as long as it takes. */
export function openRedisStream(options: RedisStreamOptions): Stream {
  return new RedisStream(options);
}

class RedisStream implements Stream {
  readonly #options: RedisStreamOptions;
  readonly #log: Events;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** null: events are read from the log. */
  #tail: Tail | null = null;
  /** The first seq of the log when it was read last; 0 where it was empty. */
  #oldest = 0;
  #problem: string | null = "not connected yet";
  /** What was told last; null: nothing yet. */
  #told: "whole" | "away" | null = null;
  #changed = Promise.withResolvers<void>();
  #copying = false;

  constructor(options: RedisStreamOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#unsubscribe = options.log.onChange(() => {
      this.#changed.resolve();
      if (this.#tail === null) this.#tell();
    });
    this.#running = this.#run();
  }

  async after(seq: number, limit: number, scope: Scope): ReturnType<Events["after"]> {
    const tail = this.#tail;
    const events = scope.kind === "all" ? (tail?.after(seq, limit) ?? null) : null;
    if (tail === null || events === null) return this.#log.after(seq, limit, scope);
    return { events, oldest: this.#oldest || tail.first, head: tail.seen };
  }

  /** Of the log: who has just been told of an event must find it. */
  head(): Promise<number> {
    return this.#log.head();
  }

  onChange(listener: () => void): () => void {
    // One function may listen twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  async copy(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#copying = true;
    this.#changed.resolve();
    await once(signal, "abort");
    this.#copying = false;
  }

  problem(): string | null {
    return this.#problem;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#listeners.clear();
    this.#closing.abort();
    await this.#running;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #say(problem: string | null): void {
    this.#problem = problem;
    const state = problem === null ? "whole" : "away";
    // Another reason is no news.
    if (this.#told === state) return;
    this.#told = state;
    this.#options.onChange(problem);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const entries = await openEntries(this.#options.url, this.#options.log_id, signal);
        failures = 0;
        await this.#follow(entries);
      } catch (error) {
        if (signal.aborted) return;
        this.#say(error instanceof Error ? error.message : String(error));
        await pause(Math.min(PAUSE_MS[1], PAUSE_MS[0] * 2 ** failures++) * (0.5 + Math.random() / 2), signal);
      }
    }
  }

  /** Until the connection is lost or this is closed: rejects then, always. */
  async #follow(entries: Entries): Promise<void> {
    const over = Promise.withResolvers<never>();
    const lose = (error: unknown): void => over.reject(error);
    const stop = (): void => lose(new Error("closed"));
    this.#closing.signal.addEventListener("abort", stop);
    try {
      if (this.#closing.signal.aborted) stop();
      const { relayed, tail } = await Promise.race([this.#begin(entries), over.promise]);
      this.#tail = tail;
      this.#say(null);
      this.#tell();
      this.#relay(entries, tail, relayed, lose).catch(lose);
      this.#read(entries, tail).catch(lose);
      await over.promise;
    } finally {
      this.#closing.signal.removeEventListener("abort", stop);
      this.#tail = null;
      this.#changed.resolve();
      entries.close();
      // What was under way in Redis is read from the log.
      this.#tell();
    }
  }

  async #begin(entries: Entries): Promise<{ relayed: number; tail: Tail }> {
    // In this order: what Redis holds was in the log before.
    const newest = await entries.newest();
    const { head, oldest } = await this.#log.after(newest, 1, EVERYTHING);
    this.#oldest = oldest;
    const strange = newest > head;
    // The log was put back to what it was before: what comes next has the numbers of other events.
    if (strange) await entries.clear();
    return { relayed: Math.max(strange ? 0 : newest, head - COPIED), tail: new Tail(head) };
  }

  /** Copies what is new in the log, unless another process was first. */
  async #relay(entries: Entries, tail: Tail, from: number, lose: (error: unknown) => void): Promise<void> {
    let relayed = from;
    while (this.#tail === tail) {
      this.#changed = Promise.withResolvers();
      const changed = this.#changed.promise;
      relayed = Math.max(relayed, tail.seen);
      if (await this.#leftToOthers(tail, changed)) continue;
      const page = await this.#log.after(relayed, STEP, EVERYTHING).catch(() => null);
      if (page === null) {
        await pause(LOG_RETRY_MS, this.#closing.signal);
        continue;
      }
      const last = page.events.at(-1)?.seq;
      if (last === undefined) {
        await changed;
        continue;
      }
      setTimeout(() => {
        // After a pause of the loop itself, what has come meanwhile is taken in first.
        setImmediate(() => {
          if (tail.seen < last) lose(new Error(`events are not back after ${LATE_MS} ms`));
        });
      }, LATE_MS).unref();
      await entries.add(page.events);
      relayed = last;
    }
  }

  /** Gives whoever copies the time to; true where nothing is left to do then. */
  async #leftToOthers(tail: Tail, changed: Promise<void>): Promise<boolean> {
    const { standby_ms } = this.#options;
    if (standby_ms === undefined || this.#copying) return false;
    const head = await this.#log.head().catch(() => null);
    if (head === null) return false;
    if (head <= tail.seen) await changed;
    else await new Promise((resolve) => setTimeout(resolve, standby_ms).unref());
    return head <= tail.seen;
  }

  async #read(entries: Entries, tail: Tail): Promise<void> {
    while (this.#tail === tail) {
      const rows = await entries.read(tail.seen, STEP);
      if (rows.length === 0) continue;
      while (!tail.take(rows)) await this.#fill(tail, rows);
      if (this.#tail === tail) this.#tell();
    }
  }

  /** Redis has not all that is between: the log has. */
  async #fill(tail: Tail, rows: readonly EventRow[]): Promise<void> {
    const { events, oldest } = await this.#log.after(tail.seen, STEP, EVERYTHING);
    this.#oldest = oldest;
    const last = rows.at(-1)?.seq ?? 0;
    // A log that has dropped it, or has never had it.
    if (events.length === 0 || !tail.take(events)) throw new Error(`the log has not what comes before event ${last}`);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false }).catch(() => {});
}

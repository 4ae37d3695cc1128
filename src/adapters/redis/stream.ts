/**
 * Events between processes by way of Redis: one process copies what is new in the log into a capped Redis stream, another
 * what the first leaves, and all read from there. Followers wait for a message instead of asking the database. The log stays
 * the truth: what Redis does not have (it is away, was emptied, has dropped what is old) is read from the log, and a
 * follower cannot tell the difference.
 */
import { once } from "node:events";
import { EVERYTHING } from "../../core/call.ts";
import type { Scope } from "../../core/call.ts";
import type { EventRow, Events } from "../../ports/events.ts";
import type { Stream } from "../../ports/stream.ts";
import { openEntries } from "./entries.ts";
import type { Entries } from "./entries.ts";
import { pause, Sessions } from "./sessions.ts";
import type { Session } from "./sessions.ts";
import { Tail } from "./tail.ts";

const STEP = 500;
/** Of a log that Redis knows nothing of, so much is copied. */
const COPIED = 1_000;
/** What is in the log must have come back through Redis by then. */
const LATE_MS = 1_000;
/** A log that cannot be read is tried again after this. */
const LOG_RETRY_MS = 250;

export interface RedisStreamOptions {
  /** As connect.ts takes it. */
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
  readonly #sessions: Sessions;
  /** null: events are read from the log. */
  #tail: Tail | null = null;
  /** The first seq of the log when it was read last; 0 where it was empty. */
  #oldest = 0;
  #changed = Promise.withResolvers<void>();
  #copying = false;

  constructor(options: RedisStreamOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#unsubscribe = options.log.onChange(() => {
      this.#changed.resolve();
      if (this.#tail === null) this.#tell();
    });
    this.#sessions = new Sessions((session) => this.#run(session), options.onChange);
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
    return this.#sessions.problem;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#listeners.clear();
    await this.#sessions.close();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #run(session: Session): Promise<never> {
    const entries = await openEntries(this.#options.url, this.#options.log_id, session.signal);
    return this.#follow(entries, session);
  }

  /** Until the connection is lost or this is closed: rejects then, always. */
  async #follow(entries: Entries, { signal, whole }: Session): Promise<never> {
    const over = Promise.withResolvers<never>();
    const lose = (error: unknown): void => over.reject(error);
    const stop = (): void => lose(new Error("closed"));
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) stop();
      const { relayed, tail } = await Promise.race([this.#begin(entries), over.promise]);
      this.#tail = tail;
      whole();
      this.#tell();
      this.#relay(entries, tail, { from: relayed, signal, lose }).catch(lose);
      this.#read(entries, tail).catch(lose);
      return await over.promise;
    } finally {
      signal.removeEventListener("abort", stop);
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
  async #relay(
    entries: Entries,
    tail: Tail,
    { from, signal, lose }: { from: number; signal: AbortSignal; lose: (error: unknown) => void },
  ): Promise<void> {
    let relayed = from;
    while (this.#tail === tail) {
      this.#changed = Promise.withResolvers();
      const changed = this.#changed.promise;
      relayed = Math.max(relayed, tail.seen);
      if (await this.#leftToOthers(tail, changed, signal)) continue;
      const page = await this.#log.after(relayed, STEP, EVERYTHING).catch(() => null);
      if (page === null) {
        await pause(LOG_RETRY_MS, signal);
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
  async #leftToOthers(tail: Tail, changed: Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { standby_ms } = this.#options;
    if (standby_ms === undefined || this.#copying) return false;
    const head = await this.#log.head().catch(() => null);
    if (head === null) return false;
    if (head <= tail.seen) await changed;
    else await pause(standby_ms, signal);
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

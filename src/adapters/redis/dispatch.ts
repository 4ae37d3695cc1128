/**
 * Work told to workers by way of Redis: whoever stores work puts its call on a list, and a worker that waits there takes
 * that very call from the store. The store stays the truth: what Redis does not know of (it is away, was emptied, has
 * lost some in a failover) one worker after another looks for and tells again, and while it is away all of them look
 * into the store themselves.
 */
import { randomUUID } from "node:crypto";
import { PRIORITY } from "../../ports/calls.ts";
import type { Priority } from "../../ports/calls.ts";
import type { Dispatch, Notice, Order } from "../../ports/dispatch.ts";
import type { Work } from "../../ports/work.ts";
import { Sessions } from "./sessions.ts";
import type { Session } from "./sessions.ts";
import { openWorkStreams } from "./work-streams.ts";
import type { Entry, WorkStreams } from "./work-streams.ts";

/** One worker of all looks for what is not on the lists so often. */
const SWEEP_MS = 1_000;
/** Work that nobody has taken for so long may not have been told of. */
const FORGOTTEN_MS = 1_000;
const SWEEP_STEP = 1_000;
/** A list is filled up to a thousand or so again when it is as short as this. */
const SHORT = 200;
/** Each process looks so often whether the store has anything due, whatever Redis says: also for calls made without the model. */
const LOOK_MS = 5_000;
/** Who has read a notice and not taken the work by then has ended. */
const CLAIM_MS = 3_000;
/** Calls of bulk and recalculation that a process holds before it takes them one by one: the rest is kept for live ones. */
const LOW_HELD = 16;

export interface RedisDispatchOptions {
  /** As connect.ts takes it. */
  readonly url: string;
  /** Names the store among others that the server may hold. */
  readonly log_id: string;
  readonly work: Pick<Work, "waiting" | "depth">;
  /** Whether this process takes work: then `take` may be called. */
  readonly takes: boolean;
  /** How workers hear of work while Redis is away. */
  readonly standIn: () => Dispatch;
  /** Told when Redis tells the workers (null), and when it does not (why). */
  readonly onChange: (problem: string | null) => void;
}

/** Answers at once and connects by itself, for as long as it takes. */
export function openRedisDispatch(options: RedisDispatchOptions): Dispatch {
  return new RedisDispatch(options);
}

class RedisDispatch implements Dispatch {
  readonly #options: RedisDispatchOptions;
  readonly #worker: string | null;
  readonly #sessions: Sessions;
  /** null: Redis is away. */
  #streams: WorkStreams | null = null;
  #standIn: Dispatch | null = null;
  #over = Promise.withResolvers<never>();
  /** Read or claimed, and not ordered yet. */
  #spare: Entry[] = [];
  /** Those who want an order read one after the other: the connection waits for one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #lowHeld = 0;
  #nextLook = 0;
  #nextSweep = 0;

  constructor(options: RedisDispatchOptions) {
    this.#options = options;
    this.#worker = options.takes ? randomUUID() : null;
    this.#sessions = new Sessions((session) => this.#run(session), options.onChange);
  }

  dispatch(notices: readonly Notice[]): void {
    const streams = this.#streams;
    if (streams !== null && notices.length > 0) streams.add(notices).catch(this.#losing(streams));
  }

  async take(n: number, signal: AbortSignal): Promise<Order | null> {
    while (!signal.aborted) {
      const streams = this.#streams;
      if (streams === null) {
        this.#standIn ??= this.#options.standIn();
        return this.#standIn.take(n, signal);
      }
      const order = await this.#orUntil(signal, streams, this.#next(streams, n));
      if (order !== null) return order;
    }
    return null;
  }

  depth(): Promise<number> {
    return this.#streams?.length() ?? this.#options.work.depth().then(({ ready }) => ready);
  }

  problem(): string | null {
    return this.#sessions.problem;
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    await this.#standIn?.close();
  }

  async #run({ signal, whole }: Session): Promise<never> {
    const { url, log_id } = this.#options;
    const streams = await openWorkStreams(url, log_id, this.#worker, signal);
    const over = Promise.withResolvers<never>();
    const stop = (): void => over.reject(new Error("closed"));
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) stop();
      this.#over = over;
      this.#spare = [];
      // What came while Redis was away it has not heard of.
      this.#nextLook = 0;
      this.#nextSweep = 0;
      this.#streams = streams;
      whole();
      const standIn = this.#standIn;
      this.#standIn = null;
      const [end] = await Promise.all([Promise.race([over.promise, streams.lost]), standIn?.close()]);
      return end;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#streams = null;
      streams.close();
    }
  }

  /** Ends the session of these streams, unless another one has taken its place: workers look themselves from now on. */
  #losing(streams: WorkStreams): (error: unknown) => void {
    return (error) => {
      if (this.#streams !== streams) return;
      this.#streams = null;
      this.#over.reject(error);
    };
  }

  /** Also ends with null when the signal is aborted; what was read by then goes back on its list. */
  async #orUntil(signal: AbortSignal, streams: WorkStreams, found: Promise<Entry[] | null>): Promise<Order | null> {
    const aborted = Promise.withResolvers<"aborted">();
    const abort = (): void => aborted.resolve("aborted");
    signal.addEventListener("abort", abort);
    try {
      const entries = await Promise.race([found, aborted.promise]);
      if (entries !== "aborted") return entries && this.#order(streams, entries);
      const giveBack = async (late: readonly Entry[] | null): Promise<void> => {
        if (late === null || late.length === 0) return;
        await streams.add(late);
        await streams.settle(late);
      };
      found.then(giveBack).catch(this.#losing(streams));
      return null;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Entries to order; none: a look into the store; null: nothing yet, or Redis is away. */
  #next(streams: WorkStreams, n: number): Promise<Entry[] | null> {
    const found = this.#turn
      .then(() => (this.#streams === streams ? this.#find(streams, n) : null))
      .catch((error: unknown) => {
        this.#losing(streams)(error);
        return null;
      });
    this.#turn = found;
    return found;
  }

  async #find(streams: WorkStreams, n: number): Promise<Entry[] | null> {
    if (await this.#isLookDue(streams)) return [];
    const spare = this.#spare.splice(0);
    const entries = spare.length > 0 ? spare : await streams.read(n, Math.max(1, LOW_HELD - this.#lowHeld));
    if (entries.length === 0) return null;
    // A call that is not named is looked for: that is an order of its own.
    const { named = [], unnamed = [] } = Object.groupBy(entries, (e) => (e.call_no === null ? "unnamed" : "named"));
    const now = (named.length > 0 ? named.toSorted((a, b) => a.priority - b.priority) : unnamed).slice(0, n);
    this.#spare = entries.filter((entry) => !now.includes(entry));
    return now;
  }

  #order(streams: WorkStreams, entries: readonly Entry[]): Order {
    const low = entries.filter(({ priority }) => priority >= PRIORITY.bulk).length;
    let held = low;
    this.#lowHeld += low;
    const named = entries.flatMap(({ call_no }) => call_no ?? []);
    return {
      call_nos: named.length > 0 ? named : null,
      taken: () => {
        if (entries.length > 0) streams.settle(entries).catch(this.#losing(streams));
      },
      done: () => {
        this.#lowHeld -= held;
        held = 0;
      },
    };
  }

  async #isLookDue(streams: WorkStreams): Promise<boolean> {
    const now = performance.now();
    let look = now >= this.#nextLook;
    if (look) this.#nextLook = now + LOOK_MS * (0.75 + Math.random() / 2);
    if (now >= this.#nextSweep) {
      // At odds with each other, so that not always the same one is first.
      this.#nextSweep = now + SWEEP_MS * (0.75 + Math.random() / 2);
      if (await streams.myTurn(SWEEP_MS * 0.75)) look = (await this.#sweep(streams)) || look;
    }
    return look;
  }

  /** Tells again what is not on the lists. True where a list is too long to know: then somebody looks into the store. */
  async #sweep(streams: WorkStreams): Promise<boolean> {
    this.#spare.push(...(await streams.claim(CLAIM_MS)));
    // A store that is away has nothing to tell.
    const waiting = await this.#options.work.waiting(FORGOTTEN_MS, SWEEP_STEP).catch(() => []);
    let unsure = false;
    for (const [name, some = []] of Object.entries(Object.groupBy(waiting, ({ priority }) => priority))) {
      const known = await streams.calls(Number(name) as Priority, SHORT + 1);
      if (known.size > SHORT) unsure = true;
      else await streams.add(some.filter(({ call_no }) => !known.has(call_no)));
    }
    return unsure;
  }
}

/**
 * Group commit: what comes while groups are being written is the next group. Few are under way at a time: more would only
 * wait for each other's sums.
 */
import { AppError } from "../../../errors.ts";

/** Commands that may wait in all; past it new ones are refused at once rather than kept in memory. */
const WAITING_LIMIT = 20_000;

/** What became of one command; later: it cannot be in one group with another of them, and goes first into the next. */
export type Settled = { readonly value: unknown } | { readonly error: unknown } | "later";

interface Waiting<C> {
  readonly command: C;
  readonly rows: number;
  readonly since: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface LaneLimits {
  /** Rows in a group, as far as one command is not more: bounds how long the first of them waits for its COMMIT. */
  readonly rows: number;
  /** Groups under way at a time. */
  readonly groups: number;
}

export class Lane<C> {
  readonly #write: (group: readonly C[]) => Promise<readonly Settled[]>;
  readonly #limits: LaneLimits;
  #queue: Waiting<C>[] = [];
  readonly #under = new Set<readonly Waiting<C>[]>();
  readonly #running = new Set<Promise<void>>();
  /** Of those running, how many will look at the queue again. */
  #looking = 0;

  /** `write` settles every command of a group, in order. */
  constructor(limits: LaneLimits, write: (group: readonly C[]) => Promise<readonly Settled[]>) {
    this.#limits = limits;
    this.#write = write;
  }

  push<T>(command: C, rows: number): Promise<T> {
    if (this.#queue.length >= WAITING_LIMIT) {
      return Promise.reject(new AppError("store_unavailable", "Too many writes are waiting", { retryAfter: 1 }));
    }
    return new Promise<T>((resolve, reject) => {
      const since = performance.now();
      this.#queue.push({ command, rows, since, resolve: resolve as (value: unknown) => void, reject });
      if (this.#looking < this.#limits.groups) this.#start();
    });
  }

  /** When the oldest command that is not settled came; null where there is none. */
  oldest(): number | null {
    const first = [...this.#under, this.#queue].flatMap((group) => group[0]?.since ?? []);
    return first.length === 0 ? null : Math.min(...first);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(): void {
    this.#looking++;
    const running = this.#run().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(): Promise<void> {
    // All that this turn of the loop reads from its sockets is one group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const group = this.#next();
      this.#under.add(group);
      const settled = await this.#settle(group);
      this.#under.delete(group);
      const later: Waiting<C>[] = [];
      for (const [i, waiting] of group.entries()) {
        const what = settled[i];
        if (what === undefined || what === "later") later.push(waiting);
        else if ("error" in what) waiting.reject(what.error);
        else waiting.resolve(what.value);
      }
      this.#queue.unshift(...later);
    }
    // In the same turn as the last look: whoever comes after it starts another.
    this.#looking--;
  }

  async #settle(group: readonly Waiting<C>[]): Promise<readonly Settled[]> {
    try {
      return await this.#write(group.map(({ command }) => command));
    } catch (error) {
      return group.map(() => ({ error }));
    }
  }

  #next(): Waiting<C>[] {
    let rows = 0;
    let n = 0;
    for (const waiting of this.#queue) {
      if (n > 0 && rows + waiting.rows > this.#limits.rows) break;
      rows += waiting.rows;
      n++;
    }
    return this.#queue.splice(0, n);
  }
}

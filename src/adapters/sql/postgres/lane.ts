/** Group commit: what comes while a group is being written is the next group. One group of a lane is under way at a time. */
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

export class Lane<C> {
  readonly #write: (group: readonly C[]) => Promise<readonly Settled[]>;
  readonly #limit: number;
  #queue: Waiting<C>[] = [];
  #under: readonly Waiting<C>[] = [];
  #running: Promise<void> | null = null;

  /** `write` settles every command of a group, in order; `limit`: rows in a group, as far as one command is not more. */
  constructor(limit: number, write: (group: readonly C[]) => Promise<readonly Settled[]>) {
    this.#limit = limit;
    this.#write = write;
  }

  push<T>(command: C, rows: number): Promise<T> {
    if (this.#queue.length >= WAITING_LIMIT) {
      return Promise.reject(new AppError("store_unavailable", "Too many writes are waiting", { retryAfter: 1 }));
    }
    return new Promise<T>((resolve, reject) => {
      const since = performance.now();
      this.#queue.push({ command, rows, since, resolve: resolve as (value: unknown) => void, reject });
      this.#running ??= this.#run();
    });
  }

  /** When the oldest command that is not settled came; null where there is none. */
  oldest(): number | null {
    return this.#under[0]?.since ?? this.#queue[0]?.since ?? null;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // All that this turn of the loop reads from its sockets is one group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const group = this.#next();
      this.#under = group;
      const settled = await this.#settle(group);
      this.#under = [];
      const later: Waiting<C>[] = [];
      for (const [i, waiting] of group.entries()) {
        const what = settled[i];
        if (what === undefined || what === "later") later.push(waiting);
        else if ("error" in what) waiting.reject(what.error);
        else waiting.resolve(what.value);
      }
      this.#queue.unshift(...later);
    }
    this.#running = null;
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
      if (n > 0 && rows + waiting.rows > this.#limit) break;
      rows += waiting.rows;
      n++;
    }
    return this.#queue.splice(0, n);
  }
}

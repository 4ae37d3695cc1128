/** The event loop's end of the writer thread. */
import { Worker } from "node:worker_threads";
import { AppError } from "../../errors.ts";
import type { RequestKey } from "../../ports/idempotency.ts";
import type {
  Answer,
  CommandName,
  Failure,
  Input,
  KeyedName,
  OnceAnswer,
  Output,
  Reply,
  Request,
  WriterSettings,
} from "./commands.ts";
import type { Writes } from "./engine.ts";

/** Commands that may wait in all; past it new ones are refused at once rather than kept in memory. */
const WAITING_LIMIT = 20_000;
/** So many commands are worth a message of their own: the thread begins with them while the loop reads more. */
const MESSAGE = 8;
/** Pages given back in one transaction: 2 MB. */
const GIVE_BACK_PAGES = 500;

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((done: number, total: number) => void) | null;
  /** When it was sent; null for what may take long by its nature. */
  readonly since: number | null;
}

type Body = Request extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

/** Sends commands to the thread and resolves them after COMMIT. Rejects with store_unavailable or storage_full. */
export class Writer implements Writes {
  readonly #settings: WriterSettings;
  readonly #onEvents: (head: number) => void;
  #thread: Worker | null = null;
  #waiting = new Map<number, Waiter>();
  #outbox: Request[] = [];
  #lastId = 0;
  #closed = false;
  #commits = 0;

  private constructor(settings: WriterSettings, onEvents: (head: number) => void) {
    this.#settings = settings;
    this.#onEvents = onEvents;
  }

  /** Starts the thread; resolves when the file is open and migrated. `onEvents` gets the head after commits. */
  static async start(settings: WriterSettings, onEvents: (head: number) => void): Promise<Writer> {
    const writer = new Writer(settings, onEvents);
    await writer.#spawn();
    return writer;
  }

  /** Transactions committed since the start. */
  get commits(): number {
    return this.#commits;
  }

  /** How long the oldest command has waited, ms; 0 if none waits. */
  oldest(): number {
    for (const { since } of this.#waiting.values()) if (since !== null) return performance.now() - since;
    return 0;
  }

  /** Runs one command; resolves when it is on disk. */
  run<K extends CommandName>(name: K, input: Omit<Input<K>, "now">, now: number): Promise<Output<K>> {
    return this.#send<Output<K>>({ kind: "command", name, input: { ...input, now } });
  }

  /** Runs one command under a request key: once in effect, however often it is asked. */
  runOnce<K extends KeyedName>(
    key: RequestKey,
    name: K,
    input: Omit<Input<K>, "now">,
    now: number,
  ): Promise<OnceAnswer<Output<K>>> {
    return this.#send<OnceAnswer<Output<K>>>({ kind: "command", name, input: { ...input, now }, key });
  }

  /** Writes a copy of the database to `path`, whole or not at all, while writes go on. */
  backup(path: string, progress: ((done: number, total: number) => void) | null): Promise<null> {
    return this.#send<null>({ kind: "backup", path }, progress);
  }

  /** Takes all free pages out of the file, in steps between which other writes go on. */
  async giveBack(now: () => number): Promise<void> {
    while ((await this.run("giveBack", { pages: GIVE_BACK_PAGES }, now())) > 0);
  }

  /** Empties the WAL; false while a reader of this or another process is in the way (it is tried again later). */
  scrub(): Promise<boolean> {
    return this.#send<boolean>({ kind: "scrub" });
  }

  /** Finishes what was sent, then ends the thread. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.#thread ? this.#send<null>({ kind: "close" }) : null;
    this.#closed = true;
    await closing;
    await this.#thread?.terminate();
  }

  #send<T>(body: Body, progress: ((done: number, total: number) => void) | null = null): Promise<T> {
    if (this.#closed) return Promise.reject(new AppError("shutting_down"));
    if (this.#waiting.size >= WAITING_LIMIT) {
      return Promise.reject(new AppError("store_unavailable", "Too many writes are waiting", { retryAfter: 1 }));
    }
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId;
      const since = body.kind === "command" ? performance.now() : null;
      this.#waiting.set(id, { resolve, reject, progress, since });
      if (this.#waiting.size === 1) this.#thread?.ref();
      // One message for all requests that this turn of the loop reads from its sockets.
      const sent = this.#outbox.push({ ...body, id });
      if (sent === 1) setImmediate(() => void this.#flush());
      else if (sent === MESSAGE) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    try {
      if (!this.#thread) await this.#spawn();
    } catch (cause) {
      this.#outbox = [];
      this.#rejectAll(cause as Error);
      return;
    }
    const requests = this.#outbox;
    if (requests.length === 0) return;
    this.#outbox = [];
    this.#thread?.postMessage(requests);
  }

  /** Starts the thread, or starts it anew after it died. */
  async #spawn(): Promise<void> {
    const thread = new Worker(new URL("./writer-thread.ts", import.meta.url), { workerData: this.#settings });
    await new Promise<void>((resolve, reject) => {
      thread.once("message", (reply: Reply) => {
        if (reply.kind === "unready") reject(errorOf(reply.failure));
        else resolve();
      });
      thread.once("error", reject);
    });
    thread.removeAllListeners("error");
    thread.on("message", (reply: Reply) => this.#receive(reply));
    thread.on("error", (cause) => this.#died(thread, cause));
    thread.on("exit", () => this.#died(thread, null));
    this.#thread = thread;
    if (this.#waiting.size === 0) thread.unref();
  }

  #died(thread: Worker, cause: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#rejectAll(new AppError("store_unavailable", "The writer thread ended", { cause, retryAfter: 1 }));
  }

  #rejectAll(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }

  #receive(reply: Reply): void {
    if (reply.kind === "progress") this.#waiting.get(reply.id)?.progress?.(reply.done, reply.total);
    if (reply.kind !== "answers") return;
    if (reply.commit) this.#commits++;
    for (const answer of reply.answers) this.#settle(answer);
    if (this.#waiting.size === 0) this.#thread?.unref();
    if (reply.head !== null) this.#onEvents(reply.head);
  }

  #settle(answer: Answer): void {
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("failure" in answer) waiter?.reject(errorOf(answer.failure));
    else waiter?.resolve(answer.value as never);
  }
}

function errorOf({ code, message, retry_after }: Failure): Error {
  if (code === null) return new Error(message);
  return new AppError(code, message, retry_after === undefined ? {} : { retryAfter: retry_after });
}

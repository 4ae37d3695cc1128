/** The writing thread's end of the checkpoint thread: when the log is long, it is copied beside the writing. */
import { closeSync, openSync, readSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Connection } from "./connection.ts";
import { CHECKPOINT_PAGES } from "./connection.ts";

/** Where the index of the log (-shm) says how many pages the log holds (mxFrame, in the machine's byte order). */
const LOG_PAGES_AT = 16;

export class Checkpoints {
  readonly #db: Pick<Connection, "name" | "pragma">;
  readonly #index: number;
  readonly #pages = new Uint32Array(1);
  #thread: Worker | null = null;
  #running = false;

  /** `db`: the open writing connection. */
  constructor(db: Pick<Connection, "name" | "pragma">) {
    this.#db = db;
    this.#index = openSync(`${db.name}-shm`, "r");
  }

  /** After a commit: has the log copied if it has grown long. */
  written(): void {
    if (this.#running || this.#logPages() < CHECKPOINT_PAGES) return;
    this.#running = true;
    this.#thread ??= this.#start();
    this.#thread.postMessage("copy");
  }

  /** Stops copying; the log is left as it is. */
  async stop(): Promise<void> {
    await this.#thread?.terminate();
  }

  /** Only when the connection is closed: POSIX ends all locks that a process has on a file with any descriptor of it. */
  close(): void {
    closeSync(this.#index);
  }

  #logPages(): number {
    readSync(this.#index, this.#pages, 0, 4, LOG_PAGES_AT);
    return this.#pages[0] as number;
  }

  #start(): Worker {
    const thread = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), { workerData: this.#db.name });
    thread.unref();
    thread.on("message", () => {
      this.#copyRest();
      this.#running = false;
    });
    // A new one is started for the next copy; until then commits may have to do it themselves.
    thread.on("error", () => this.#ended(thread));
    thread.on("exit", () => this.#ended(thread));
    return thread;
  }

  /** With nobody writing: then the next commit begins the log anew. */
  #copyRest(): void {
    try {
      this.#db.pragma("wal_checkpoint(PASSIVE)");
    } catch {
      // What is in the log is safe there: a disk that fails or is full now must not end the thread that writes.
    }
  }

  #ended(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#running = false;
  }
}

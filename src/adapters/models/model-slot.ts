/**
 * One place for a model thread. Starts it, feeds it, and starts it again with growing pauses when it does not load,
 * dies, or shows no progress before its deadline.
 */
import "./no-telemetry.ts";
import { Worker } from "node:worker_threads";
import type { Order, Reply, Task } from "./model-thread.ts";

export type Ready = Extract<Reply, { kind: "ready" }>;
export type Finished = Extract<Reply, { kind: "done" | "failed" }>;

export interface SlotEvents {
  ready(slot: ModelSlot, ready: Ready): void;
  finished(slot: ModelSlot, reply: Finished): void;
  /** The task that runs takes long; `handOver` gives what waits behind it. */
  late(slot: ModelSlot): void;
  /** The thread is gone; `lost` tasks had not been answered, the first is the one that ran. It will be tried again. */
  down(slot: ModelSlot, reason: string, lost: Task[]): void;
}

export interface SlotOptions {
  readonly script: URL;
  readonly folder: string;
  /** ms without an answer while tasks wait. */
  readonly deadlineMs: number;
  /** ms to load. */
  readonly loadMs: number;
  /** First and longest pause before a new start, ms. */
  readonly backoffMs: readonly [number, number];
}

/** A task of eight longest texts takes 110 ms on an idle core. */
const LATE_MS = 250;

export class ModelSlot {
  readonly #options: SlotOptions;
  readonly #events: SlotEvents;
  #worker: Worker | null = null;
  #ready = false;
  #tasks: Task[] = [];
  #failures = 0;
  #deadline: NodeJS.Timeout | null = null;
  #lateness: NodeJS.Timeout | null = null;
  #late = false;
  #restart: NodeJS.Timeout | null = null;
  #closed = false;
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: SlotOptions, events: SlotEvents) {
    this.#options = options;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** Its task takes long: what is given to it now would wait. */
  get isLate(): boolean {
    return this.#late;
  }

  /** Tasks given and not yet answered. */
  get load(): number {
    return this.#tasks.length;
  }

  start(): void {
    if (this.#closed || this.#worker) return;
    const { script, folder, loadMs } = this.#options;
    const worker = new Worker(script, { workerData: { folder }, name: "model" });
    this.#worker = worker;
    worker.on("message", (reply: Reply) => this.#onReply(worker, reply));
    worker.on("error", (error) => this.#down(worker, `a model thread failed: ${String(error)}`));
    worker.on("exit", (code) => this.#down(worker, `a model thread ended by itself (code ${code})`, true));
    this.#watch(loadMs, `the model did not load within ${Math.round(loadMs / 1000)} s`);
  }

  give(task: Task): void {
    this.#tasks.push(task);
    if (this.#worker) order(this.#worker, task);
    if (this.#tasks.length === 1) this.#watchTasks();
  }

  /** The tasks behind the one that runs, to be done elsewhere. The thread may still answer them: the first answer counts. */
  handOver(): Task[] {
    return this.#tasks.splice(1);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    this.#onTime();
    if (this.#restart) clearTimeout(this.#restart);
    if (this.#deadline) clearTimeout(this.#deadline);
    if (this.#worker) this.#dismiss(this.#worker);
    this.#worker = null;
    await Promise.all(this.#leaving);
  }

  #onReply(worker: Worker, reply: Reply): void {
    if (worker !== this.#worker) return;
    if (reply.kind === "refused") return this.#down(worker, reply.reason);
    if (this.#deadline) clearTimeout(this.#deadline);
    if (reply.kind === "ready") {
      this.#ready = true;
      this.#events.ready(this, reply);
      return;
    }
    this.#failures = 0;
    this.#onTime();
    this.#tasks = this.#tasks.filter((t) => t.id !== reply.id);
    if (this.#tasks.length > 0) this.#watchTasks();
    this.#events.finished(this, reply);
  }

  #watchTasks(): void {
    const { deadlineMs } = this.#options;
    this.#lateness = setTimeout(() => {
      this.#late = true;
      this.#events.late(this);
    }, LATE_MS);
    this.#lateness.unref();
    this.#watch(deadlineMs, `a model thread did not answer within ${deadlineMs / 1000} s and was replaced`);
  }

  #onTime(): void {
    this.#late = false;
    if (this.#lateness) clearTimeout(this.#lateness);
    this.#lateness = null;
  }

  #watch(ms: number, reason: string): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    const worker = this.#worker;
    const timer = setTimeout(() => {
      // If this event loop was the one that stood still, the answer is waiting to be read: read first, then judge.
      setImmediate(() =>
        setImmediate(() => {
          if (worker && this.#deadline === timer) this.#down(worker, reason);
        }),
      );
    }, ms);
    timer.unref();
    this.#deadline = timer;
  }

  /** Asks the thread to end; one that does not within a second deadline is hung for good and is stopped by force. */
  #dismiss(worker: Worker): void {
    const left = new Promise<void>((resolve) => {
      const force = setTimeout(() => void worker.terminate(), this.#options.deadlineMs);
      worker.once("exit", () => {
        clearTimeout(force);
        this.#leaving.delete(left);
        resolve();
      });
    });
    this.#leaving.add(left);
    order(worker, "close");
  }

  #down(worker: Worker, reason: string, exited = false): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    this.#ready = false;
    this.#onTime();
    if (this.#deadline) clearTimeout(this.#deadline);
    this.#deadline = null;
    const lost = this.#tasks;
    this.#tasks = [];
    if (!exited) this.#dismiss(worker);
    if (this.#closed) return;
    const [first, longest] = this.#options.backoffMs;
    const pause = Math.min(longest, first * 2 ** this.#failures++);
    this.#restart = setTimeout(() => this.start(), pause);
    this.#restart.unref();
    this.#events.down(this, reason, lost);
  }
}

function order(worker: Worker, what: Order): void {
  worker.postMessage(what);
}

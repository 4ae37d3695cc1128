/** The reader threads of a process: a queue, one question a thread, and a new thread in place of a dead one. */
import { Worker } from "node:worker_threads";
import { AppError } from "../../errors.ts";
import type { Answer, Question, ReaderSetup } from "./reader-thread.ts";

/** The part of a logger this needs; pino's shape. */
export interface ReadLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface ReadThreadsOptions {
  readonly setup: ReaderSetup;
  readonly threads: number;
  readonly log: ReadLog;
  /** Questions that may wait; more are refused at once. */
  readonly queue: number;
  /** Milliseconds after which a silent thread is given up; well past every deadline inside it. */
  readonly silence_ms: number;
  /** What the threads run; tests put a broken one here. */
  readonly thread?: URL;
}

interface Job {
  readonly question: Question;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError | Error) => void;
}

interface Thread {
  worker: Worker | null;
  job: (Job & { readonly id: number; readonly watch: NodeJS.Timeout }) | null;
  /** Deaths in a row without an answer between them; the pause before the next start grows with them. */
  deaths: number;
  restart: NodeJS.Timeout | null;
}

const THREAD = new URL("./reader-thread.ts", import.meta.url);
const LONGEST_PAUSE_MS = 5_000;

function gone(detail: string): AppError {
  return new AppError("store_unavailable", detail, { retryAfter: 1 });
}

export class ReadThreads {
  readonly #options: ReadThreadsOptions;
  readonly #threads: Thread[];
  readonly #waiting: Job[] = [];
  #closed = false;
  #id = 0;

  constructor(options: ReadThreadsOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads }, () => ({
      worker: null,
      job: null,
      deaths: 0,
      restart: null,
    }));
    for (const thread of this.#threads) this.#start(thread);
  }

  /**
   * The answer of the first free thread. Rejects with AppError: store_unavailable, or what the thread reports. A question
   * whose signal is aborted before a thread was free is not asked, nor answered: who aborts has stopped listening.
   */
  ask<T>(question: Question, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(new AppError("shutting_down"));
    if (this.#waiting.length >= this.#options.queue) {
      return Promise.reject(gone("Too many long reads are waiting"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const job: Job = { question, resolve, reject };
    this.#waiting.push(job);
    signal?.addEventListener("abort", () => {
      const place = this.#waiting.indexOf(job);
      if (place >= 0) this.#waiting.splice(place, 1);
    });
    this.#deal();
    return promise as Promise<T>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.reject(new AppError("shutting_down"));
    await Promise.all(
      this.#threads.map(async (thread) => {
        if (thread.restart !== null) clearTimeout(thread.restart);
        const { worker } = thread;
        this.#lose(thread, worker, new AppError("shutting_down"));
        await worker?.terminate();
      }),
    );
  }

  #start(thread: Thread): void {
    thread.restart = null;
    const worker = new Worker(this.#options.thread ?? THREAD, { workerData: this.#options.setup });
    thread.worker = worker;
    worker.unref();
    worker.on("message", (answer: Answer) => this.#settle(thread, worker, answer));
    worker.on("messageerror", (cause) => this.#bury(thread, worker, cause));
    worker.on("error", (cause) => this.#bury(thread, worker, cause));
    worker.on("exit", (code) => this.#bury(thread, worker, new Error(`exit code ${code}`)));
  }

  #deal(): void {
    for (const thread of this.#threads) {
      if (this.#waiting.length === 0) return;
      const { worker } = thread;
      if (worker === null || thread.job !== null) continue;
      const job = this.#waiting.shift() as Job;
      const id = ++this.#id;
      const silent = () => this.#bury(thread, worker, new Error(`no answer in ${this.#options.silence_ms} ms`));
      thread.job = { ...job, id, watch: setTimeout(silent, this.#options.silence_ms).unref() };
      worker.ref();
      try {
        worker.postMessage({ id, question: job.question });
      } catch (cause) {
        // A value that cannot be cloned is a bug of the asker, not a fault of the thread.
        this.#free(thread)?.reject(cause instanceof Error ? cause : new Error(String(cause)));
      }
    }
  }

  #free(thread: Thread): Job | null {
    const { job } = thread;
    if (job === null) return null;
    clearTimeout(job.watch);
    thread.job = null;
    thread.worker?.unref();
    return job;
  }

  #settle(thread: Thread, worker: Worker, answer: Answer): void {
    if (thread.worker !== worker) return;
    if (thread.job === null || answer?.id !== thread.job.id || typeof answer.ok !== "boolean") {
      this.#bury(thread, worker, new Error("an answer that makes no sense"));
      return;
    }
    thread.deaths = 0;
    const job = this.#free(thread);
    if (answer.ok) job?.resolve(answer.value);
    else if (answer.code === null) job?.reject(new Error(answer.message));
    else job?.reject(new AppError(answer.code, answer.message, { retryAfter: 1 }));
    this.#deal();
  }

  /** Takes the thread out of service and rejects what it was asked. */
  #lose(thread: Thread, worker: Worker | null, error: AppError): void {
    if (thread.worker !== worker) return;
    this.#free(thread)?.reject(error);
    thread.worker = null;
  }

  #bury(thread: Thread, worker: Worker, cause: unknown): void {
    if (this.#closed || thread.worker !== worker) return;
    this.#options.log.warn({ err: cause }, "a reader thread died and is started again");
    this.#lose(thread, worker, gone("The thread that read the store died; it is being started again"));
    worker.removeAllListeners("message");
    void worker.terminate();
    const pause = thread.deaths === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, 50 * 2 ** thread.deaths);
    thread.deaths++;
    thread.restart = setTimeout(() => {
      this.#start(thread);
      this.#deal();
    }, pause);
    // While no thread can be started nobody should wait for ever.
    if (thread.deaths > 3 && this.#threads.every((t) => t.worker === null)) {
      for (const job of this.#waiting.splice(0)) job.reject(gone("No reader thread can be started"));
    }
    this.#deal();
  }
}

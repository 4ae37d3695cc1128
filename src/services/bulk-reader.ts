/**
 * Bulks are read where they stop nobody: a thousand calls of 3 KB take some 60 ms to parse, check and pack, the 64 MB
 * that a bulk may have twenty times that.
 * Small ones are read on the event loop, where that is over sooner than the way to the thread and back.
 */
import { Worker } from "node:worker_threads";
import { AppError, type ErrorCode, type FieldError } from "../errors.ts";
import { type CheckedBulk, checkBulk, checkMessages } from "./check-bulk.ts";

const SMALL_BYTES = 32 * 1024;

export interface BulkQuestion {
  readonly id: number;
  /** A list: calls that came each by itself. */
  readonly body: Uint8Array | readonly Uint8Array[];
  readonly now: number;
}

export type BulkAnswer = { readonly id: number } & (
  | { readonly value: CheckedBulk }
  | {
      readonly failure: {
        /** null: a bug. */
        readonly code: ErrorCode | null;
        readonly message: string;
        readonly errors: readonly FieldError[];
      };
    }
);

export interface BulkReader {
  /** What checkBulk says of the body, whose bytes may be gone afterwards. @throws AppError as checkBulk */
  read(body: Buffer, now: number): Promise<CheckedBulk>;
  /** What checkMessages says of calls that came each by itself. */
  readEach(bodies: readonly Uint8Array[], now: number): Promise<CheckedBulk>;
  close(): Promise<void>;
}

interface Waiter {
  readonly resolve: (value: CheckedBulk) => void;
  readonly reject: (error: Error) => void;
}

/** The thread starts with the first large bulk, and anew after it died. */
export function createBulkReader(): BulkReader {
  let thread: Worker | null = null;
  let lastId = 0;
  const waiting = new Map<number, Waiter>();

  const start = (): Worker => {
    const worker = new Worker(new URL("bulk-thread.ts", import.meta.url));
    const died = (cause?: unknown): void => {
      if (thread !== worker) return;
      thread = null;
      const error = new AppError("internal", "The thread that reads bulks ended", { cause });
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on("message", (answer: BulkAnswer) => {
      const waiter = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (waiting.size === 0) worker.unref();
      if ("value" in answer) waiter?.resolve(answer.value);
      else waiter?.reject(errorOf(answer.failure));
    });
    worker.on("error", died);
    worker.on("exit", () => died());
    return worker;
  };

  const ask = (body: BulkQuestion["body"], now: number, given: readonly ArrayBuffer[]): Promise<CheckedBulk> => {
    const worker = (thread ??= start());
    return new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      worker.ref();
      const question: BulkQuestion = { id, body, now };
      worker.postMessage(question, given);
    });
  };

  return {
    async read(body, now) {
      if (body.length <= SMALL_BYTES) return checkBulk(body, now);
      // Memory that the body shares with others cannot be given away.
      const { buffer } = body;
      const alone = buffer instanceof ArrayBuffer && buffer.byteLength === body.byteLength;
      return ask(body, now, alone ? [buffer] : []);
    },
    async readEach(bodies, now) {
      const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
      return bytes <= SMALL_BYTES ? checkMessages(bodies, now) : ask(bodies, now, []);
    },
    async close() {
      await thread?.terminate();
    },
  };
}

function errorOf({ code, message, errors }: Extract<BulkAnswer, { failure: unknown }>["failure"]): Error {
  return code === null ? new Error(message) : new AppError(code, message, { errors });
}

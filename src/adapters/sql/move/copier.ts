/** Threads that copy parts side by side: reading and encoding is their work, and the server has its own. */
import { Worker } from "node:worker_threads";
import { AppError } from "../../../errors.ts";
import type { MoveCopier, MovePart, PartSums } from "../../../ports/move.ts";
import type { CopyReply, CopyRequest, CopySettings } from "./thread.ts";

interface Waiting {
  readonly resolve: (sums: PartSums) => void;
  readonly reject: (error: Error) => void;
}

class Lane {
  readonly #thread: Worker;
  #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #last = 0;
  bytes = 0;

  constructor(settings: CopySettings) {
    this.#thread = new Worker(new URL("./thread.ts", import.meta.url), { workerData: settings });
    this.#thread.on("message", (reply: CopyReply) => this.#settle(reply));
    this.#thread.on("error", (cause) => this.#ended(new AppError("internal", "A thread that copies ended", { cause })));
    this.#thread.on("exit", () => this.#ended(new AppError("shutting_down")));
    this.#exited = new Promise((resolve) => this.#thread.once("exit", () => resolve()));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  copy(part: MovePart): Promise<PartSums> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage({ id, part } satisfies CopyRequest);
    });
  }

  async close(): Promise<void> {
    this.#thread.postMessage(null);
    await this.#exited;
  }

  #settle(reply: CopyReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("sums" in reply) {
      this.bytes += reply.bytes;
      waiting?.resolve(reply.sums);
    } else waiting?.reject(new AppError(reply.store ? "store_unavailable" : "internal", reply.message));
  }

  #ended(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}

export function openCopier(settings: CopySettings, lanes: number): MoveCopier {
  const threads = Array.from({ length: lanes }, () => new Lane(settings));
  return {
    lanes,
    copy: (part) => {
      const [free] = threads.toSorted((a, b) => a.waiting - b.waiting);
      return (free as Lane).copy(part);
    },
    bytes: () => threads.reduce((sum, { bytes }) => sum + bytes, 0),
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

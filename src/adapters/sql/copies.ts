/** Copies of the database, made and described without holding up anybody. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Copies, CopyFacts } from "../../ports/copies.ts";
import type { Writer } from "./writer.ts";

type Message = { readonly facts: CopyFacts } | { readonly done: number; readonly total: number };

export function makeCopies(writer: Writer): Copies {
  return {
    async backup(path, onProgress) {
      await writer.backup(path, onProgress ?? null);
    },
    async describeCopy(path, onProgress) {
      const thread = new Worker(new URL("./copy-facts-thread.ts", import.meta.url), { workerData: path });
      let facts: CopyFacts | null = null;
      thread.on("message", (message: Message) => {
        if ("facts" in message) facts = message.facts;
        else onProgress?.(message.done, message.total);
      });
      // Rejects with the error that ended the thread.
      await once(thread, "exit");
      if (facts === null) throw new Error("the copy could not be described");
      return facts;
    },
  };
}

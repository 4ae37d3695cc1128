/** The thread in which large bulks are read. */
import { parentPort } from "node:worker_threads";
import { AppError } from "../errors.ts";
import type { BulkAnswer, BulkQuestion } from "./bulk-reader.ts";
import { checkBulk, checkMessages } from "./check-bulk.ts";

if (!parentPort) throw new Error("bulk-thread.ts runs as a worker thread");
const port = parentPort;

port.on("message", ({ id, body, now }: BulkQuestion) => {
  try {
    const value =
      body instanceof Uint8Array
        ? checkBulk(Buffer.from(body.buffer, body.byteOffset, body.byteLength), now)
        : checkMessages(body, now);
    const memory = value.good[0]?.call.turns_zlib.buffer;
    post({ id, value }, memory instanceof ArrayBuffer ? [memory] : []);
  } catch (cause) {
    const { message } = cause as Error;
    const known = cause instanceof AppError ? { code: cause.code, errors: cause.errors } : { code: null, errors: [] };
    post({ id, failure: { ...known, message } });
  }
});

function post(answer: BulkAnswer, transfer: ArrayBuffer[] = []): void {
  port.postMessage(answer, transfer);
}

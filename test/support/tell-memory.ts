/** Loaded into a server under measurement (--import, with --expose-gc): on SIGUSR2 it collects garbage and writes the bytes
 *  that it still holds to the file that TELL_MEMORY names. */
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const path = process.env["TELL_MEMORY"];
if (isMainThread && path !== undefined) {
  process.on("SIGUSR2", () => {
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(path, String(heapUsed + external));
  });
}

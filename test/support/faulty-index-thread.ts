/**
 * The thread of the vector index, which does what the file named by EARSHOT_TEST_INDEX says while it is there: "die" ends it
 * at the next search or fill, "hang" stops it there for good.
 */
import { readFileSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { parentPort } from "node:worker_threads";

const port = parentPort;
if (!port) throw new Error("runs as a worker thread only");
const on = port.on.bind(port) as (event: string, listener: (...args: unknown[]) => void) => MessagePort;
port.on = ((event: string, listener: (...args: unknown[]) => void) =>
  on(event, (...args) => {
    const { command } = args[0] as { command?: { type: string } };
    if (command?.type === "search" || command?.type === "fillBegin") misbehave();
    listener(...args);
  })) as typeof port.on;
await import("../../src/adapters/vectors/thread.ts");

function misbehave(): void {
  const fault = faultOf(process.env["EARSHOT_TEST_INDEX"] ?? "");
  if (fault === "die") process.exit(3);
  if (fault === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function faultOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

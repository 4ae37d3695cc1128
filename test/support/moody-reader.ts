/** A reader thread that never answers while the file named by EARSHOT_TEST_HANG is there, and is the real one otherwise. */
import { existsSync } from "node:fs";
import { parentPort } from "node:worker_threads";

const port = parentPort;
if (!port) throw new Error("runs as a worker thread only");
const on = port.on.bind(port) as (event: string, listener: (...args: unknown[]) => void) => typeof port;
port.on = ((event: string, listener: (...args: unknown[]) => void) =>
  on(event, (...args) => {
    if (!existsSync(process.env["EARSHOT_TEST_HANG"] ?? "")) listener(...args);
  })) as typeof port.on;
await import("../../src/adapters/sql/reader-thread.ts");

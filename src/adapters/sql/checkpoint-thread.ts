/**
 * Copies the log into the database file beside the writing thread, on a connection of its own: reading pages, writing and
 * syncing them takes as long as a fifth of all writing. Only the writing thread can begin the log anew, so what it has added
 * meanwhile is copied again, until little is left for it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openForCheckpoints } from "./connection.ts";

/** Pages left over that the writing thread may copy itself (some milliseconds). */
const FEW_PAGES = 500;
/** Under steady writing each round is shorter than the one before; a reader may hold the log open, though. */
const ROUNDS = 5;

if (!parentPort) throw new Error("checkpoint-thread.ts runs as a worker thread");
const port = parentPort;
const db = openForCheckpoints(workerData as string);

port.on("message", () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [{ busy, log, checkpointed }] = db.pragma("wal_checkpoint(PASSIVE)") as [
      { busy: number; log: number; checkpointed: number },
    ];
    if (busy !== 0 || log - checkpointed < FEW_PAGES) break;
  }
  port.postMessage("done");
});
port.on("close", () => db.close());

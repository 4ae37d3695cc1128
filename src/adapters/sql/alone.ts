/** Whether anybody else has a database file open: the kernel knows, and forgets a process that was killed. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { type Connection } from "./connection.ts";
import { WORK } from "./statements.ts";
import { isBusy } from "./store-error.ts";

/** Two processes that start at once may look at the same time. */
const WAIT_MS = 100;

/**
 * Runs `use` in one transaction while no other connection, of any process, has the file open; others wait meanwhile.
 * False where somebody has. Every connection to a WAL file holds a shared lock on it for as long as it is open, so an
 * exclusive one tells. A WAL left by a killed process is moved into the file.
 */
export function whileAlone(path: string, use: (db: Connection) => void): boolean {
  const db = new Database(path, { fileMustExist: true, timeout: WAIT_MS });
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.transaction(() => use(db)).exclusive();
    return true;
  } catch (cause) {
    if (isBusy(cause)) return false;
    throw cause;
  } finally {
    db.close();
  }
}

/**
 * Leases of workers that no longer live: whoever opens a file that nobody else has open need not wait for them to run
 * out. The attempt counts, so that a call that kills its worker still dies in the end.
 */
export function freeLostLeases(path: string): void {
  if (!existsSync(path)) return;
  whileAlone(path, (db) => {
    const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'work'").get();
    if (has === undefined) return;
    db.prepare(WORK.pendAll).run();
    db.prepare(WORK.freeAll).run();
  });
}

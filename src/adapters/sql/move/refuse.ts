/** Whoever opens a store to write that is frozen for a move, or was moved away, is told so. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { storeFault } from "../store-error.ts";

/** The sentence of a store that takes no writes now; the triggers of marks.ts ask the same. */
const REFUSAL = `SELECT refusal FROM move_state WHERE refused_until > unixepoch('subsec') * 1000`;

/** Throws store_unavailable with a sentence for such a file. */
export function refuseMoved(path: string): void {
  if (!existsSync(path)) return;
  const db = new Database(path, { fileMustExist: true });
  try {
    const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'move_state'").get();
    if (has === undefined) return;
    const found = db.prepare(REFUSAL).get() as { refusal: string } | undefined;
    if (found) throw storeFault(Object.assign(new Error(found.refusal), { code: "SQLITE_CONSTRAINT_TRIGGER" }));
  } finally {
    db.close();
  }
}

/** Whoever opens a store to write that is frozen for a move, or was moved away, is told so. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { storeFault } from "../store-error.ts";

const MARKED = "SELECT 1 AS there FROM sqlite_schema WHERE type = 'table' AND name = 'move_state'";
/** As the triggers of marks.ts ask. */
const REFUSAL = "SELECT refusal FROM move_state WHERE refused_until > unixepoch('subsec') * 1000";

/** What a store says that takes no writes now; null where it takes them. */
export function refusalOf(get: (sql: string) => unknown): string | null {
  if (get(MARKED) === undefined) return null;
  return (get(REFUSAL) as { refusal: string } | undefined)?.refusal ?? null;
}

/** Throws store_unavailable with a sentence for such a file. */
export function refuseMoved(path: string): void {
  if (!existsSync(path)) return;
  const db = new Database(path, { fileMustExist: true });
  try {
    const refusal = refusalOf((sql) => db.prepare(sql).get());
    if (refusal !== null) throw storeFault(Object.assign(new Error(refusal), { code: "SQLITE_CONSTRAINT_TRIGGER" }));
  } finally {
    db.close();
  }
}

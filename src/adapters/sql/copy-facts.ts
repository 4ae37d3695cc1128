/** What a copy of a database holds, and whether it is whole. Reads all of it: not for the event loop. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import type { CopyFacts } from "../../ports/copies.ts";

const CHUNK = 1024 * 1024;
const COUNTED = [
  "call_records",
  "live_calls",
  "call_insights",
  "call_vectors",
  "work",
  "events",
  "accounts",
  "jobs",
] as const;

/** Makes the copy one file that needs no log beside it, counts what is in it, hashes it. Progress in bytes. */
export function copyFacts(path: string, onProgress: (done: number, total: number) => void): CopyFacts {
  const db = new Database(path, { fileMustExist: true });
  try {
    db.pragma("journal_mode = DELETE");
    const schema = db.pragma("user_version", { simple: true }) as number;
    const counts = countsOf(db);
    db.close();
    return { schema, counts, bytes: statSync(path).size, sha256: sha256Of(path, onProgress) };
  } finally {
    db.close();
  }
}

function countsOf(db: Database.Database): Record<string, number> {
  const count = (table: string): number => (db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  return Object.fromEntries(COUNTED.map((table) => [table, count(table)]));
}

/** SHA-256 of a file in hex; the file is on disk afterwards. */
function sha256Of(path: string, onProgress: (done: number, total: number) => void): string {
  const total = statSync(path).size;
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK);
  const file = openSync(path, "r+");
  try {
    let done = 0;
    for (;;) {
      const n = readSync(file, chunk);
      if (n === 0) break;
      hash.update(chunk.subarray(0, n));
      done += n;
      onProgress(done, total);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** The first problem that SQLite finds in a whole copy; null when there is none. */
export function copyProblem(path: string): string | null {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const [first] = db.pragma("integrity_check(1)") as { integrity_check: string }[];
    if (first?.integrity_check !== "ok") return first?.integrity_check ?? "it could not be checked";
    const orphans = (db.pragma("foreign_key_check") as unknown[]).length;
    return orphans === 0 ? null : `${orphans} rows belong to nothing`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    db.close();
  }
}

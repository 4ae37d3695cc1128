/** What SQLite reports, in the words of the application. */
import { AppError } from "../../errors.ts";

/** The result code of an SQLite error ("SQLITE_BUSY", "SQLITE_IOERR_WRITE", …); null for any other error. */
function sqliteCode(cause: unknown): string | null {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  return typeof code === "string" && code.startsWith("SQLITE_") ? code : null;
}

/** True if another connection holds the lock. */
export function isBusy(cause: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(cause) ?? "");
}

/** What triggers of a store that is being moved, or was, say: seconds after which to try again, and a sentence (move/marks.ts). */
const MOVED = /^moved:(\d+):(.*)$/s;

/** Faults of the disk or the file: nothing of the transaction can be trusted to be written. */
const FAULT = /^SQLITE_(FULL|IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|NOMEM|PERM|AUTH|NOLFS|PROTOCOL|BUSY|LOCKED)/;

/**
 * storage_full for a full disk, store_unavailable (with retryAfter, seconds) for a lock or any other fault of disk or
 * file; null for errors that are about the one statement (constraints, types, bugs).
 */
export function storeFault(cause: unknown): AppError | null {
  const code = sqliteCode(cause);
  const [, seconds, sentence] = (code === "SQLITE_CONSTRAINT_TRIGGER" && MOVED.exec((cause as Error).message)) || [];
  if (seconds !== undefined) return new AppError("store_unavailable", sentence, { cause, retryAfter: Number(seconds) });
  if (code === null || !FAULT.test(code)) return null;
  if (code === "SQLITE_FULL") return new AppError("storage_full", undefined, { cause, retryAfter: 30 });
  const detail = isBusy(cause) ? "The database is locked by another process" : `The database cannot be used (${code})`;
  return new AppError("store_unavailable", detail, { cause, retryAfter: isBusy(cause) ? 1 : 5 });
}

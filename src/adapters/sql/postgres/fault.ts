/** What PostgreSQL and the way to it report, in the words of the application. */
import { AppError } from "../../../errors.ts";

/** SQLSTATE of a server's error or the code of a failed connection ("ECONNREFUSED"); null where there is neither. */
function codeOf(cause: unknown): string | null {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  return typeof code === "string" ? code : null;
}

/**
 * The server cannot do it now: connection exceptions, resources but a full disk, operator intervention, system errors,
 * damaged data, a lock that did not come in time, a primary that has become a standby.
 */
const SERVER_FAULT = /^(08...|53[0-4]..|57P..|58...|XX00[12]|55P03|25006|25P0[34])$/;
const NETWORK_FAULT =
  /^(ECONN\w+|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|EMFILE)$/;
/** What the driver says of a connection that went away; it gives these no code. */
const LOST =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** True if the connection must not be used again. */
export function isLost(cause: unknown): boolean {
  const code = codeOf(cause);
  if (code === null) return cause instanceof Error && LOST.test(cause.message);
  return NETWORK_FAULT.test(code) || /^(08...|57P0[123])$/.test(code);
}

/** True if the transaction was undone for the sake of another and may be tried again. */
export function isRetryable(cause: unknown): boolean {
  return /^(40001|40P01)$/.test(codeOf(cause) ?? "");
}

/** True if the statement took longer than it was given. */
export function isOverdue(cause: unknown): boolean {
  return codeOf(cause) === "57014";
}

/** True if no partition holds the month that a row belongs to. */
export function lacksPartition(cause: unknown): boolean {
  return codeOf(cause) === "23514" && cause instanceof Error && cause.message.startsWith("no partition of relation");
}

/**
 * storage_full for a full disk, store_unavailable (with retryAfter, seconds) for everything that is about the server or
 * the way to it; null for errors that are about the one statement (constraints, types, bugs).
 */
export function storeFault(cause: unknown): AppError | null {
  if (cause instanceof AppError) return cause;
  const code = codeOf(cause);
  if (code === "53100") return new AppError("storage_full", undefined, { cause, retryAfter: 30 });
  if (isRetryable(cause) || isOverdue(cause)) {
    return new AppError("store_unavailable", "The database is busy", { cause, retryAfter: 1 });
  }
  if (!isLost(cause) && !SERVER_FAULT.test(code ?? "")) return null;
  const detail = `The database cannot be used (${code ?? "the connection was lost"})`;
  return new AppError("store_unavailable", detail, { cause, retryAfter: 2 });
}

/** The answer to a question that took longer than it was given. */
export function overdue(): AppError {
  return new AppError("store_unavailable", "The question took too long", { retryAfter: 1 });
}

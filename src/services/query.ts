/** Reading calls: one by id, and pages of a list by offset or cursor. */
import { hash } from "node:crypto";
import type { CallRow, Scope } from "../core/call.ts";
import { COUNT_LIMIT } from "../core/list.ts";
import type { CallFilter, Keyset, Sort } from "../core/list.ts";
import { AppError, invalid } from "../errors.ts";
import type { CallReads, StoredCall } from "../ports/calls.ts";
import { isId } from "./accept.ts";

export interface QueryDeps {
  readonly reads: CallReads;
}

/** @throws AppError call_not_found, for a call outside the scope as well */
export async function getCall(
  { reads }: { reads: Pick<CallReads, "get"> },
  input: { call_id: string; scope: Scope },
): Promise<StoredCall> {
  const call = isId(input.call_id) ? await reads.get(input.call_id, input.scope) : null;
  if (call === null) throw new AppError("call_not_found");
  return call;
}

/** The row alone, for a cheap "has it changed"; null if it is not there. */
export async function getRow(
  { reads }: { reads: Pick<CallReads, "row"> },
  input: { call_id: string; scope: Scope },
): Promise<CallRow | null> {
  return isId(input.call_id) ? reads.row(input.call_id, input.scope) : null;
}

export interface ListInput {
  readonly scope: Scope;
  readonly filter: CallFilter;
  readonly sort: Sort;
  readonly limit: number;
  readonly offset: number;
  readonly cursor: string | null;
  /** With words and insights of each call. */
  readonly full: boolean;
}

export interface ListAnswer {
  readonly rows: readonly CallRow[];
  /** In the order of rows; null unless `full` was asked for. */
  readonly calls: readonly StoredCall[] | null;
  readonly total: number;
  readonly total_relation: "eq" | "gte";
  readonly next_cursor: string | null;
  readonly partial: boolean;
}

/** @throws AppError validation on ?cursor, ?offset */
export async function listCalls({ reads }: QueryDeps, input: ListInput): Promise<ListAnswer> {
  const { scope, filter, sort, limit, offset } = input;
  const print = fingerprint(filter, sort);
  const cursor = input.cursor === null ? null : decodeCursor(input.cursor, print);
  if (cursor !== null && offset > 0) {
    throw invalid([
      { pointer: "?offset", message: "stands beside cursor", expected: "one of the two", received: "both" },
    ]);
  }
  if (offset > COUNT_LIMIT) {
    throw invalid([
      {
        pointer: "?offset",
        message: "is too large; follow next_cursor instead",
        expected: `at most ${COUNT_LIMIT}`,
        received: String(offset),
      },
    ]);
  }
  // Counting may cost more than the page: it is done once, and the cursor carries it on.
  const list = await reads.list({
    scope,
    filter,
    sort,
    page: { limit, offset, after: cursor?.after ?? null },
    total: cursor === null,
  });
  const total = cursor?.total ?? list.total ?? 0;
  const total_relation = cursor?.relation ?? list.total_relation;
  return {
    rows: list.rows,
    calls: input.full ? await inOrder(reads, list.rows) : null,
    total,
    total_relation,
    next_cursor: list.next && encodeCursor({ after: list.next, total, relation: total_relation }, print),
    partial: list.partial,
  };
}

async function inOrder(reads: CallReads, rows: readonly CallRow[]): Promise<StoredCall[]> {
  const texts = new Map((await reads.texts(rows.map((r) => r.call_no))).map((c) => [c.row.call_no, c]));
  return rows.flatMap((row) => texts.get(row.call_no) ?? []);
}

// ---- cursors: where to go on, and what list it belongs to ----------------------------------------------------------

interface Cursor {
  readonly after: Keyset;
  readonly total: number;
  readonly relation: "eq" | "gte";
}

function fingerprint(filter: CallFilter, sort: Sort): string {
  const parts = Object.entries(filter).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify([parts, sort.field, sort.descending]), "base64url").slice(0, 8);
}

function encodeCursor(cursor: Cursor, print: string): string {
  const { after, total, relation } = cursor;
  const fields = [print, after.value, after.call_no, total, relation === "eq" ? 1 : 0];
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/** @throws AppError validation on ?cursor, when it is none of ours or of a list with other filters or order */
function decodeCursor(text: string, print: string): Cursor {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw cursorError("is no cursor");
  }
  if (!Array.isArray(fields)) throw cursorError("is no cursor");
  const [made, value, callNo, total, exact] = fields as unknown[];
  const valid =
    (value === null || (typeof value === "number" && Number.isFinite(value))) &&
    Number.isSafeInteger(callNo) &&
    Number.isSafeInteger(total) &&
    (exact === 0 || exact === 1);
  if (!valid || typeof made !== "string") throw cursorError("is no cursor");
  if (made !== print) throw cursorError("belongs to a list with other filters or another order");
  return {
    after: { value, call_no: callNo as number },
    total: total as number,
    relation: exact === 1 ? "eq" : "gte",
  };
}

function cursorError(message: string): AppError {
  return invalid([
    {
      pointer: "?cursor",
      message,
      expected: "next_cursor of the page before, with the same filters",
      received: "another text",
    },
  ]);
}

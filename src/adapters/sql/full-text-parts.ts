/**
 * The parts of the full text: FTS5 tables, each with the calls from its first call_no up to the next part's. Taking one
 * call out of FTS5 costs some 40 ms, so retention, which goes oldest first, leaves the words of calls where they are
 * and drops the part when all its calls are gone; full_text_parts.has_gone says that a search must look whether a call is
 * still there.
 *
 * A part ends after `part_calls` calls, or after a week once it has more than an eighth of that: so the words that
 * are left behind night after night wait a week at most for the last call of their part. What is less than an eighth
 * is taken out a turn at a time, and no search has many small parts to ask.
 */
import { CALLS, ENGINE, PARTS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/** Calls in a part: some 110 MB of full text. */
export const PART_CALLS = 65_536;
const WEEK_MS = 7 * 86_400_000;
/** A part that took so long to fill was not made under the rule of the week: it is older than the parts. */
const LONG_MS = 2 * WEEK_MS;

export interface Part {
  readonly from_call_no: number;
  /** Epoch ms. */
  readonly opened_at: number;
  readonly has_gone: number;
}

/** The FTS5 table of a part. That of the first one is older than parts. */
export function partTable(from_call_no: number): string {
  return from_call_no === 0 ? "turn_search" : `turn_search_${from_call_no}`;
}

/** The table that holds, or is to hold, the turns of a call. */
export function tableOf(context: WriteContext, call_no: number): string {
  return partTable(partOf(context, call_no).from_call_no);
}

function partOf(context: WriteContext, call_no: number): Part {
  const part = context.get<Part>(PARTS.of, call_no);
  if (!part) throw new Error(`no part of the full text is for call ${call_no}`);
  return part;
}

/** Few calls: so many are taken out of one part a turn at a time. */
function few(context: WriteContext): number {
  return Math.floor(context.part_calls / 8);
}

/** Begins a part with a call that was just accepted, when the one before has its calls. */
export function beginPartIfDue(context: WriteContext, call_no: number, now: number): void {
  if (!isDue(context, call_no, now)) return;
  // Another process may have begun one.
  context.openPart = null;
  if (isDue(context, call_no, now)) beginPart(context, call_no, now);
}

function isDue(context: WriteContext, call_no: number, now: number): boolean {
  context.openPart ??= context.get<Part>(PARTS.open) as Part;
  const { from_call_no, opened_at } = context.openPart;
  const calls = call_no - from_call_no;
  return calls >= context.part_calls || (calls > few(context) && now - opened_at >= WEEK_MS);
}

function beginPart(context: WriteContext, call_no: number, now: number): void {
  for (const sql of ENGINE.beginPart(partTable(call_no), call_no)) context.db.exec(sql);
  context.run(PARTS.begin, call_no, now);
  context.openPart = null;
}

/**
 * Whether the words of a call that is erased for its age stay until its part goes; then the part remembers it. So it is
 * where all calls of the part are too old; and where they will be within days (`recurring`: the next purge comes tomorrow),
 * if too many are too old today.
 */
export function leavesWords(
  context: WriteContext,
  call_no: number,
  { before, recurring, now }: { before: number; recurring: boolean; now: number },
): boolean {
  const part = partOf(context, call_no);
  const known = context.turnByTurn;
  if (known?.from_call_no === part.from_call_no && known.before === before) return false;
  if (!mayWait(context, part, { before, recurring, now })) {
    context.turnByTurn = { from_call_no: part.from_call_no, before };
    return false;
  }
  if (part.has_gone === 0) context.run(PARTS.hasGone, part.from_call_no);
  return true;
}

function mayWait(
  context: WriteContext,
  part: Part,
  { before, recurring, now }: { before: number; recurring: boolean; now: number },
): boolean {
  const next = context.get<Part>(PARTS.after, part.from_call_no);
  const end = next?.from_call_no ?? Number.MAX_SAFE_INTEGER;
  const isOld = (call?: { created_at: number }): boolean => call !== undefined && call.created_at < before;
  const moreThan = (calls: number): boolean => isOld(context.get(CALLS.nthBetween, part.from_call_no, end, calls));
  const allOld = isOld(context.get(CALLS.lastBetween, part.from_call_no, end));
  if (allOld && next) return true;
  if (allOld && moreThan(few(context))) {
    // Else the next call would be of this part, and keep it for as long as calls are kept.
    const { seq } = context.get<{ seq: number }>(ENGINE.lastCallNo) as { seq: number };
    beginPart(context, seq + 1, now);
    return true;
  }
  if (!recurring) return false;
  const filled_ms = (next?.opened_at ?? now) - part.opened_at;
  return part.has_gone === 1 || moreThan(filled_ms > LONG_MS ? context.part_calls : few(context));
}

/**
 * A step of dropping a part without calls; false when there is none left. It leaves a few pages at a time: dropping the
 * table as a whole would overwrite all its pages in one transaction, for which everybody waits.
 */
export function dropPartStep(context: WriteContext, rows: number): boolean {
  const leaving = context.get<Part>(PARTS.leaving);
  if (leaving) {
    emptySome(context, leaving.from_call_no, rows);
    return true;
  }
  const empty = context.get<Part>(PARTS.withoutCalls);
  if (!empty) return false;
  context.run(PARTS.leave, empty.from_call_no);
  unsafely(context, ENGINE.forgetIndex(partTable(empty.from_call_no)));
  return true;
}

function emptySome(context: WriteContext, from_call_no: number, rows: number): void {
  const table = partTable(from_call_no);
  for (const sql of ENGINE.emptySome(table, rows)) if (unsafely(context, [sql]) > 0) return;
  for (const sql of ENGINE.dropPart(table)) context.db.exec(sql);
  context.run(PARTS.drop, from_call_no);
}

/** Changes the tables behind an FTS5 table, which SQLite refuses otherwise; the number of rows changed. */
function unsafely(context: WriteContext, statements: readonly string[]): number {
  context.db.unsafeMode(true);
  try {
    return statements.map((sql) => context.db.prepare(sql).run().changes).reduce((sum, n) => sum + n, 0);
  } finally {
    context.db.unsafeMode(false);
  }
}

/**
 * Lists, counts and numbers of any filter, in a reader thread: index entries in steps, the clock read between steps,
 * because a running SQLite statement cannot be stopped from JavaScript.
 */
import type { CallRow } from "../../core/call.ts";
import { COUNT_LIMIT, type Keyset } from "../../core/list.ts";
import { AppError } from "../../errors.ts";
import type { CallList, CallReads } from "../../ports/calls.ts";
import { type Conditions, conditionsOf, type Segment, segmentsOf } from "./read-conditions.ts";
import { cut, EMPTY, type ListQuery, pageThrough, rangeOf, shapeOf, statedTotal, totalFromPage } from "./read-list.ts";
import { countingIndex, type Index, narrowing, residualOf, TABLE, walkIndex } from "./read-plan.ts";
import type { Kind, Shape } from "./read-sql.ts";
import type { Pair, Statements } from "./read-statements.ts";

export interface WalkLimits {
  /** Index entries a step passes by. */
  readonly step: number;
  /** A filter that an index narrows to so many rows is answered at once, with sorting. */
  readonly gather: number;
  /** Milliseconds a list may take; a step is always made. */
  readonly deadline_ms: number;
}

/** Milliseconds, monotonic. */
type Clock = () => number;

interface Run {
  readonly statements: Statements;
  readonly conditions: Conditions;
  readonly limits: WalkLimits;
  /** True once the time is up. */
  readonly late: () => boolean;
  /** What `narrowest` found; undefined until asked. */
  narrowed?: Index | null;
}

/** The index that narrows the filter most and the number of its entries, if that is at most `limits.gather`. */
function narrowest(run: Run): Index | null {
  if (run.narrowed !== undefined) return run.narrowed;
  const { statements, conditions, limits } = run;
  let best: Index | null = null;
  let least = limits.gather + 1;
  for (const index of narrowing(conditions)) {
    const n = statements.countUpTo(rangeOf(index, conditions), conditions, least);
    if (n < least) [best, least] = [index, n];
  }
  run.narrowed = best;
  return best;
}

interface Walked {
  readonly found: readonly Pair[];
  /** Where the walk stopped for want of time; null if it ended or found enough. */
  readonly stopped: Keyset | null;
}

interface Course {
  readonly index: Index;
  readonly descending: boolean;
  readonly after: Keyset | null;
  readonly offset: number;
  /** Stop once so many are found. */
  readonly enough: number;
}

/** Passes by the entries of an index in its order; `onStep` is asked after each full step whether to go on. */
function walk(run: Run, course: Course, onStep: () => boolean): Walked {
  const { statements, conditions, limits } = run;
  const { index, descending, enough } = course;
  const column = index.range;
  const inner = conditions.list.filter((c) => c.column === index.equals && c.op === "=");
  const residual = residualOf(index, conditions);
  const rest = index.equals === null ? residual : [...residual, ...conditions.list.filter((c) => c.op === "team")];
  const found: Pair[] = [];
  let skip = course.offset;
  let position = course.after;
  for (;;) {
    let boundary: Pair | undefined;
    for (const segment of segmentsOf(conditions, { column, descending }, position)) {
      const shape = (kind: Kind, residual: Shape["residual"]): Shape => ({
        kind,
        index,
        column,
        descending,
        segment,
        inner,
        residual,
      });
      boundary = statements.pairs(shape("boundary", []), conditions, { offset: limits.step - 1 })[0];
      const keys = statements.pairs(shape("step_keys", rest), conditions, {
        examined: limits.step,
        limit: skip + enough - found.length,
      });
      const skipped = Math.min(skip, keys.length);
      skip -= skipped;
      for (const key of keys.slice(skipped)) found.push(key);
      if (found.length >= enough) return { found, stopped: null };
      if (boundary !== undefined) break;
    }
    if (boundary === undefined) return { found, stopped: null };
    position = { value: boundary[1], call_no: boundary[0] };
    if (!onStep()) return { found, stopped: position };
  }
}

/** The number of matching calls, up to COUNT_LIMIT + 1; `complete` is false when the time ran out before. */
function count(run: Run): { counted: number; complete: boolean } {
  const { statements, conditions, limits } = run;
  const limit = COUNT_LIMIT + 1;
  const exact = countingIndex(conditions);
  if (exact !== null) {
    const counted = statements.countUpTo(shapeOf("probe", exact, conditions), conditions, limit);
    return { counted, complete: true };
  }
  const narrow = narrowest(run);
  if (narrow !== null) {
    return { counted: statements.count(shapeOf("count", narrow, conditions), conditions, { limit }), complete: true };
  }
  // Too many to count at once: entries in steps, from the index alone where it covers the filter.
  const candidates = narrowing(conditions).filter(
    (i) => i.ordered && !conditions.list.some((c) => c.op === "team" && c.column === i.equals),
  );
  const covered = candidates.find((i) => residualOf(i, conditions).every((c) => i.covers.includes(c.column)));
  const index = covered ?? candidates[0] ?? TABLE;
  const inner = conditions.list.filter((c) => c.column === index.equals);
  const residual = residualOf(index, conditions);
  let counted = 0;
  let position: Keyset | null = null;
  for (;;) {
    let boundary: Pair | undefined;
    for (const segment of countingSegments(conditions, index, position)) {
      const base = { index, column: index.range, descending: false, segment, inner };
      boundary = statements.pairs({ ...base, kind: "boundary", residual: [] }, conditions, {
        offset: limits.step - 1,
      })[0];
      const shape: Shape = { ...base, kind: "step_count", residual };
      counted += statements.count(shape, conditions, { examined: limits.step });
      if (boundary !== undefined) break;
    }
    if (boundary === undefined || counted >= limit) return { counted: Math.min(counted, limit), complete: true };
    if (run.late()) return { counted, complete: false };
    position = { value: boundary[1], call_no: boundary[0] };
  }
}

/** A counted index range has no NULLs: either a bound excludes them or the column has none. */
function countingSegments(conditions: Conditions, index: Index, position: Keyset | null): Segment[] {
  return segmentsOf(conditions, { column: index.range, descending: false }, position);
}

/** Any list. Partial when the time ran out: `next` is then the last entry passed by, matching or not. */
export function listInSteps(statements: Statements, query: ListQuery, limits: WalkLimits, now: Clock): CallList {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null) return query.total ? EMPTY : { ...EMPTY, total: null };
  const end = now() + limits.deadline_ms;
  const run: Run = { statements, conditions, limits, late: () => now() >= end };
  statements.look();
  const { page } = query;
  const index = walkIndex(conditions, query.sort.field);
  let gathered: Index | null = null;
  let first = true;
  const { descending } = query.sort;
  const course: Course = { index, descending, after: page.after, offset: page.offset, enough: page.limit + 1 };
  const walked = walk(run, course, () => {
    if (run.late()) return false;
    if (first) gathered = narrowest(run);
    first = false;
    return gathered === null;
  });
  let answer: Pick<CallList, "rows" | "next" | "partial">;
  let found: number | null = null;
  if (walked.stopped !== null && gathered !== null) {
    const rows = pageThrough(statements, conditions, gathered, query, page.limit + 1);
    found = rows.length;
    answer = { ...cut(query, rows), partial: false };
  } else {
    const rows = walked.found.flatMap(([call_no]): CallRow[] => {
      const row = statements.row(call_no);
      return row === undefined ? [] : [row];
    });
    if (walked.stopped === null) {
      found = rows.length;
      answer = { ...cut(query, rows), partial: false };
    } else answer = { rows, next: walked.stopped, partial: rows.length < page.limit };
  }
  if (!query.total) return { ...answer, total: null, total_relation: "eq" };
  const shown = found === null ? null : totalFromPage(query, found);
  if (shown !== null) return { ...answer, ...statedTotal(shown) };
  const { counted, complete } = count(run);
  if (complete) return { ...answer, ...statedTotal(counted) };
  const seen = answer.rows.length === 0 ? 0 : page.offset + answer.rows.length;
  return { ...answer, total: Math.min(COUNT_LIMIT, Math.max(counted, seen)), total_relation: "gte" };
}

/** The calls that pass, when an index narrows them to few; null when they are many. */
export function fewNumbers(statements: Statements, conditions: Conditions, limits: WalkLimits): Set<number> | null {
  statements.look();
  const narrow = narrowest({ statements, conditions, limits, late: () => false });
  if (narrow === null) return null;
  return new Set(statements.numbers(shapeOf("numbers", narrow, conditions), conditions, { limit: limits.gather }));
}

/** The call numbers that pass, ascending. Throws store_unavailable when the time runs out. */
export function numbersInSteps(
  statements: Statements,
  query: Parameters<CallReads["numbers"]>[0],
  limits: WalkLimits,
  now: Clock,
): Uint32Array {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null || query.limit <= 0) return new Uint32Array(0);
  const end = now() + limits.deadline_ms;
  const run: Run = { statements, conditions, limits, late: () => now() >= end };
  statements.look();
  const exact = narrowest(run);
  if (exact !== null) {
    const shape = shapeOf("numbers", exact, conditions);
    return Uint32Array.from(statements.numbers(shape, conditions, { limit: query.limit }));
  }
  const course: Course = { index: TABLE, descending: false, after: null, offset: 0, enough: query.limit };
  const walked = walk(run, course, () => !run.late());
  if (walked.stopped !== null) {
    throw new AppError(
      "store_unavailable",
      "The filter takes too long over so many calls; narrow it by agent or date",
      {
        retryAfter: 5,
      },
    );
  }
  return Uint32Array.from(walked.found, ([call_no]) => call_no);
}

/**
 * Lists. The planner has a time for the whole page; where that is not enough the entries of the sorted index are walked in
 * steps until the deadline, and a partial page says where to go on.
 */
import type { CallRow } from "../../../core/call.ts";
import { COUNT_LIMIT, type Keyset } from "../../../core/list.ts";
import type { CallList, CallReads } from "../../../ports/calls.ts";
import { type Conditions, conditionsOf, segmentsOf } from "../read-conditions.ts";
import { cut, EMPTY, type ListQuery, shapeOf, statedTotal, totalFromPage } from "../read-list.ts";
import { residualOf, TABLE, walkIndex } from "../read-plan.ts";
import type { Kind, Shape } from "../read-sql.ts";
import type { Pair } from "../read-statements.ts";
import type { Transaction } from "./database.ts";
import { isOverdue, overdue } from "./fault.ts";
import { rowsByNumber } from "./read-rows.ts";
import { count, numbers, pairs, rows } from "./shapes.ts";
import type { Asker } from "./replicas.ts";

export interface ReadLimits {
  /** Index entries a step passes by. */
  readonly step: number;
  /** Milliseconds for a whole page; 0: it is walked at once. */
  readonly page_ms: number;
  /** Milliseconds for walking, and for the total; a step is always made. */
  readonly walk_ms: number;
  /** Milliseconds for the numbers of a filter, or the turns of a search. */
  readonly patience_ms: number;
}

/** What `work` finds within the time; null where it takes longer. Nothing is tried without any time. */
async function within<T>(db: Asker, ms: number, work: (tx: Transaction) => Promise<T>): Promise<T | null> {
  if (ms <= 0) return null;
  try {
    return await db.reading(ms, work);
  } catch (cause) {
    if (isOverdue(cause)) return null;
    throw cause;
  }
}

export async function list(db: Asker, query: ListQuery, limits: ReadLimits): Promise<CallList> {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null) return query.total ? EMPTY : { ...EMPTY, total: null };
  const { page_ms, walk_ms } = limits;
  const found = await within(db, page_ms, (tx) => page(tx, conditions, query));
  const answer =
    found === null ? await walked(db, conditions, query, limits) : { ...cut(query, found), partial: false };
  if (!query.total) return { ...answer, total: null, total_relation: "eq" };
  const shown = found === null ? null : totalFromPage(query, found.length);
  if (shown !== null) return { ...answer, ...statedTotal(shown) };
  const shape = shapeOf("count", TABLE, conditions);
  const counted = await within(db, walk_ms, (tx) => count(tx, allOf(shape), conditions, COUNT_LIMIT + 1));
  if (counted !== null) return { ...answer, ...statedTotal(counted) };
  const seen = answer.rows.length === 0 ? 0 : query.page.offset + answer.rows.length;
  return { ...answer, total: Math.min(COUNT_LIMIT, seen), total_relation: "gte" };
}

/** All entries of the table. */
const allOf = (shape: Shape): Shape => ({
  ...shape,
  segment: { kind: "range", low: ">=", high: null, values: { low: 0 } },
});

/** The rows of a list from segment to segment, one more than asked, the first `offset` left out. */
async function page(tx: Transaction, conditions: Conditions, query: ListQuery): Promise<CallRow[]> {
  const { field, descending } = query.sort;
  const limit = query.page.limit + 1;
  const found: CallRow[] = [];
  let skip = query.page.offset;
  const segments = segmentsOf(conditions, { column: field, descending }, query.page.after);
  for (const [i, segment] of segments.entries()) {
    const base = { index: walkIndex(conditions, field), column: field, descending, segment };
    const shape: Shape = { ...base, kind: "page", inner: conditions.list, residual: [] };
    const some = await rows(tx, shape, conditions, { limit: limit - found.length, offset: skip });
    found.push(...some);
    if (found.length >= limit) break;
    if (some.length > 0) skip = 0;
    else if (skip > 0 && i < segments.length - 1)
      skip -= await count(tx, { ...shape, kind: "count" }, conditions, skip);
  }
  return found;
}

/** As far as the entries of the sorted index can be looked at in the time. */
async function walked(
  db: Asker,
  conditions: Conditions,
  query: ListQuery,
  limits: ReadLimits,
): Promise<Pick<CallList, "rows" | "next" | "partial">> {
  const { limit } = query.page;
  const end = performance.now() + limits.walk_ms;
  const found: Pair[] = [];
  let skip = query.page.offset;
  let position = query.page.after;
  for (;;) {
    const step = await db.reading(limits.patience_ms, (tx) =>
      stepFrom(tx, conditions, { query, position, examined: limits.step, wanted: skip + limit + 1 - found.length }),
    );
    const skipped = Math.min(skip, step.found.length);
    skip -= skipped;
    for (const key of step.found.slice(skipped)) found.push(key);
    const whole = found.length > limit || step.next === null;
    if (!whole && performance.now() < end) {
      position = step.next;
      continue;
    }
    const call_nos = found.map(([call_no]) => call_no);
    const all = await rowsByNumber(db, call_nos, { kind: "all" });
    if (whole) return { ...cut(query, all), partial: false };
    return { rows: all, next: step.next, partial: all.length < limit };
  }
}

interface Step {
  readonly query: ListQuery;
  readonly position: Keyset | null;
  readonly examined: number;
  readonly wanted: number;
}

/** Those that match among the next entries, and the last entry passed by; null at the end. */
async function stepFrom(
  tx: Transaction,
  conditions: Conditions,
  { query, position, examined, wanted }: Step,
): Promise<{ found: Pair[]; next: Keyset | null }> {
  const { field: column, descending } = query.sort;
  const index = walkIndex(conditions, column);
  const inner = conditions.list.filter((c) => c.column === index.equals && c.op === "=");
  const residual = residualOf(index, conditions);
  const rest = index.equals === null ? residual : [...residual, ...conditions.list.filter((c) => c.op === "team")];
  const found: Pair[] = [];
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
    const [boundary] = await pairs(tx, shape("boundary", []), conditions, { offset: examined - 1 });
    const limit = wanted - found.length;
    found.push(...(await pairs(tx, shape("step_keys", rest), conditions, { examined, limit })));
    if (found.length >= wanted) return { found, next: null };
    if (boundary) return { found, next: { value: boundary[1], call_no: boundary[0] } };
  }
  return { found, next: null };
}

/** The call numbers that pass, ascending. Rejects with store_unavailable when the time runs out. */
export async function numbersOf(
  db: Asker,
  query: Parameters<CallReads["numbers"]>[0],
  limits: ReadLimits,
): Promise<number[]> {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null || query.limit <= 0) return [];
  const shape = allOf(shapeOf("numbers", TABLE, conditions));
  const found = await within(db, 3 * limits.patience_ms, (tx) => numbers(tx, shape, conditions, query.limit));
  if (found === null) throw overdue();
  return found;
}

/** Lists on the event loop: what one index range answers, bounded by LIMIT or by a count made first. */
import type { CallRow } from "../../core/call.ts";
import { COUNT_LIMIT } from "../../core/list.ts";
import type { CallList, CallReads } from "../../ports/calls.ts";
import { type Conditions, conditionsOf, type Segment, segmentsOf } from "./read-conditions.ts";
import { countingIndex, type Index, placeOf, walkIndex } from "./read-plan.ts";
import type { Kind, Shape } from "./read-sql.ts";
import { positionOf, type Statements } from "./read-statements.ts";

export type ListQuery = Parameters<CallReads["list"]>[0];

export const EMPTY: CallList = { rows: [], total: 0, total_relation: "eq", next: null, partial: false };

/** Entries a guarded list may pass by on the event loop (about a millisecond). */
const GUARD_LIMIT = 10_000;

/** The whole range of an index, for counts. */
function wholeRange(conditions: Conditions, index: Index): Segment {
  return segmentsOf(conditions, { column: index.range, descending: false }, null)[0] as Segment;
}

/** A shape over `index` in its own order, checking all conditions. */
export function shapeOf(kind: Kind, index: Index, conditions: Conditions): Shape {
  const segment = wholeRange(conditions, index);
  return { kind, index, column: index.range, descending: false, segment, inner: conditions.list, residual: [] };
}

/** Probes the entries of the index that the conditions narrow it to, whether they match all conditions or not. */
export function rangeOf(index: Index, conditions: Conditions): Shape {
  const inner = conditions.list.filter((c) => c.column === index.equals);
  return { ...shapeOf("probe", index, conditions), inner };
}

/** One index range of a page in the asked order, with nothing left to filter. */
function pageShape(index: Index, { sort }: ListQuery, segment: Segment, conditions: Conditions): Shape {
  return {
    kind: "page",
    index,
    column: sort.field,
    descending: sort.descending,
    segment,
    inner: conditions.list,
    residual: [],
  };
}

/**
 * The rows of a list from segment to segment, at most `limit`, the first `offset` left out. `index` may be any that
 * narrows the search; without one in the order of the sort SQLite sorts.
 */
export function pageThrough(
  statements: Statements,
  conditions: Conditions,
  index: Index,
  query: ListQuery,
  limit: number,
): CallRow[] {
  const { field, descending } = query.sort;
  const segments = segmentsOf(conditions, { column: field, descending }, query.page.after);
  const rows: CallRow[] = [];
  let skip = query.page.offset;
  for (const [i, segment] of segments.entries()) {
    const shape = pageShape(index, query, segment, conditions);
    const found = statements.rows(shape, conditions, { limit: limit - rows.length, offset: skip });
    rows.push(...found);
    if (rows.length >= limit) break;
    if (found.length > 0) skip = 0;
    else if (skip > 0 && i < segments.length - 1) {
      skip -= statements.count({ ...shape, kind: "count" }, conditions, { limit: skip });
    }
  }
  return rows;
}

/** The total a page shows by itself: it ended before its limit, so what came before it and its rows are all. */
export function totalFromPage(query: ListQuery, found: number): number | null {
  const { after, offset, limit } = query.page;
  if (after !== null || found > limit || (found === 0 && offset > 0)) return null;
  return offset + found;
}

/** A counted number (up to COUNT_LIMIT + 1) as the API states it. */
export function statedTotal(counted: number): Pick<CallList, "total" | "total_relation"> {
  return counted > COUNT_LIMIT
    ? { total: COUNT_LIMIT, total_relation: "gte" }
    : { total: counted, total_relation: "eq" };
}

/** `found` holds one row more than the page when the list goes on. */
export function cut(query: ListQuery, found: CallRow[]): Pick<CallList, "rows" | "next"> {
  const { limit } = query.page;
  if (found.length <= limit) return { rows: found, next: null };
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: last === undefined ? query.page.after : positionOf(last, query.sort.field) };
}

/** The list, or "thread" when only a reader thread may answer it. */
export function listOnLoop(statements: Statements, query: ListQuery): CallList | "thread" {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null) return query.total ? EMPTY : { ...EMPTY, total: null };
  const index = walkIndex(conditions, query.sort.field);
  const place = placeOf(index, conditions);
  if (place === "thread") return "thread";
  statements.look();
  if (place === "guarded" && statements.reaches(rangeOf(index, conditions), conditions, GUARD_LIMIT + 1))
    return "thread";
  const found = pageThrough(statements, conditions, index, query, query.page.limit + 1);
  if (!query.total) return { ...cut(query, found), total: null, total_relation: "eq", partial: false };
  const counted =
    totalFromPage(query, found.length) ??
    (place === "guarded"
      ? statements.count(shapeOf("tally", index, conditions), conditions, {})
      : statements.countUpTo(
          shapeOf("probe", countingIndex(conditions) ?? index, conditions),
          conditions,
          COUNT_LIMIT + 1,
        ));
  return { ...cut(query, found), ...statedTotal(counted), partial: false };
}

/** Every shape that `listOnLoop` would run for the query, for the test that reads the plans. */
export function loopShapes(query: ListQuery): Shape[] {
  const conditions = conditionsOf(query.scope, query.filter);
  if (conditions === null) return [];
  const { field, descending } = query.sort;
  const index = walkIndex(conditions, field);
  const place = placeOf(index, conditions);
  if (place === "thread") return [];
  const shapes: Shape[] = segmentsOf(conditions, { column: field, descending }, query.page.after).flatMap((segment) => {
    const page = pageShape(index, query, segment, conditions);
    return [page, { ...page, kind: "count" }];
  });
  if (place === "guarded") shapes.push(rangeOf(index, conditions), shapeOf("tally", index, conditions));
  else {
    const counting = countingIndex(conditions) ?? index;
    shapes.push(shapeOf("probe", counting, conditions), shapeOf("tally", counting, conditions));
  }
  return shapes;
}

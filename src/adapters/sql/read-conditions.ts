/** A scope and a filter as a flat list of conditions on call_records, and where a keyset page starts and ends. */
import type { Scope } from "../../core/call.ts";
import type { CallFilter, Keyset, SortField } from "../../core/list.ts";

export type Column = SortField | "call_no" | "agent_id" | "customer_id" | "language" | "outcome" | "state";
export type Value = string | number;

/** `team`: the column is one of the agents of the team. `param` names the value, so that shapes can be compiled once. */
export interface Condition {
  readonly column: Column;
  readonly op: "=" | ">=" | "<=" | "team";
  readonly param: string;
}

export interface Conditions {
  readonly list: readonly Condition[];
  readonly values: Readonly<Record<string, Value>>;
}

const FIELDS: readonly (readonly [keyof CallFilter, Column, Condition["op"]])[] = [
  ["agent_id", "agent_id", "="],
  ["customer_id", "customer_id", "="],
  ["language", "language", "="],
  ["outcome", "outcome", "="],
  ["state", "state", "="],
  ["from_date", "start_time", ">="],
  ["to_date", "start_time", "<="],
  ["created_from", "created_at", ">="],
  ["created_to", "created_at", "<="],
  ["updated_since", "updated_at", ">="],
  ["min_sentiment", "customer_sentiment_score", ">="],
  ["max_sentiment", "customer_sentiment_score", "<="],
  ["min_duration", "duration_seconds", ">="],
  ["max_duration", "duration_seconds", "<="],
  ["min_talk_ratio", "agent_talk_ratio", ">="],
  ["max_talk_ratio", "agent_talk_ratio", "<="],
];

/** The conditions a row must meet; null when no row can (an agent asks for another agent's calls). */
export function conditionsOf(scope: Scope, filter: CallFilter): Conditions | null {
  const list: Condition[] = [];
  const values: Record<string, Value> = {};
  for (const [field, column, op] of FIELDS) {
    const value = filter[field];
    if (value === undefined) continue;
    list.push({ column, op, param: field });
    values[field] = value;
  }
  if (scope.kind === "agent") {
    if (filter.agent_id === undefined) list.push({ column: "agent_id", op: "=", param: "agent_id" });
    else if (filter.agent_id !== scope.agent_id) return null;
    values["agent_id"] = scope.agent_id;
  } else if (scope.kind === "team") {
    list.push({ column: "agent_id", op: "team", param: "team" });
    values["team"] = scope.team;
  }
  return { list, values };
}

/** The columns that may be NULL among those a list sorts by. */
const NULLABLE: ReadonlySet<Column> = new Set(["customer_sentiment_score", "duration_seconds", "agent_talk_ratio"]);

/**
 * A run of neighbouring index entries. A keyset page is up to three of them, in order: the rest of the rows with the
 * position's own value (`tie`), the values beyond it (`range`), the NULLs. Each is one exact index range, where
 * `(value, call_no) > (?, ?)` would walk a long tie from its start.
 */
export interface Segment {
  readonly kind: "tie" | "range" | "nulls" | "nulls_after";
  readonly low: ">" | ">=";
  /** null: no end, nothing to compare entry by entry. */
  readonly high: "<" | "<=" | null;
  readonly values: Readonly<Record<string, number>>;
}

/** The segments of a sorted walk that starts just after `after`. Bounds on the sort column become the range's ends. */
export function segmentsOf(
  conditions: Conditions,
  sort: { readonly column: Column; readonly descending: boolean },
  after: Keyset | null,
): Segment[] {
  const { column, descending } = sort;
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let bounded = false;
  for (const c of conditions.list) {
    if (c.column !== column) continue;
    bounded = true;
    if (c.op === ">=") low = conditions.values[c.param] as number;
    if (c.op === "<=") high = conditions.values[c.param] as number;
  }
  const segments: Segment[] = [];
  const value = after?.value ?? null;
  if (after === null || value !== null) {
    const beyond = value !== null && (descending ? value <= high : value >= low);
    if (after !== null && value !== null && value >= low && value <= high && column !== "call_no") {
      segments.push({ kind: "tie", low: ">=", high: "<=", values: { tie: value, after: after.call_no } });
    }
    const end = beyond && descending ? value : high;
    segments.push({
      kind: "range",
      low: beyond && !descending ? ">" : ">=",
      high: end === Number.POSITIVE_INFINITY ? null : beyond && descending ? "<" : "<=",
      values: { low: beyond && !descending ? value : low, high: end },
    });
  }
  if (NULLABLE.has(column) && !bounded) {
    if (after !== null && value === null) {
      segments.push({ kind: "nulls_after", low: ">=", high: "<=", values: { after: after.call_no } });
    } else segments.push({ kind: "nulls", low: ">=", high: "<=", values: {} });
  }
  return segments;
}

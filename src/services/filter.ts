/** Filters and sorts as query parameters say them -> CallFilter and Sort. Ranges and dates are checked here. */
import type { EnrichmentState, Outcome } from "../core/call.ts";
import { NEWEST_FIRST, SORT_FIELDS } from "../core/list.ts";
import type { CallFilter, Sort } from "../core/list.ts";
import { DAY_MS, parseDay, parseInstant } from "../core/time.ts";
import { type FieldError, invalid } from "../errors.ts";
import { isId } from "./accept.ts";

/** Types are checked already; dates are still text. */
export interface FilterInput {
  readonly agent_id?: string;
  readonly customer_id?: string;
  readonly language?: string;
  readonly outcome?: Outcome;
  readonly state?: EnrichmentState;
  readonly from_date?: string;
  readonly to_date?: string;
  readonly created_from?: string;
  readonly created_to?: string;
  readonly updated_since?: string;
  readonly min_sentiment?: number;
  readonly max_sentiment?: number;
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly min_talk_ratio?: number;
  readonly max_talk_ratio?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const RANGES = [
  ["from_date", "to_date"],
  ["created_from", "created_to"],
  ["min_sentiment", "max_sentiment"],
  ["min_duration", "max_duration"],
  ["min_talk_ratio", "max_talk_ratio"],
] as const;

/**
 * A bound is an RFC 3339 instant or a day (UTC); a day as upper bound means its last millisecond.
 * @throws AppError validation, naming every bad parameter as "?name"; of a reversed range the upper one
 */
export function readFilter(input: FilterInput): CallFilter {
  const errors: FieldError[] = [];
  const filter: Mutable<CallFilter> = {};
  for (const name of ["agent_id", "customer_id", "language"] as const) {
    const value = input[name];
    if (value === undefined) continue;
    if (isId(value)) filter[name] = name === "language" ? value.toLowerCase() : value;
    else
      errors.push({
        pointer: `?${name}`,
        message: "is no id",
        expected: "1 to 128 printable characters",
        received: value.slice(0, 60).toWellFormed(),
      });
  }
  for (const name of ["from_date", "to_date", "created_from", "created_to", "updated_since"] as const) {
    const value = input[name];
    if (value === undefined) continue;
    const at = readBound(value, name.endsWith("_to") || name === "to_date");
    if (at === null) errors.push(dateError(name, value));
    else filter[name] = at;
  }
  if (input.outcome !== undefined) filter.outcome = input.outcome;
  if (input.state !== undefined) filter.state = input.state;
  for (const [low, high] of RANGES.slice(2)) {
    for (const name of [low, high] as const) {
      const value = input[name as keyof FilterInput];
      if (typeof value === "number") Object.assign(filter, { [name]: value });
    }
  }
  for (const [low, high] of RANGES) {
    const [from, to] = [filter[low], filter[high]];
    if (from !== undefined && to !== undefined && from > to) {
      errors.push({
        pointer: `?${high}`,
        message: `is ${high.endsWith("_date") || high.endsWith("_to") ? "before" : "less than"} ${low}`,
        expected: `at least ${low} (${String(input[low])})`,
        received: String(input[high]),
      });
    }
  }
  if (errors.length > 0) throw invalid(errors);
  return filter;
}

function readBound(value: string, upper: boolean): number | null {
  const day = parseDay(value);
  if (day !== null) return upper ? day + DAY_MS - 1 : day;
  return parseInstant(value);
}

function dateError(name: string, value: string): FieldError {
  // A plus sign in a URL is a blank unless it is escaped.
  const hint = / \d\d:\d\d$/.test(value) ? "; write the + of an offset as %2B" : "";
  return {
    pointer: `?${name}`,
    message: `is no date${hint}`,
    expected: 'a day such as "2026-03-01" or RFC 3339 such as "2026-03-01T09:30:00Z"',
    received: value.slice(0, 60).toWellFormed(),
  };
}

/** `field` ascending or `-field` descending. @throws AppError validation on ?sort */
export function readSort(text: string | undefined): Sort {
  if (text === undefined) return NEWEST_FIRST;
  const descending = text.startsWith("-");
  const field = SORT_FIELDS.find((f) => f === (descending ? text.slice(1) : text));
  if (field !== undefined) return { field, descending };
  throw invalid([
    {
      pointer: "?sort",
      message: "is no order",
      expected: `one of ${SORT_FIELDS.join(", ")}, with - before it for descending`,
      received: text.slice(0, 60).toWellFormed(),
    },
  ]);
}

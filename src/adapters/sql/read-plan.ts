/** Which index a list walks, and whether it may run on the event loop. Indexes are named in the SQL, never guessed. */
import type { Column, Condition, Conditions } from "./read-conditions.ts";

/** `columns`: one equality (or none), then the order of the walk, then what else can be read without the table. */
export interface Index {
  /** null: the table itself, by call_no. */
  readonly name: string | null;
  readonly equals: "agent_id" | "customer_id" | null;
  readonly range: Column;
  readonly covers: readonly Column[];
  /** Entries with equal `range` lie in call_no order, so that a walk needs no sorting. */
  readonly ordered: boolean;
  /** It holds settled calls alone; the others are in FRESH_INDEX. */
  readonly settled: boolean;
}

/** The calls that have not settled, some thousand at most. */
export const FRESH_INDEX = "idx_call_records_fresh";

/** A call gets into these at once: all that come in together share a page of theirs. */
const APPENDED: ReadonlySet<Column> = new Set([
  "created_at",
  "updated_at",
  "customer_sentiment_score",
  "agent_talk_ratio",
]);

const index = (name: string, equals: Index["equals"], range: Column, covers: Column[] = [], ordered = true): Index => ({
  name: `idx_call_records_${name}`,
  equals,
  range,
  covers,
  ordered,
  settled: equals !== null || !APPENDED.has(range),
});

/** In order of preference: the narrower range first. */
const INDEXES: readonly Index[] = [
  index("customer", "customer_id", "start_time"),
  index("agent_start", "agent_id", "start_time", ["customer_sentiment_score"]),
  index("composite", "agent_id", "created_at", ["customer_sentiment_score"], false),
  index("start", null, "start_time", ["customer_sentiment_score"]),
  index("created_at", null, "created_at"),
  index("updated", null, "updated_at"),
  index("sentiment", null, "customer_sentiment_score"),
  index("duration", null, "duration_seconds"),
  index("talk_ratio", null, "agent_talk_ratio"),
];

export const TABLE: Index = { name: null, equals: null, range: "call_no", covers: [], ordered: true, settled: false };

/** The index that gives rows in the order of `column`, with the fewest entries to pass by. */
export function walkIndex(conditions: Conditions, column: Column): Index {
  const found = INDEXES.find(
    (i) =>
      i.ordered &&
      i.range === column &&
      (i.equals === null || conditions.list.some((c) => c.column === i.equals && c.op === "=")),
  );
  return found ?? TABLE;
}

/** The indexes that narrow the search at all, whatever the order. */
export function narrowing(conditions: Conditions): Index[] {
  return INDEXES.filter((i) => {
    const wanted = i.equals ?? i.range;
    return conditions.list.some((c) => c.column === wanted);
  });
}

/** What the index does not answer by where it starts and ends. */
export function residualOf(index: Index, conditions: Conditions): Condition[] {
  return conditions.list.filter((c) => c.column !== index.equals && c.column !== index.range);
}

/** An index that answers all conditions by one range, so that counting reads nothing in vain. */
export function countingIndex(conditions: Conditions): Index | null {
  // The narrowest of those that hold every call.
  if (conditions.list.length === 0) return INDEXES.find((i) => i.range === "created_at" && i.equals === null) ?? null;
  return narrowing(conditions).find((i) => residualOf(i, conditions).length === 0) ?? null;
}

/**
 * free: every entry passed by is a row of the answer. guarded: sentiment is checked inside one agent's index entries, a
 * run that is counted first. thread: anything else, and every team.
 */
export function placeOf(index: Index, conditions: Conditions): "free" | "guarded" | "thread" {
  if (conditions.list.some((c) => c.op === "team")) return "thread";
  const residual = residualOf(index, conditions);
  if (residual.length === 0) return "free";
  return index.equals === "agent_id" && residual.every((c) => index.covers.includes(c.column)) ? "guarded" : "thread";
}

/** Builds the SQL of a list shape (Kysely), once; what runs is the prepared statement. */
import { type RawBuilder, type SelectExpression, type SqlBool, sql } from "kysely";
import { type Dialect, SQLITE } from "./dialect.ts";
import type { Column, Condition, Segment } from "./read-conditions.ts";
import { FRESH_INDEX, type Index } from "./read-plan.ts";
import { ROW_COLUMNS } from "./read-row.ts";

/**
 * page: rows. boundary: [call_no, sort value] of the entry `offset` entries on. count: matching entries up to `limit`.
 * probe: 1 if there is an entry `offset` entries on. tally: all matching entries, for ranges a probe found short (a third
 * of the cost of `count` an entry). step_keys: [call_no, sort value] of those that pass `residual` among the next
 * `examined` entries. step_count: their number. numbers: call_no ascending.
 */
export type Kind = "page" | "boundary" | "count" | "probe" | "tally" | "step_keys" | "step_count" | "numbers";

export interface Shape {
  readonly kind: Kind;
  readonly index: Index;
  readonly column: Column;
  readonly descending: boolean;
  readonly segment: Segment;
  /** Conditions inside the range; those on `column` are left to the segment. */
  readonly inner: readonly Condition[];
  /** Conditions checked on the entries of the range (step_keys, step_count). */
  readonly residual: readonly Condition[];
}

export interface Compiled {
  readonly sql: string;
  /** The names of the values, in the order of the question marks. */
  readonly params: readonly string[];
}

/** What a shape selects from: call_records, called c. */
export interface Row {
  c: Record<(typeof ROW_COLUMNS)[number], string | number | null>;
}

const COUNT = sql<number>`count(*)`.as("n");

class Param {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
const value = <T>(name: string): RawBuilder<T> => sql<T>`${new Param(name)}`;

/** Two shapes with the same key have the same SQL. */
export function keyOf(shape: Shape): string {
  const { kind, index, column, descending, segment } = shape;
  let key = `${kind} ${index.name} ${column} ${descending} ${segment.kind}${segment.low}${segment.high}`;
  for (const c of shape.inner) key += ` ${c.param}`;
  if (shape.residual.length > 0) key += " |";
  for (const c of shape.residual) key += ` ${c.param}`;
  return key;
}

function check(c: Condition, from: "c" | "s" = "c"): RawBuilder<SqlBool> {
  const column = sql.ref(`${from}.${c.column}`);
  if (c.op === "team") return sql`${column} in (select agent_id from agents where team = ${value(c.param)})`;
  return sql`${column} ${sql.raw(c.op)} ${value(c.param)}`;
}

function within({ segment, column, descending }: Shape): RawBuilder<SqlBool>[] {
  const sorted = sql.ref(`c.${column}`);
  const later = descending ? sql`<` : sql`>`;
  const rest = sql<SqlBool>`c.call_no ${later} ${value("after")}`;
  if (segment.kind === "tie") return [sql`${sorted} = ${value("tie")}`, rest];
  if (segment.kind === "nulls") return [sql`${sorted} is null`];
  if (segment.kind === "nulls_after") return [sql`${sorted} is null`, rest];
  const start = sql<SqlBool>`${sorted} ${sql.raw(segment.low)} ${value("low")}`;
  return segment.high === null ? [start] : [start, sql`${sorted} ${sql.raw(segment.high)} ${value("high")}`];
}

function finish(query: { compile(): { sql: string; parameters: readonly unknown[] } }): Compiled {
  const { sql, parameters } = query.compile();
  return { sql, params: parameters.map((p) => (p as Param).name) };
}

type Selected = SelectExpression<Row, "c">;

/** Where the entries of a walk lie. */
type Source = "all" | "settled" | "fresh";

/** The index alone; beside it what has not settled yet, unless there is no such call. Only SQLite's calls settle later. */
function sourcesOf({ index }: Shape, fresh: boolean | null): readonly [Source, ...Source[]] {
  if (!index.settled || fresh === null) return ["all"];
  return fresh ? ["settled", "fresh"] : ["settled"];
}

/** The entries of one source that lie in the range of the shape. */
function rangeIn({ builder, table }: Dialect, shape: Shape, source: Source) {
  const name = source === "fresh" ? FRESH_INDEX : shape.index.name;
  let range = builder.selectFrom(sql<Row["c"]>`call_records`.as<"c">(table(name)));
  // Said as the index says it, or it is not used.
  if (source !== "all") range = range.where(sql<SqlBool>`c.settled = ${sql.lit(source === "settled" ? 1 : 0)}`);
  for (const c of shape.inner) if (c.column !== shape.column) range = range.where(check(c));
  for (const part of within(shape)) range = range.where(part);
  return range;
}

/**
 * The SQL of a shape and the order of its values. With `fresh` the calls that have not settled are merged in: SQLite walks
 * the index as far as it must, and sorts the few that are fresh. null: no call settles later.
 */
export function compile(shape: Shape, fresh: boolean | null, dialect: Dialect = SQLITE): Compiled {
  const { builder } = dialect;
  const { kind, column, descending, residual } = shape;
  const direction = descending ? "desc" : "asc";
  const [first, ...others] = sourcesOf(shape, fresh);
  const limit = value<number>("limit");
  const examined = value<number>("examined");
  const none = sql.lit(1).as("one");
  const keys = [sql.ref<number>("c.call_no").as("call_no"), sql.ref<number | null>(`c.${column}`).as("v")] as const;
  const columns = [...new Set(residual.map((c) => c.column))].map((c) => sql.ref(`c.${c}`).as(c));
  const all = residual.map((c) => check(c, "s"));

  const select = (list: readonly Selected[]) => {
    let query = rangeIn(dialect, shape, first).select(list);
    for (const source of others) query = query.unionAll(rangeIn(dialect, shape, source).select(list));
    return query;
  };
  /** `sorted`: what the sort column is called in `list`. */
  const ordered = (list: readonly Selected[], sorted: string) => {
    const query = select(list).orderBy(sql.ref(sorted), direction);
    return column === "call_no" ? query : query.orderBy(sql.ref("call_no"), direction);
  };

  /** The next `examined` entries, those that pass `residual`. */
  const step = () => {
    let passing = builder.selectFrom(
      ordered([...keys, ...columns], "v")
        .limit(examined)
        .as("s"),
    );
    for (const part of all) passing = passing.where(part);
    return passing;
  };

  const statements: Record<Kind, () => Compiled> = {
    page: () => finish(ordered(ROW_COLUMNS, column).limit(limit).offset(value<number>("offset"))),
    boundary: () => finish(ordered(keys, "v").limit(sql.lit(1)).offset(value<number>("offset"))),
    numbers: () => finish(select(["c.call_no"]).orderBy(sql.ref("call_no")).limit(limit)),
    count: () => finish(builder.selectFrom(select([none]).limit(limit).as("s")).select(COUNT)),
    probe: () => finish(select([none]).limit(sql.lit(1)).offset(value<number>("offset"))),
    tally: () => {
      if (others.length === 0) return finish(rangeIn(dialect, shape, first).select(COUNT));
      const counts = [first, ...others].map((source) => rangeIn(dialect, shape, source).select(COUNT));
      const sum = sql.join(counts, sql` + `);
      return finish(builder.selectNoFrom(sql<number>`${sum}`.as("n")));
    },
    step_count: () => finish(step().select(COUNT)),
    step_keys: () => {
      const found = step().select(["s.call_no", "s.v"]);
      return finish(found.orderBy("s.v", direction).orderBy("s.call_no", direction).limit(limit));
    },
  };
  return statements[kind]();
}

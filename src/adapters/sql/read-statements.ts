/** Prepared statements of one connection, by shape. */
import type { Statement } from "better-sqlite3";
import type { CallRow } from "../../core/call.ts";
import type { Keyset, SortField } from "../../core/list.ts";
import type { Connection } from "./connection.ts";
import type { Conditions, Value } from "./read-conditions.ts";
import { FRESH_INDEX } from "./read-plan.ts";
import { type RawRow, ROW_COLUMNS, rowOf } from "./read-row.ts";
import { type SearchWords, searchWordsOf } from "./search-words.ts";
import { compile, keyOf, type Kind, type Shape } from "./read-sql.ts";

/** Shapes are few in practice; a client that tries every combination must not fill the memory. */
const CACHE_LIMIT = 1_000;

const PAIRS: ReadonlySet<Kind> = new Set(["page", "boundary", "step_keys"]);

interface Prepared {
  readonly statement: Statement;
  readonly params: readonly string[];
}

/** [call_no, sort value]. */
export type Pair = readonly [number, number | null];

export class Statements {
  readonly #db: Connection;
  readonly #byKey = new Map<string, Prepared>();
  readonly #row: Statement<[number], RawRow>;
  readonly #fresh: Statement<[], number>;
  #merges = true;
  #words: SearchWords | null = null;

  constructor(db: Connection) {
    this.#db = db;
    this.#row = db
      .prepare<[number], RawRow>(`SELECT ${ROW_COLUMNS.join(", ")} FROM call_records WHERE call_no = ?`)
      .raw();
    this.#fresh = db
      .prepare<[], number>(`SELECT 1 FROM call_records INDEXED BY ${FRESH_INDEX} WHERE settled = 0 LIMIT 1`)
      .pluck();
  }

  get db(): Connection {
    return this.#db;
  }

  get words(): SearchWords {
    this.#words ??= searchWordsOf(this.#db);
    return this.#words;
  }

  /**
   * Before each question: whether there are fresh calls to be merged in. Mostly there are none; one that comes in later
   * came after the question.
   */
  look(): void {
    this.#merges = this.#fresh.get() !== undefined;
  }

  #prepare(shape: Shape): Prepared {
    const fresh = shape.index.settled && this.#merges;
    const key = fresh ? `${keyOf(shape)} fresh` : keyOf(shape);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { sql, params } = compile(shape, fresh);
    const statement = this.#db.prepare(sql);
    if (PAIRS.has(shape.kind)) statement.raw();
    else statement.pluck();
    if (this.#byKey.size >= CACHE_LIMIT) this.#byKey.clear();
    const prepared = { statement, params };
    this.#byKey.set(key, prepared);
    return prepared;
  }

  #bind(shape: Shape, params: readonly string[], conditions: Conditions, more: Record<string, number>): Value[] {
    const ranges = shape.segment.values;
    return params.map((p) => {
      const value = more[p] ?? ranges[p] ?? conditions.values[p];
      if (value === undefined) throw new Error(`no value for ${p}`);
      return value;
    });
  }

  #all(shape: Shape, conditions: Conditions, more: Record<string, number>): unknown[] {
    const { statement, params } = this.#prepare(shape);
    return statement.all(...this.#bind(shape, params, conditions, more));
  }

  /** The rows of a page. */
  rows(shape: Shape, conditions: Conditions, more: { limit: number; offset: number }): CallRow[] {
    return (this.#all(shape, conditions, more) as RawRow[]).map(rowOf);
  }

  /** Positions: step_keys, boundary. */
  pairs(shape: Shape, conditions: Conditions, more: Record<string, number>): Pair[] {
    return this.#all(shape, conditions, more) as Pair[];
  }

  /** Call numbers (numbers), or the one number of a count. */
  numbers(shape: Shape, conditions: Conditions, more: Record<string, number>): number[] {
    return this.#all(shape, conditions, more) as number[];
  }

  /** The number a count, tally or step_count says. */
  count(shape: Shape, conditions: Conditions, more: Record<string, number>): number {
    return this.numbers(shape, conditions, more)[0] ?? 0;
  }

  /** Matching entries of an exact index range, at most `limit`: short ranges are counted whole. */
  countUpTo(shape: Shape, conditions: Conditions, limit: number): number {
    if (this.reaches(shape, conditions, limit)) return limit;
    return this.count({ ...shape, kind: "tally" }, conditions, {});
  }

  /** True if the range has `n` entries. */
  reaches(shape: Shape, conditions: Conditions, n: number): boolean {
    return this.numbers({ ...shape, kind: "probe" }, conditions, { offset: n - 1 }).length > 0;
  }

  row(call_no: number): CallRow | undefined {
    const found = this.#row.get(call_no);
    return found === undefined ? undefined : rowOf(found);
  }

  /** The plan of a shape, as SQLite words it, while there are fresh calls or none. */
  plan(shape: Shape, fresh: boolean): string[] {
    const { sql, params } = compile(shape, fresh);
    const rows = this.#db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params.map(() => 1)) as { detail: string }[];
    return rows.map((r) => r.detail);
  }
}

/** The position of a row in a sorted list. */
export function positionOf(row: CallRow, field: SortField): Keyset {
  return { value: row[field], call_no: row.call_no };
}

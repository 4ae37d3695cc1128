/** List shapes (../read-sql.ts) as questions to one transaction. */
import type { CallRow } from "../../../core/call.ts";
import { POSTGRES } from "../dialect.ts";
import type { Conditions, Value } from "../read-conditions.ts";
import { compile, type Compiled, keyOf, type Shape } from "../read-sql.ts";
import type { Pair } from "../read-statements.ts";
import type { Transaction } from "./database.ts";

/** Shapes are few in practice; a client that tries every combination must not fill the memory. */
const CACHE_LIMIT = 1_000;
const compiled = new Map<string, Compiled>();

function compiledOf(shape: Shape): Compiled {
  const key = keyOf(shape);
  let known = compiled.get(key);
  if (!known) {
    known = compile(shape, null, POSTGRES);
    if (compiled.size >= CACHE_LIMIT) compiled.clear();
    compiled.set(key, known);
  }
  return known;
}

/** Columns that hold whole numbers, which PostgreSQL does not compare with broken or infinite ones in an index. */
const WHOLE: ReadonlySet<string> = new Set(["start_time", "created_at", "updated_at", "call_no"]);
const LARGEST = Number.MAX_SAFE_INTEGER;

/** The whole number that gives the same answer: x > 0.5 is x > 0, x >= 0.5 is x >= 1. */
function whole(value: number, op: string): number {
  const up = op === ">=" || op === "<";
  return Math.min(LARGEST, Math.max(-LARGEST, up ? Math.ceil(value) : Math.floor(value)));
}

/** Values by name, as the columns they are compared with can be. Null where nothing is equal to one of them. */
function valuesOf(shape: Shape, conditions: Conditions, more: Record<string, number>): Record<string, Value> | null {
  const { segment, column } = shape;
  const values: Record<string, Value> = { ...conditions.values, ...segment.values, ...more };
  for (const { column, op, param } of [...shape.inner, ...shape.residual]) {
    const value = values[param];
    if (WHOLE.has(column) && typeof value === "number") values[param] = whole(value, op);
  }
  if (values["after"] !== undefined) values["after"] = whole(Number(values["after"]), shape.descending ? "<" : ">");
  if (!WHOLE.has(column)) return values;
  const { low, high, tie } = segment.values;
  if (tie !== undefined && tie !== whole(tie, ">=")) return null;
  if (low !== undefined) values["low"] = whole(low, segment.low);
  if (high !== undefined) values["high"] = whole(high, segment.high ?? "<=");
  return values;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what the shape selects
async function ask<R>(
  tx: Transaction,
  shape: Shape,
  conditions: Conditions,
  more: Record<string, number>,
): Promise<R[]> {
  const values = valuesOf(shape, conditions, more);
  if (values === null) return [];
  const { sql, params } = compiledOf(shape);
  const given = params.map((name): Value => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${name}`);
    return value;
  });
  return tx.all<R>(sql, ...given);
}

/** The rows of a page. */
export function rows(tx: Transaction, shape: Shape, conditions: Conditions, more: { limit: number; offset: number }) {
  return ask<CallRow>(tx, shape, conditions, more);
}

/** Positions: step_keys, boundary. */
export async function pairs(
  tx: Transaction,
  shape: Shape,
  conditions: Conditions,
  more: Record<string, number>,
): Promise<Pair[]> {
  const found = await ask<{ call_no: number; v: number | null }>(tx, shape, conditions, more);
  return found.map(({ call_no, v }) => [call_no, v]);
}

/** Call numbers, ascending (numbers). */
export async function numbers(tx: Transaction, shape: Shape, conditions: Conditions, limit: number): Promise<number[]> {
  const found = await ask<{ call_no: number }>(tx, shape, conditions, { limit });
  return found.map(({ call_no }) => call_no);
}

/** Matching entries, at most `limit` (count). */
export async function count(tx: Transaction, shape: Shape, conditions: Conditions, limit: number): Promise<number> {
  const found = await ask<{ n: number }>(tx, shape, conditions, { limit });
  return found[0]?.n ?? 0;
}

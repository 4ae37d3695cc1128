/** Rows of call_records by key, as far as the asker may see them. */
import type { CallRow, Scope } from "../../../core/call.ts";
import { ROW_COLUMNS } from "../read-row.ts";
import type { Value } from "./database.ts";
import type { Asker } from "./replicas.ts";

export const COLUMNS = ROW_COLUMNS.map((column) => `c.${column}`).join(", ");

/** A condition on c, with $n as its value. */
export function inScope(scope: Scope, n: number): { sql: string; values: Value[] } {
  switch (scope.kind) {
    case "all":
      return { sql: "", values: [] };
    case "agent":
      return { sql: ` AND c.agent_id = $${n}`, values: [scope.agent_id] };
    case "team":
      return { sql: ` AND c.agent_id IN (SELECT agent_id FROM agents WHERE team = $${n})`, values: [scope.team] };
  }
}

/** In the order asked, unknown and out-of-scope ones left out. */
export async function rowsByNumber(db: Asker, call_nos: readonly number[], scope: Scope): Promise<CallRow[]> {
  if (call_nos.length === 0) return [];
  const { sql, values } = inScope(scope, 2);
  const text = `SELECT ${COLUMNS} FROM call_records AS c WHERE c.call_no = ANY($1::bigint[])${sql}`;
  return inOrder(call_nos, await db.all<CallRow>(text, call_nos, ...values));
}

/** What was found for each number, in the order of the numbers. */
export function inOrder<T extends { readonly call_no: number }>(call_nos: readonly number[], found: readonly T[]): T[] {
  const byNumber = new Map(found.map((row) => [row.call_no, row]));
  return call_nos.flatMap((call_no) => byNumber.get(call_no) ?? []);
}

/** Full text over turns. */
import type { CallReads, TextHit } from "../../../ports/calls.ts";
import { type Condition, conditionsOf } from "../read-conditions.ts";
import type { SearchWords } from "../search-words.ts";
import type { Value } from "./database.ts";
import { isOverdue, overdue } from "./fault.ts";
import { queryText } from "./full-text.ts";
import type { Partitions } from "./partitions.ts";
import type { Asker } from "./replicas.ts";

interface Deps {
  readonly db: Asker;
  readonly words: SearchWords;
  readonly partitions: Partitions;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Best first; ties: the newer call, then the earlier turn. */
function better(a: TextHit, b: TextHit): number {
  return b.score - a.score || b.call_no - a.call_no || a.turn_index - b.turn_index;
}

function check({ column, op }: Condition, n: number): string {
  if (op === "team") return `c.${column} IN (SELECT agent_id FROM agents WHERE team = $${n})`;
  return `c.${column} ${op} $${n}`;
}

/**
 * The best turns by ts_rank, longer turns counting for less. All months at once; where that takes too long, months from the
 * newest on, twice as many at each step, and the best of those that were looked at in the time.
 */
export async function keywordSearch(
  { db, words, partitions }: Deps,
  query: Parameters<CallReads["keyword"]>[0],
  patience_ms: number,
): Promise<TextHit[]> {
  const conditions = conditionsOf(query.scope, query.filter);
  const asked = queryText(words, query.text);
  if (conditions === null || asked === null || query.limit <= 0) return [];
  const values: Value[] = [asked, query.limit];
  const checks = conditions.list.map((condition) =>
    check(condition, values.push(conditions.values[condition.param] as Value)),
  );
  const search = (within: Window | null, ms: number): Promise<TextHit[]> => {
    const months = within ? [`t.created_at >= ${within.from}`, `t.created_at < ${within.to}`] : [];
    const where = ["t.words @@ $1::tsquery", ...months, ...checks].join(" AND ");
    const sql = `SELECT t.call_no, t.turn_index, ts_rank(t.words, $1::tsquery, 1) AS score
      FROM turn_search AS t JOIN call_records AS c ON c.call_no = t.call_no
      WHERE ${where} ORDER BY score DESC, t.call_no DESC, t.turn_index LIMIT $2`;
    return db.reading(ms, (tx) => tx.all<TextHit>(sql, ...values));
  };
  try {
    return await search(null, patience_ms / 2);
  } catch (cause) {
    if (!isOverdue(cause)) throw cause;
  }
  const end = performance.now() + patience_ms / 2;
  const found: TextHit[] = [];
  let looked = 0;
  for (const window of windows(await partitions.list())) {
    try {
      found.push(...(await search(window, end - performance.now())));
      looked++;
    } catch (cause) {
      if (!isOverdue(cause)) throw cause;
      break;
    }
    if (performance.now() >= end) break;
  }
  // Nothing found in no time at all is not the same as nothing there.
  if (looked === 0) throw overdue();
  return found.toSorted(better).slice(0, query.limit);
}

/** The newest month, the two before it, the four before those, … */
function windows(months: readonly Window[]): Window[] {
  const made: Window[] = [];
  for (let end = months.length, size = 1; end > 0; end -= size / 2) {
    const some = months.slice(Math.max(0, end - size), end);
    made.push({ from: (some[0] as Window).from, to: (some.at(-1) as Window).to });
    size *= 2;
  }
  return made;
}

/** Full text over turns, in a reader thread. */
import { type Part, partTable } from "./full-text-parts.ts";
import { keywordScale } from "./keyword-scale.ts";
import { conditionsOf } from "./read-conditions.ts";
import { TABLE } from "./read-plan.ts";
import type { Shape } from "./read-sql.ts";
import type { Statements } from "./read-statements.ts";
import { fewNumbers, type WalkLimits } from "./read-walk.ts";
import { PARTS, TURNS } from "./statements.ts";
import type { CallReads, TextHit } from "../../ports/calls.ts";

/** Matches between two looks at the clock. */
const LOOK_EVERY = 256;

/** Best first; ties: the newer call, then the earlier turn. */
function better(a: TextHit, b: TextHit): number {
  return b.score - a.score || b.call_no - a.call_no || a.turn_index - b.turn_index;
}

/** The best `limit` of what is added, kept by halving whenever twice as many have come. */
function best(limit: number) {
  let kept: TextHit[] = [];
  let worst = Number.NEGATIVE_INFINITY;
  const shrink = () => {
    kept = kept.toSorted(better).slice(0, limit);
    if (kept.length === limit) worst = (kept.at(-1) as TextHit).score;
  };
  return {
    wants: (score: number) => score > worst || (score === worst && kept.length > 0),
    add(hit: TextHit) {
      kept.push(hit);
      if (kept.length >= 2 * limit) shrink();
    },
    list() {
      shrink();
      return kept;
    },
  };
}

/**
 * The best turns by bm25, newest calls looked at first. When the time runs out: the best of what was seen. Filters are
 * checked only for turns good enough to be in the answer.
 */
export function keywordSearch(
  statements: Statements,
  query: Parameters<CallReads["keyword"]>[0],
  limits: WalkLimits,
  now: () => number,
): TextHit[] {
  const conditions = conditionsOf(query.scope, query.filter);
  const phrases = statements.words.quoted(query.text);
  if (conditions === null || phrases.length === 0 || query.limit <= 0) return [];
  const end = now() + limits.deadline_ms;
  const shape: Shape = {
    kind: "numbers",
    index: TABLE,
    column: "call_no",
    descending: false,
    segment: { kind: "range", low: ">=", high: "<=", values: {} },
    inner: conditions.list,
    residual: [],
  };
  const few = fewNumbers(statements, conditions, limits);
  const verdicts = new Map<number, boolean>();
  const passes = (call_no: number, hasGone: boolean): boolean => {
    if (conditions.list.length === 0 && !hasGone) return true;
    if (few !== null) return few.has(call_no);
    let verdict = verdicts.get(call_no);
    if (verdict === undefined) {
      verdict = statements.numbers(shape, conditions, { low: call_no, high: call_no, limit: 1 }).length > 0;
      verdicts.set(call_no, verdict);
    }
    return verdict;
  };
  const hits = best(query.limit);
  let seen = 0;
  const look = ({ from_call_no, has_gone }: Part, scaleOf: (from: number) => number): void => {
    const table = partTable(from_call_no);
    const rows = statements.db
      .prepare<[string], [number, number]>(
        `SELECT rowid, bm25(${table}) FROM ${table} WHERE ${table} MATCH ? ORDER BY rowid DESC`,
      )
      .raw()
      .iterate(phrases.join(" "));
    let scale: number | null = null;
    for (const [rowid, rank] of rows) {
      if (++seen % LOOK_EVERY === 0 && now() >= end) break;
      scale ??= scaleOf(from_call_no);
      const score = -rank * scale;
      if (!hits.wants(score)) continue;
      const call_no = Math.floor(rowid / TURNS);
      if (passes(call_no, has_gone === 1)) hits.add({ call_no, turn_index: rowid % TURNS, score });
    }
  };
  // One view of the file: a part that is dropped meanwhile is still there.
  statements.db.transaction(() => {
    const parts = statements.db.prepare<[], Part>(PARTS.asked).all();
    const scaleOf = keywordScale(statements.db, parts, phrases);
    for (const part of parts) {
      look(part, scaleOf);
      if (now() >= end) break;
    }
  })();
  return hits.list();
}

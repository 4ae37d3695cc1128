/**
 * One scale for the scores of all parts of the full text. FTS5 weighs a word by how rare it is in its own table
 * (idf = ln((N - n + 0.5) / (n + 0.5)), N turns, n with the word). Of a large part that is as true as of the whole: a word
 * in 100 turns of half a million weighs within a tenth of what it weighs in all. In a part that has just begun, whatever is
 * found seems common, and would come last. So scores of a small part are multiplied by what the words weigh in the newest
 * half a million turns, over what they weigh in the part. For one word, and where a turn has each word as often as the
 * other, this is bm25 with those weights; else nearly so. Lengths are compared with the mean of the part.
 */
import { type Part, partTable } from "./full-text-parts.ts";
import type { Connection } from "./connection.ts";

/** Turns in which words weigh what they weigh in all. */
const ENOUGH_TURNS = 500_000;
/** What FTS5 gives a word that more than half of all turns have. */
const LEAST_WEIGHT = 1e-6;

interface Counts {
  readonly turns: number;
  /** Turns with each phrase. */
  readonly having: readonly number[];
}

/** What scores of each part are multiplied by. `parts`: newest first; phrases as FTS5 takes them. Counts when first asked. */
export function keywordScale(
  db: Connection,
  parts: readonly Pick<Part, "from_call_no">[],
  phrases: readonly string[],
): (from_call_no: number) => number {
  const turns = new Map<number, number>();
  const turnsOf = (from: number): number => {
    const n = turns.get(from) ?? countTurns(db, partTable(from));
    turns.set(from, n);
    return n;
  };
  const countsOf = (from: number): Counts => ({
    turns: turnsOf(from),
    having: phrases.map((phrase) => countHaving(db, partTable(from), phrase)),
  });
  const newest = (): Counts => {
    let sum: Counts = { turns: 0, having: phrases.map(() => 0) };
    for (const { from_call_no } of parts) {
      const more = countsOf(from_call_no);
      sum = { turns: sum.turns + more.turns, having: sum.having.map((n, i) => n + (more.having[i] ?? 0)) };
      if (sum.turns >= ENOUGH_TURNS) break;
    }
    return sum;
  };
  let inNewest: number | null = null;
  return (from) => {
    if (parts.length === 1 || turnsOf(from) >= ENOUGH_TURNS) return 1;
    inNewest ??= weightOf(newest());
    return inNewest / weightOf(countsOf(from));
  };
}

function weightOf({ turns, having }: Counts): number {
  const weights = having.map((n) => Math.max(LEAST_WEIGHT, Math.log((turns - n + 0.5) / (n + 0.5))));
  return weights.reduce((sum, weight) => sum + weight, 0);
}

function countHaving(db: Connection, table: string, phrase: string): number {
  return db.prepare<[string], number>(`SELECT count(*) FROM ${table} WHERE ${table} MATCH ?`).pluck().get(phrase) ?? 0;
}

/** Turns in a table: the first number of the record that FTS5 keeps its totals in, seven bits a byte, highest first. */
function countTurns(db: Connection, table: string): number {
  const totals = db.prepare<[], Buffer>(`SELECT block FROM ${table}_data WHERE id = 1`).pluck().get();
  let n = 0;
  for (const byte of totals ?? []) {
    n = n * 128 + (byte & 127);
    if (byte < 128) break;
  }
  return n;
}

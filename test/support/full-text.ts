/** The full text of an SQLite file, all its parts together. */
import type { Connection } from "../../src/adapters/sql/connection.ts";
import { partTable } from "../../src/adapters/sql/full-text-parts.ts";
import { searchWordsOf } from "../../src/adapters/sql/search-words.ts";

interface PartRow {
  readonly from_call_no: number;
  readonly has_gone: number;
  readonly leaving: number;
}

/** Oldest first, those that are being emptied too. */
export function partsOf(db: Connection): PartRow[] {
  return db
    .prepare<[], PartRow>("SELECT from_call_no, has_gone, leaving FROM full_text_parts ORDER BY from_call_no")
    .all();
}

/** Turns that the index holds with the words, those of calls that are gone too. */
export function indexedTurns(db: Connection, words: string): number {
  const count = (table: string): number =>
    db
      .prepare<[string | null], number>(`SELECT count(*) FROM ${table} WHERE ${table} MATCH ?`)
      .pluck()
      .get(searchWordsOf(db).query(words)) ?? 0;
  return partsOf(db).reduce((sum, { from_call_no }) => sum + count(partTable(from_call_no)), 0);
}

/** Throws unless each part holds exactly the turns of its calls; of a part that keeps words of gone calls: is sound. */
export function checkFullText(db: Connection): void {
  for (const { from_call_no, has_gone, leaving } of partsOf(db)) {
    const table = partTable(from_call_no);
    const withTexts = has_gone === 0 && leaving === 0 ? 1 : 0;
    db.exec(`INSERT INTO ${table} (${table}, rank) VALUES ('integrity-check', ${withTexts})`);
  }
}

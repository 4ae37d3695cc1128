/** The rows of a part as the source holds them, in the columns of tables.ts. */
import type { Insights, Turn } from "../../../core/call.ts";
import { documentText } from "../../../core/call-document.ts";
import type { MovePart } from "../../../ports/move.ts";
import { isDocument, packDocument, unpack, unpackWords } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { placesOf } from "../postgres/full-text.ts";
import type { SearchWords } from "../search-words.ts";
import type { MovedValue, Words } from "./encode.ts";
import { KEY_COLUMN, MOVED, type MovedTable } from "./tables.ts";

type MovedRow = readonly MovedValue[];
export type PutRow = (table: MovedTable, row: MovedRow) => void;

/** Grains there have ever been: with them named, the rows of a bucket are found by the key of the table. */
const GRAINS = "(0, 1, 2, 3, 4)";

/** Tells `put` of every row of a part, table by table. Read in one transaction by the caller. */
export function readPart(db: Connection, words: SearchWords, part: MovePart, put: PutRow): void {
  if (part.kind === "calls") return readCalls(db, words, part, put);
  for (const table of MOVED[part.kind]) {
    const statement = db.prepare(`SELECT ${names(table)} FROM ${table.name} ${conditionOf(part)}`).raw();
    // The sums of a long time pass 2^53.
    if (part.kind === "rollups") statement.safeIntegers();
    const bounds = KEY_COLUMN[part.kind] === null ? [] : [part.from, part.to];
    for (const row of statement.iterate(...bounds)) put(table, movedRow(table, row as MovedValue[]));
  }
}

function names({ columns }: MovedTable): string {
  return columns.map(([name]) => name).join(", ");
}

function conditionOf({ kind }: MovePart): string {
  const key = KEY_COLUMN[kind];
  if (key === null) return "";
  // What is older than the served sums is being swept away.
  const some =
    kind === "rollups"
      ? `generation IN ((SELECT serving FROM rollup_state), (SELECT serving + 1 FROM rollup_state)) AND grain IN ${GRAINS} AND `
      : "";
  return `WHERE ${some}${key} > ? AND ${key} <= ?`;
}

/** Numbers of 32 bits come as bigint where those of 64 do. Texts of live turns are bytes there. */
function movedRow({ columns }: MovedTable, row: readonly MovedValue[]): MovedRow {
  return row.map((value, i) => {
    const type = columns[i]?.[1];
    if (type === "int4" && typeof value === "bigint") return Number(value);
    return type === "bytea" && typeof value === "string" ? Buffer.from(value, "utf8") : value;
  });
}

interface CallRow {
  readonly created_at: number;
  readonly in_full_text: boolean;
}

function readCalls(db: Connection, words: SearchWords, { from, to }: MovePart, put: PutRow): void {
  const [records, texts, turnSearch, vectors, codes, segments, insights, work] = MOVED.calls as readonly [
    MovedTable,
    MovedTable,
    MovedTable,
    MovedTable,
    MovedTable,
    MovedTable,
    MovedTable,
    MovedTable,
  ];
  const rows = (sql: string): IterableIterator<MovedValue[]> =>
    db
      .prepare(`${sql} WHERE call_no > ? AND call_no <= ? ORDER BY call_no`)
      .raw()
      .iterate(from, to) as IterableIterator<MovedValue[]>;
  const calls = new Map<number, CallRow>();
  for (const row of rows(`SELECT ${names(records)} FROM call_records`)) {
    // While a purge takes turns out it counts them: there, they are in until the call is gone.
    const in_full_text = (row.at(-1) as number) > 0;
    row[row.length - 1] = in_full_text;
    calls.set(row[0] as number, { created_at: row[6] as number, in_full_text });
    put(records, row);
  }
  const call = (call_no: MovedValue | undefined): CallRow => calls.get(call_no as number) as CallRow;
  const apart = new Map<number, Uint8Array>();
  for (const [call_no, body, contribution] of rows("SELECT call_no, body, contribution FROM call_insights")) {
    if ((body as Uint8Array).byteLength > 0) apart.set(call_no as number, body as Uint8Array);
    put(insights, [call_no ?? null, contribution ?? null]);
  }
  for (const [call_no, stored] of rows("SELECT call_no, body FROM call_texts")) {
    const { created_at, in_full_text } = call(call_no);
    const { body, turns } = textOf(stored as Uint8Array, apart.get(call_no as number), in_full_text);
    put(texts, [call_no as number, created_at, body]);
    for (const [i, turn] of turns.entries()) {
      put(turnSearch, [call_no as number, created_at, i, wordsOf(words, turn.text)]);
    }
  }
  // created_at, which says in which month a row lies, stands behind call_no.
  for (const table of [vectors, codes, segments]) {
    const own = names(table).replace("created_at, ", "");
    for (const [call_no, ...others] of rows(`SELECT ${own} FROM ${table.name}`)) {
      put(table, [call_no as number, call(call_no).created_at, ...others]);
    }
  }
  for (const row of rows(`SELECT ${names(work)} FROM work`)) put(work, row);
}

/** The text as it is to be stored, and the turns that are in the full text. Insights that were stored apart go into it. */
function textOf(
  stored: Uint8Array,
  apart: Uint8Array | undefined,
  in_full_text: boolean,
): { body: Uint8Array; turns: readonly Turn[] } {
  if (apart === undefined && !in_full_text) return { body: stored, turns: [] };
  const { turns } = unpackWords(stored);
  const body =
    apart === undefined || isDocument(stored)
      ? stored
      : packDocument(documentText({ turns, insights: JSON.parse(unpack(apart)) as Insights }, true));
  return { body, turns: in_full_text ? turns : [] };
}

function wordsOf(words: SearchWords, text: string): Words {
  // All hashes are of one length, so that this is the order that a tsvector has.
  return [...placesOf(words, text)].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

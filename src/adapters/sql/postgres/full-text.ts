/**
 * Words of turns as tsvector: each lexeme is the keyed hash of a stem, with its places in the turn (docs/adr/0006). They
 * are made with the enrichment, as on SQLite, and are simply rows here, which go with their call.
 */
import type { Turn } from "../../../core/call.ts";
import type { SearchWords } from "../search-words.ts";
import type { Write } from "./write.ts";

/** A tsvector keeps no place beyond this one, and so many of one word. */
const LAST_PLACE = 16_383;
const PLACES = 255;

const ADD = `INSERT INTO turn_search (call_no, created_at, turn_index, words)
  SELECT call_no, created_at, turn_index, words::tsvector
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[]) AS t(call_no, created_at, turn_index, words)`;

export interface IndexedCall {
  readonly call_no: number;
  readonly created_at: number;
  readonly turns: readonly Turn[];
}

/** The hashes of a turn, each with its places, as a tsvector keeps them. */
export function placesOf(words: SearchWords, text: string): Map<string, number[]> {
  const places = new Map<string, number[]>();
  const hashes = words.indexed(text);
  if (hashes === "") return places;
  for (const [i, hash] of hashes.split(" ").entries()) {
    const known = places.get(hash);
    const place = Math.min(i + 1, LAST_PLACE);
    if (!known) places.set(hash, [place]);
    else if (known.length < PLACES && known.at(-1) !== place) known.push(place);
  }
  return places;
}

/** The text of a tsvector. A hash holds no quote and no backslash: it is four characters from U+0400 on. */
export function vectorText(words: SearchWords, text: string): string {
  return [...placesOf(words, text)].map(([hash, at]) => `'${hash}':${at.join(",")}`).join(" ");
}

/** User text as a tsquery: every word required, what stands together one after the other; null without a word. */
export function queryText(words: SearchWords, text: string): string | null {
  const phrases = words.phrases(text).map((phrase) =>
    phrase
      .split(" ")
      .map((hash) => `'${hash}'`)
      .join(" <-> "),
  );
  return phrases.length === 0 ? null : phrases.map((phrase) => `(${phrase})`).join(" & ");
}

/** Puts the turns of calls into the full text. */
export async function indexTurns(write: Write, calls: readonly IndexedCall[]): Promise<void> {
  const rows = calls.flatMap(({ call_no, created_at, turns }) =>
    turns.map((turn, i) => ({ call_no, created_at, i, words: vectorText(write.words, turn.text) })),
  );
  if (rows.length === 0) return;
  await write.run(
    ADD,
    rows.map((r) => r.call_no),
    rows.map((r) => r.created_at),
    rows.map((r) => r.i),
    rows.map((r) => r.words),
  );
}

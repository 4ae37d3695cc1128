/**
 * What the full-text index holds instead of words. FTS5 keeps prefixes of erased words in the separators of its
 * b-trees until the whole index is rewritten, which takes hours on a large one. So it never gets a word: a turn is
 * indexed as the keyed hashes of its stems, and erasing the turn leaves nothing of its words behind.
 */
import { createHmac } from "node:crypto";
import { stemmer } from "stemmer";
import type { Connection } from "./connection.ts";

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
/** More words than a sentence has say nothing more and cost a posting list each. */
const MAX_WORDS = 32;
/** Words whose hashes are remembered: speech has few, and hashing one anew takes microseconds. */
const REMEMBERED = 50_000;
/**
 * A hash is four characters of ten bits from here on: all bytes of their UTF-8 are above ASCII, so FTS5's tokenizer
 * `ascii` takes them as they are, and no hash looks like a word. Among a million stems, a word has the hash of another
 * with a probability of one in a million.
 */
const FIRST_CHARACTER = 0x400;
const TEN_BITS = 0x3ff;

/** Without case and accents, by Porter's rules: "Pricing" and "prices" are one. */
function stemOf(word: string): string {
  return stemmer(word.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase());
}

/** Turns text into what is indexed and what is asked for, with the key of one database. */
export class SearchWords {
  readonly key: Buffer;
  #known = new Map<string, string>();

  constructor(key: Buffer) {
    this.key = key;
  }

  /** The hashes of all words, in order. */
  indexed(text: string): string {
    return (text.match(WORD) ?? []).map((word) => this.#hash(word)).join(" ");
  }

  /**
   * What user text asks for: every word required; what stands together ("follow-up") must stand together, its hashes with
   * a space between. Empty without a letter or digit in it.
   */
  phrases(text: string): string[] {
    const phrases = text.split(/[\s\0]+/u).map((word) => this.indexed(word));
    return phrases.filter((phrase) => phrase !== "").slice(0, MAX_WORDS);
  }

  /** The phrases as FTS5 queries. Nothing of the user's text reaches the query language. */
  quoted(text: string): string[] {
    return this.phrases(text).map((phrase) => `"${phrase}"`);
  }

  /** All of them as one; null where there are none. */
  query(text: string): string | null {
    const asked = this.quoted(text);
    return asked.length === 0 ? null : asked.join(" ");
  }

  #hash(word: string): string {
    let hash = this.#known.get(word);
    if (hash === undefined) {
      const digest = createHmac("sha256", this.key).update(stemOf(word)).digest();
      const bits = [digest.readUInt32BE(0), digest.readUInt32BE(4)] as const;
      const codes = [bits[0], bits[0] >>> 10, bits[1], bits[1] >>> 10];
      hash = String.fromCharCode(...codes.map((code) => FIRST_CHARACTER + (code & TEN_BITS)));
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(word, hash);
    }
    return hash;
  }
}

/** The words of an open database: its key was made with its schema. */
export function searchWordsOf(db: Connection): SearchWords {
  const { key } = db.prepare("SELECT key FROM full_text_key").get() as { key: Buffer };
  return new SearchWords(key);
}

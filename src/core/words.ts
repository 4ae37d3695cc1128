/** What counts as a word, and which words are fillers. */

// Letters and digits with their marks; joined by an apostrophe or hyphen ("don't", "follow-up"), and by a dot, comma
// or colon only before a digit ("1,200.50", "10:30"), so that a missing space after a full stop still parts two words.
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*|[.,:]\p{Nd}[\p{L}\p{N}\p{M}]*)*/gu;
const ANY_WORD = /[\p{L}\p{N}]/u;

/** The words of a text in lower case, typographic apostrophes made plain. */
export function words(text: string): string[] {
  return (text.match(WORD) ?? []).map((w) => w.toLowerCase().replaceAll("’", "'"));
}

/** Fillers included: the weight of a turn in every word-weighted mean. */
export function countWords(text: string): number {
  return text.match(WORD)?.length ?? 0;
}

export function hasWords(text: string): boolean {
  return ANY_WORD.test(text);
}

export interface Filler {
  readonly phrase: string;
  /** Not a filler after one of these words: "do you know", "what kind of". */
  readonly unless_after?: readonly string[];
  /** A filler only between commas or at the start of a clause before a comma: "it was, like, huge". */
  readonly set_off?: true;
}

const DETERMINERS = "what which this that these those some any a an the every each one no all same other new".split(
  " ",
);
const KNOWERS = "do did does if would should let as how what that when because whether since before could can".split(
  " ",
);

/** English fillers, published with the measures. A phrase of several words counts as one filler. */
export const FILLERS: readonly Filler[] = [
  ..."uh uhh uhm um umm er erm ah eh hm hmm mm mmm".split(" ").map((phrase) => ({ phrase })),
  ..."basically actually literally".split(" ").map((phrase) => ({ phrase })),
  { phrase: "like", set_off: true },
  { phrase: "you know", unless_after: KNOWERS },
  { phrase: "i mean", unless_after: ["do", "did", "what", "that", "which"] },
  { phrase: "sort of", unless_after: DETERMINERS },
  { phrase: "kind of", unless_after: DETERMINERS },
];

const BY_FIRST_WORD = new Map<string, { rest: readonly string[]; filler: Filler }[]>();
for (const filler of FILLERS) {
  const [first = "", ...rest] = filler.phrase.split(" ");
  BY_FIRST_WORD.set(first, [...(BY_FIRST_WORD.get(first) ?? []), { rest, filler }]);
}

export interface SpokenWords {
  /** All words, fillers included. */
  readonly all: number;
  /** Words that belong to no filler. */
  readonly content: number;
  /** Fillers; a phrase counts once. */
  readonly fillers: number;
}

/** Counts the words of a text. Fillers are looked for only where `english`; elsewhere every word is content. */
export function spokenWords(text: string, english: boolean): SpokenWords {
  if (!english) {
    const all = countWords(text);
    return { all, content: all, fillers: 0 };
  }
  const found = [...text.matchAll(WORD)];
  const lower = found.map((m) => m[0].toLowerCase().replaceAll("’", "'"));
  let content = 0;
  let fillers = 0;
  for (let i = 0; i < lower.length; ) {
    const length = fillerAt(text, found, lower, i);
    if (length === 0) content++;
    else fillers++;
    i += length || 1;
  }
  return { all: lower.length, content, fillers };
}

/** The number of words of the filler that starts at word i, or 0. */
function fillerAt(text: string, found: readonly RegExpExecArray[], lower: readonly string[], i: number): number {
  for (const { rest, filler } of BY_FIRST_WORD.get(lower[i] as string) ?? []) {
    if (!rest.every((w, k) => lower[i + 1 + k] === w && !clauseEnds(text, found[i + k]))) continue;
    const before = lower[i - 1];
    if (before !== undefined && filler.unless_after?.includes(before) && !clauseEnds(text, found[i - 1])) continue;
    if (filler.set_off) {
      const opens = before === undefined || clauseEnds(text, found[i - 1]);
      if (!opens || !/^\s*,/.test(after(text, found[i + rest.length]))) continue;
    }
    return 1 + rest.length;
  }
  return 0;
}

function clauseEnds(text: string, word: RegExpExecArray | undefined): boolean {
  return /^\s*[,.;:!?…–—-]/.test(after(text, word));
}

// A short look is enough, and keeps the whole count linear.
function after(text: string, word: RegExpExecArray | undefined): string {
  const end = word ? word.index + word[0].length : 0;
  return text.slice(end, end + 8);
}

/** Which words of a text a search found. */

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const MOST_WORDS = 32;

/** Without case, accents and the commonest English endings: the index stems, so "pricing" finds "prices". */
function stem(word: string): string {
  const plain = word.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const cut = plain.replace(/(?:ings?|edly|ed|ies|es|s|ly|e|y|ers?)$/, "");
  return cut.length >= 3 ? cut : plain;
}

/** Ranges [start, end) in UTF-16 units of the words of `text` that share a stem with a word of `query`, in order. */
export function highlights(text: string, query: string): [number, number][] {
  const wanted = new Set((query.match(WORD) ?? []).slice(0, MOST_WORDS).map(stem));
  if (wanted.size === 0) return [];
  const found: [number, number][] = [];
  for (const m of text.matchAll(WORD)) if (wanted.has(stem(m[0]))) found.push([m.index, m.index + m[0].length]);
  return found;
}

/**
 * VADER: sentiment from a rated word list and rules for negation, degree, emphasis and "but".
 * After Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
 * ICWSM 2014; the word list (MIT) is read from the package vader-sentiment. Unlike that package's scorer, negations count in capitals
 * ("Not good"), typographic apostrophes count, punctuation is stripped whatever its length, and a text is read once.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Polarity {
  /** -1..1 */
  readonly compound: number;
  /** Shares of the text, 0..1, together 1 (all 0 for a text without words). */
  readonly positive: number;
  readonly negative: number;
  readonly neutral: number;
  /** Most negative and most positive single valence, about -4..4, 0 where there is none. */
  readonly lowest: number;
  readonly highest: number;
  /** A negation changed a rated word. */
  readonly negated: boolean;
}

const DEGREE = 0.293;
const CAPITALS = 0.733;
const NEGATION = -0.74;
/** About the largest expected sum; turns a sum into -1..1. */
const ALPHA = 15;

const NEGATIONS = new Set(
  (
    "aint arent cannot cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neednt " +
    "neither never none nope nor not nothing nowhere oughtnt shant shouldnt uhuh uh-uh wasnt werent without wont wouldnt " +
    "rarely seldom despite"
  ).split(" "),
);

const DEGREES = new Map<string, number>([
  ...(
    "absolutely amazingly awfully completely considerably decidedly deeply effing enormously entirely especially " +
    "exceptionally extremely fabulously flippin flipping frickin fricking friggin frigging fucking fully greatly hella highly " +
    "hugely incredibly intensely majorly more most particularly purely quite really remarkably so substantially thoroughly " +
    "totally tremendously uber unbelievably unusually utterly very"
  )
    .split(" ")
    .map((w) => [w, DEGREE] as const),
  ...(
    "almost barely hardly kinda kindof kind-of less little marginally occasionally partly scarcely slightly somewhat " +
    "sorta sortof sort-of"
  )
    .split(" ")
    .map((w) => [w, -DEGREE] as const),
]);

const IDIOMS = new Map([
  ["the shit", 3],
  ["the bomb", 3],
  ["bad ass", 1.5],
  ["yeah right", -2],
  ["cut the mustard", 2],
  ["kiss of death", -1.5],
  ["hand to mouth", -2],
]);

let lexicon: Map<string, number> | null = null;

function words(): Map<string, number> {
  if (lexicon) return lexicon;
  const main = createRequire(import.meta.url).resolve("vader-sentiment");
  const text = readFileSync(join(dirname(main), "..", "vader_lexicon.txt"), "utf8");
  lexicon = new Map();
  for (const line of text.split("\n")) {
    const [word, valence] = line.split("\t");
    if (word && valence) lexicon.set(word.toLowerCase(), Number(valence));
  }
  return lexicon;
}

interface Token {
  readonly lower: string;
  readonly shouted: boolean;
  readonly valence: number | undefined;
}

const LETTER = /[\p{L}\p{N}]/u;

/** Scores one text; wordless text is all zeros. Reads as many characters as it is given. */
export function polarity(text: string): Polarity {
  const tokens = tokenize(text);
  if (tokens.length === 0) {
    return { compound: 0, positive: 0, negative: 0, neutral: 0, lowest: 0, highest: 0, negated: false };
  }
  const capitals = tokens.filter((t) => t.shouted).length;
  const stress = capitals > 0 && capitals < tokens.length;
  let flipped = false;
  const valences = tokens.map((token, i) => {
    if (token.valence === undefined || DEGREES.has(token.lower)) return 0;
    if (token.lower === "kind" && tokens[i + 1]?.lower === "of") return 0;
    const value = valence(tokens, i, token.valence, stress);
    if (value.negated) flipped = true;
    return value.valence;
  });
  weighAroundBut(tokens, valences);
  return { ...summarize(valences, text), negated: flipped };
}

function tokenize(text: string): Token[] {
  const known = words();
  const tokens: Token[] = [];
  for (const raw of text.replaceAll("\u2019", "'").split(/\s+/)) {
    if (raw.length < 2) continue;
    // An emoticon is a rated word as it stands; anything else is rated without the punctuation around it.
    const emoticon = known.get(raw.toLowerCase());
    const word = emoticon === undefined ? withoutEdges(raw) : raw;
    if (word.length < 2) continue;
    const lower = word.toLowerCase();
    tokens.push({ lower, shouted: /[A-Z]/.test(word) && !/[a-z]/.test(word), valence: emoticon ?? known.get(lower) });
  }
  return tokens;
}

/** Without what is no letter or digit at either end; by hand, since a pattern would take quadratic time on "!!!!…a". */
function withoutEdges(word: string): string {
  const characters = Array.from(word);
  const first = characters.findIndex((c) => LETTER.test(c));
  return first < 0 ? "" : characters.slice(first, characters.findLastIndex((c) => LETTER.test(c)) + 1).join("");
}

/** One rated word, changed by the three words before it, the nearest counting most. */
function valence(
  tokens: readonly Token[],
  at: number,
  rated: number,
  stress: boolean,
): { valence: number; negated: boolean } {
  let value = rated;
  let flipped = false;
  if (stress && tokens[at]?.shouted) value += Math.sign(value) * CAPITALS;
  for (let back = 1; back <= 3; back++) {
    const before = tokens[at - back];
    if (!before || before.valence !== undefined) continue;
    value += degree(before, value, stress) * [1, 0.95, 0.9][back - 1]!;
    if (strengthens(tokens, at, back)) value *= back === 2 ? 1.5 : 1.25;
    else if (isNegation(tokens, at - back)) {
      value *= NEGATION;
      flipped = true;
    }
    if (back === 3) value = idiom(tokens, at, value);
  }
  return { valence: value, negated: flipped };
}

/** "never so good", "never been this good"; and, three words on, any "so good": the published rules, as they are. */
function strengthens(tokens: readonly Token[], at: number, back: number): boolean {
  const so = (i: number): boolean => tokens[i]?.lower === "so" || tokens[i]?.lower === "this";
  const never = tokens[at - back]?.lower === "never" && back > 1 && so(at - back + 1);
  return never || (back === 3 && so(at - 1));
}

function degree(before: Token, value: number, stress: boolean): number {
  const step = DEGREES.get(before.lower);
  if (step === undefined) return 0;
  const sign = value < 0 ? -1 : 1;
  return sign * (step + (stress && before.shouted ? CAPITALS : 0));
}

function isNegation(tokens: readonly Token[], at: number): boolean {
  const word = tokens[at]?.lower ?? "";
  if (word.includes("n't") || NEGATIONS.has(word)) return true;
  const before = tokens[at - 1]?.lower;
  return word === "least" && before !== undefined && before !== "at" && before !== "very";
}

function idiom(tokens: readonly Token[], at: number, value: number): number {
  const join = (from: number, to: number): string =>
    tokens
      .slice(Math.max(0, from), to + 1)
      .map((t) => t.lower)
      .join(" ");
  const spans = [
    [at - 1, at],
    [at - 2, at],
    [at - 2, at - 1],
    [at - 3, at - 1],
    [at, at + 1],
    [at, at + 2],
  ] as const;
  for (const [from, to] of spans) {
    const found = IDIOMS.get(join(from, to));
    if (found !== undefined) return found;
  }
  const dampened = [join(at - 3, at - 2), join(at - 2, at - 1)];
  return dampened.some((d) => d === "kind of" || d === "sort of") ? value - DEGREE : value;
}

/** What follows "but" counts more than what came before it. */
function weighAroundBut(tokens: readonly Token[], valences: number[]): void {
  const but = tokens.findIndex((t) => t.lower === "but");
  if (but < 0) return;
  for (const [i, v] of valences.entries()) valences[i] = i < but ? v * 0.5 : i > but ? v * 1.5 : v;
}

function summarize(valences: readonly number[], text: string): Omit<Polarity, "negated"> {
  const emphasis = punctuation(text);
  let sum = 0;
  let positive = 0;
  let negative = 0;
  let neutral = 0;
  for (const v of valences) {
    sum += v;
    // One more each, since a neutral word counts as one.
    if (v > 0) positive += v + 1;
    else if (v < 0) negative += 1 - v;
    else neutral++;
  }
  sum += Math.sign(sum) * emphasis;
  if (positive > negative) positive += emphasis;
  else if (negative > positive) negative += emphasis;
  const total = positive + negative + neutral || 1;
  return {
    compound: sum / Math.sqrt(sum * sum + ALPHA),
    positive: positive / total,
    negative: negative / total,
    neutral: neutral / total,
    lowest: Math.min(0, ...tail(valences)),
    highest: Math.max(0, ...tail(valences)),
  };
}

/** Spreading needs a bound; past it the extremes are those of the first thousand words. */
function tail(valences: readonly number[]): readonly number[] {
  return valences.length > 1000 ? valences.slice(0, 1000) : valences;
}

function punctuation(text: string): number {
  let exclamations = 0;
  let questions = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 33) exclamations++;
    else if (c === 63) questions++;
  }
  const asked = questions > 3 ? 0.96 : questions > 1 ? questions * 0.18 : 0;
  return Math.min(exclamations, 4) * 0.292 + asked;
}

/**
 * Sentiment of one text: a linear head over its embedding and a few lexical features, clamped to -1..1.
 * The numbers come from tools/train-sentiment.ts; the same features are computed there and here.
 */
import { dot } from "../../core/vector.ts";
import head from "./sentiment-head.json" with { type: "json" };
import { MAX_CHARACTERS } from "./pinned-model.ts";
import { polarity } from "./vader.ts";

export interface SentimentHead {
  /** A short hash of the numbers: part of the version of every value. */
  readonly version: string;
  /** 384 weights of the embedding. */
  readonly embedding: readonly number[];
  /** One weight a feature, in the order of FEATURES. */
  readonly features: readonly number[];
  readonly bias: number;
}

export const FEATURES = [
  "compound",
  "positive",
  "negative",
  "lowest",
  "highest",
  "negated",
  "question",
  "refusal",
  "consent",
] as const;

/** Saying no without a bad word: what word lists miss. Not "no problem", "no worries", "I can't wait". */
const REFUSAL =
  /\bno,? (?:thanks|thank you|sorry)\b|\bnot (?:interested|for (?:me|us)|right now|at (?:this|the) (?:time|moment)|today|now|convinced|comfortable|ready|sure|really|able to|going to|looking)\b|\b(?:(?:ca|could|do|does|did|wo|would|is|are)n['’]?t|(?:can|could|do|does|did|will|would|is|are) ?not) (?:afford|need|want|think so|trust|believe|like|work|help|do (?:it|that)|be able|see|have (?:the |any |enough |much )?(?:money|budget|time|funds))\b|\btoo (?:expensive|much|high|pricey|late|complicated|risky|long|slow)\b|\b(?:have to|need to|must|will|would|i['’]?ll|let me) (?:decline|pass|think (?:about|it|on))\b|\brather not\b|\bstop (?:calling|asking)\b|\bhappy with what\b|\balready (?:have|use|give|donate)\b|\bmaybe (?:later|another time|next|some other)\b|\bother (?:priorities|plans|bills)\b|\bon a (?:tight|limited|fixed) budget\b|\bskeptical\b|\bhesitant\b|\bunfortunately\b|\bi['’]?m good\b|\bi pass\b/i;

/** Saying yes in plain words. */
const CONSENT =
  /\b(?:sure|yes|yeah|yep|ok|okay),? (?:i|we|let|that|of course|please|sounds|go)\b|\b(?:count me|sign me|sign us|we(?:['’]| a)re|i['’]?m|i am) (?:in|up|on board)\b|\bsounds (?:good|great|fair|reasonable|perfect|interesting|like a)\b|\b(?:i|we)(?:['’]d| would| will|['’]ll) (?:love|be (?:happy|glad|willing)|like to|gladly|definitely|certainly|donate|take it|buy|try|give)\b|\blet['’]?s (?:do|go|try|start|set)\b|\b(?:makes|make) sense\b|\blooking forward\b|\bwhere do (?:i|we) sign\b|\bof course\b|\bhappy to\b|\bwhy not\b|\bagree\b/i;

/** The features of a text, in the order of FEATURES, each about -1..1. */
export function lexicalFeatures(text: string): Float32Array {
  const read = text.slice(0, MAX_CHARACTERS);
  const p = polarity(read);
  const refused = REFUSAL.test(read);
  return Float32Array.of(
    p.compound,
    p.positive,
    p.negative,
    p.lowest / 4,
    p.highest / 4,
    flag(p.negated),
    flag(/\?\s*$/.test(read)),
    flag(refused),
    flag(!refused && CONSENT.test(read)),
  );
}

/** -1..1; 0 for text without a letter or digit. */
export function sentimentOf(text: string, embedding: Float32Array): number {
  return hasWords(text) ? apply(committed, embedding, lexicalFeatures(text)) : 0;
}

/** VADER alone: what is used while no model runs. */
export function statisticalSentiment(text: string): number {
  return hasWords(text) ? polarity(text.slice(0, MAX_CHARACTERS)).compound : 0;
}

/** The head's value, clamped. */
export function apply(weights: LoadedHead, embedding: Float32Array, features: Float32Array): number {
  const value = dot(weights.embedding, embedding) + dot(weights.features, features) + weights.bias;
  return Math.max(-1, Math.min(1, value));
}

export interface LoadedHead {
  readonly embedding: Float32Array;
  readonly features: Float32Array;
  readonly bias: number;
}

export function loadHead(numbers: SentimentHead): LoadedHead {
  return {
    embedding: Float32Array.from(numbers.embedding),
    features: Float32Array.from(numbers.features),
    bias: numbers.bias,
  };
}

const committed = loadHead(head);

export const HEAD_VERSION = head.version;

function flag(found: boolean): number {
  return found ? 1 : 0;
}

function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

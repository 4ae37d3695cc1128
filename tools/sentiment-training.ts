/** The training of the sentiment head, shared by train-sentiment.ts and bench/eval-sentiment.ts. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SentimentHead } from "../src/adapters/models/sentiment-head.ts";
import { FEATURES, lexicalFeatures } from "../src/adapters/models/sentiment-head.ts";
import { DIMENSIONS } from "../src/core/vector.ts";
import { embedAll } from "./embedding-cache.ts";
import { readTable } from "./read-csv.ts";
import { ridge } from "./ridge.ts";
import reactions from "./sales-reactions.json" with { type: "json" };

export interface Example {
  readonly source: string;
  /** Sentences of one document are never split between training and test. */
  readonly document: string;
  readonly text: string;
  /** -1..1 */
  readonly rating: number;
}

/** Our own sentences of sales calls, most of them polite refusals and plain consents, with our own ratings. */
export const REACTIONS = "sales-reactions";

/**
 * How much a sentence counts: film reviews, almost half of all, are the least like talk; our own reactions are few
 * and the most like it.
 */
const WEIGHTS: Readonly<Record<string, number>> = {
  tweets: 1.5,
  amazonReviewSnippets: 2,
  nytEditorialSnippets: 1,
  movieReviewSnippets: 1.2,
  [REACTIONS]: 5,
};
const LAMBDA = 1;

/** `folder` holds rated-sentences/train.csv: source, document, rating (-4..4), text. */
export async function readExamples(folder: string): Promise<Example[]> {
  const rows = await readTable(join(folder, "rated-sentences", "train.csv"));
  return [
    ...rows.map((row) => ({
      source: row["source"] ?? "",
      document: row["document"] ?? "",
      text: row["text"] ?? "",
      rating: Number(row["rating"]) / 4,
    })),
    ...reactions.map((r, i) => ({ source: REACTIONS, document: String(i), text: r.text, rating: r.rating })),
  ];
}

/** Which of `folds` parts a document belongs to, by a seeded hash. */
export function foldOf(example: Example, folds: number, seed: string): number {
  const hash = createHash("sha256").update(`${seed}\n${example.source}\n${example.document}`).digest();
  return hash.readUInt32BE(0) % folds;
}

/** [embedding, lexical features, 1] of every example, in order. */
export async function designRows(examples: readonly Example[]): Promise<Float32Array[]> {
  const { vectors } = await embedAll(examples.map((e) => e.text));
  return examples.map((e, i) => {
    const row = new Float32Array(DIMENSIONS + FEATURES.length + 1);
    row.set(vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS));
    row.set(lexicalFeatures(e.text), DIMENSIONS);
    row[row.length - 1] = 1;
    return row;
  });
}

export function trainHead(examples: readonly Example[], rows: readonly Float32Array[]): SentimentHead {
  const weights = examples.map((e) => WEIGHTS[e.source] ?? 1);
  const solved = ridge(
    rows,
    examples.map((e) => e.rating),
    weights,
    LAMBDA,
  );
  const numbers = Array.from(solved, (x) => Number(x.toFixed(5)));
  return {
    version: createHash("sha256").update(JSON.stringify(numbers)).digest("hex").slice(0, 8),
    embedding: numbers.slice(0, DIMENSIONS),
    features: numbers.slice(DIMENSIONS, -1),
    bias: numbers.at(-1) ?? 0,
  };
}

/** Pearson's correlation. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    ab += (x - ma) * (y - mb);
    aa += (x - ma) ** 2;
    bb += (y - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

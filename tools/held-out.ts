/** Cross-validation of the sentiment head: every sentence is scored by a head that never saw its document. */
import { apply, loadHead } from "../src/adapters/models/sentiment-head.ts";
import { DIMENSIONS } from "../src/core/vector.ts";
import type { Example } from "./sentiment-training.ts";
import { correlation, foldOf, trainHead } from "./sentiment-training.ts";

export interface HeldOut {
  readonly source: string;
  readonly sentences: number;
  /** Pearson with the human ratings. */
  readonly head: number;
  readonly vader: number;
  /** Mean absolute error of the head, on -1..1. */
  readonly error: number;
}

/** Five parts, split by document with a seed. */
export function heldOut(examples: readonly Example[], rows: readonly Float32Array[], seed: string): HeldOut[] {
  const folds = 5;
  const scores = new Float64Array(examples.length);
  for (let fold = 0; fold < folds; fold++) {
    const kept = examples.map((e) => foldOf(e, folds, seed) !== fold);
    const head = loadHead(
      trainHead(
        examples.filter((_, i) => kept[i]),
        rows.filter((_, i) => kept[i]),
      ),
    );
    for (const [i, row] of rows.entries()) {
      if (!kept[i]) scores[i] = apply(head, row.subarray(0, DIMENSIONS), row.subarray(DIMENSIONS, -1));
    }
  }
  return [...new Set(examples.map((e) => e.source))].map((source) => {
    const at = examples.flatMap((e, i) => (e.source === source ? [i] : []));
    const ratings = at.map((i) => examples[i]?.rating ?? 0);
    const predicted = at.map((i) => scores[i] ?? 0);
    const compound = at.map((i) => rows[i]?.[DIMENSIONS] ?? 0);
    const error = predicted.reduce((sum, p, i) => sum + Math.abs(p - (ratings[i] ?? 0)), 0) / at.length;
    return {
      source,
      sentences: at.length,
      head: round(correlation(predicted, ratings)),
      vader: round(correlation(compound, ratings)),
      error: round(error),
    };
  });
}

function round(x: number): number {
  return Number(x.toFixed(4));
}

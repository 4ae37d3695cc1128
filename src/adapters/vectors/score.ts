/** Exact scores, and the one order of hits. */
import type { VectorHit } from "../../ports.ts";

/**
 * Cosine of `a` and `b` after taking `mean` from both (null: none), -1..1; 0 where either is zero. Any two scales.
 * `mean` must be in the scale of `b`, `a` must have had it taken already. Rounded to 1e-7, so that equal directions
 * tie whatever the order of summation was.
 */
export function cosine(a: Float64Array, aLength: number, b: ArrayLike<number>, mean: Float64Array | null): number {
  let product = 0;
  let square = 0;
  for (let i = 0; i < a.length; i++) {
    const x = (b[i] as number) - (mean === null ? 0 : (mean[i] as number));
    product += (a[i] as number) * x;
    square += x * x;
  }
  if (aLength === 0 || square === 0) return 0;
  const score = product / (aLength * Math.sqrt(square));
  return Math.max(-1, Math.min(1, Math.round(score * 1e7) / 1e7));
}

/** Euclidean length of `v` less `mean`. */
export function lengthOf(v: ArrayLike<number>, mean: Float64Array | null): number {
  let square = 0;
  for (let i = 0; i < v.length; i++) {
    const x = (v[i] as number) - (mean === null ? 0 : (mean[i] as number));
    square += x * x;
  }
  return Math.sqrt(square);
}

/** A query less `mean` (of the query's scale), with its length. */
export function centre(query: Float32Array, mean: Float32Array | null): { query: Float64Array; length: number } {
  const centred = Float64Array.from(query, (x, i) => x - (mean === null ? 0 : (mean[i] as number)));
  return { query: centred, length: lengthOf(centred, null) };
}

/** Best first, ties by call_no, then part. */
export function byScore(a: VectorHit, b: VectorHit): number {
  return b.score - a.score || a.call_no - b.call_no || a.part - b.part;
}

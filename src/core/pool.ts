/** Turn vectors pooled by words: segments for search, one vector for the call. */
import { DIMENSIONS, normalize } from "./vector.ts";

const SEGMENT_WORDS = 100;

/**
 * Cuts a call into runs of consecutive turns of at most 100 words; a longer turn is a segment of its own. Every turn
 * is in exactly one segment. @param words the words of each turn
 */
export function segments(words: readonly number[]): { first_turn: number; last_turn: number }[] {
  const out: { first_turn: number; last_turn: number }[] = [];
  let first = 0;
  let sum = 0;
  for (const [i, n] of words.entries()) {
    if (i > first && sum + n > SEGMENT_WORDS) {
      out.push({ first_turn: first, last_turn: i - 1 });
      first = i;
      sum = 0;
    }
    sum += n;
  }
  if (words.length > 0) out.push({ first_turn: first, last_turn: words.length - 1 });
  return out;
}

/**
 * The word-weighted mean of turns first..last (inclusive), scaled to unit length; all zeros where they hold no words.
 * @param vectors n x 384, one row a turn
 * @param words the words of each turn: the weights
 */
export function poolVectors(
  vectors: Float32Array,
  words: readonly number[],
  first: number,
  last: number,
): Float32Array {
  // Sums in double precision, so that the order of magnitude of a long call costs no digits.
  const sum = new Float64Array(DIMENSIONS);
  for (let turn = first; turn <= last; turn++) {
    const weight = words[turn] ?? 0;
    if (weight === 0) continue;
    const row = turn * DIMENSIONS;
    for (let d = 0; d < DIMENSIONS; d++) sum[d] = (sum[d] as number) + weight * (vectors[row + d] as number);
  }
  let squares = 0;
  for (const x of sum) squares += x * x;
  // float32 would lose a large sum's square, not its direction.
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  return normalize(Float32Array.from(sum, (x) => x * scale));
}

/** Exact scores, and the one order of hits. */

/** A query less the mean, with its length. A zero query stays zero: it has no direction to compare. */
export interface CentredQuery {
  readonly values: Float64Array;
  readonly length: number;
}

/** `mean` in the scale of the query; null: nothing is taken off. */
export function centre(query: Float32Array, mean: Float32Array | null): CentredQuery {
  if (mean === null || query.every((x) => x === 0)) {
    const values = Float64Array.from(query);
    return { values, length: centredLength(values, null) };
  }
  const values = Float64Array.from(query, (x, i) => x - (mean[i] as number));
  return { values, length: centredLength(values, null) };
}

/**
 * Cosine of the query and `row` less `mean` (in the row's scale, which may be any), -1..1; 0 where either was zero.
 * Rounded to 1e-7, so that equal directions tie whatever the order of summation was.
 */
export function cosine(query: CentredQuery, row: ArrayLike<number>, mean: Float64Array | null): number {
  const length = query.length * centredLength(row, mean);
  if (length === 0) return 0;
  const { values } = query;
  let product = 0;
  for (let i = 0; i < values.length; i++) {
    product += (values[i] as number) * ((row[i] as number) - (mean === null ? 0 : (mean[i] as number)));
  }
  return Math.max(-1, Math.min(1, Math.round((product / length) * 1e7) / 1e7));
}

/** Euclidean length of `row` less `mean`; 0 for a zero row, whatever the mean. */
function centredLength(row: ArrayLike<number>, mean: Float64Array | null): number {
  let raw = 0;
  let square = 0;
  for (let i = 0; i < row.length; i++) {
    const value = row[i] as number;
    const x = mean === null ? value : value - (mean[i] as number);
    raw += value * value;
    square += x * x;
  }
  return raw === 0 ? 0 : Math.sqrt(square);
}

interface Place {
  readonly score: number;
  readonly call_no: number;
  readonly part: number;
}

/** Best first, ties by call_no, then part. */
export function byScore(a: Place, b: Place): number {
  return b.score - a.score || a.call_no - b.call_no || a.part - b.part;
}

/** Descriptive statistics. Functions of an empty list answer null. */

export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
}

/** The mean of `values` weighted by `weights`; null when no value has weight. */
export function weightedMean(pairs: Iterable<readonly [value: number, weight: number]>): number | null {
  let mean = 0;
  let weights = 0;
  for (const [value, weight] of pairs) {
    weights += weight;
    // Step by step, so that the mean of equal values is that value to the last digit.
    if (weight > 0) mean += (value - mean) * (weight / weights);
  }
  return weights > 0 ? mean : null;
}

/** The q-quantile (0..1), linear between the two nearest ranks (type 7 of Hyndman & Fan 1996). */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).toSorted();
  const rank = (sorted.length - 1) * Math.min(1, Math.max(0, q));
  const low = sorted[Math.floor(rank)] as number;
  const high = sorted[Math.ceil(rank)] as number;
  return low + (high - low) * (rank - Math.floor(rank));
}

export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Sample standard deviation (n − 1); null below two values. */
export function standardDeviation(values: readonly number[]): number | null {
  const m = mean(values);
  if (m === null || values.length < 2) return null;
  let squares = 0;
  for (const v of values) squares += (v - m) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; null below two values. */
  readonly sd: number | null;
  /** 95 % interval of the mean by Student's t; null below two values. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Mean, deviation and interval from sums, as rollups keep them; null for n = 0. */
export function summarize(sums: { n: number; sum: number; sum_squares: number }): Summary | null {
  const { n, sum, sum_squares } = sums;
  if (n < 1) return null;
  const m = sum / n;
  if (n < 2) return { n, mean: m, sd: null, low: null, high: null };
  const spread = sum_squares - (sum * sum) / n;
  // What is left of two nearly equal sums is rounding, not spread.
  const variance = spread > sum_squares * 1e-12 ? spread / (n - 1) : 0;
  const sd = Math.sqrt(variance);
  const half = (t95(n - 1) * sd) / Math.sqrt(n);
  return { n, mean: m, sd, low: m - half, high: m + half };
}

// Two-sided 95 % points of Student's t for 1..30 degrees of freedom (any statistics table).
const T95 = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
];

/** The two-sided 95 % point of Student's t: a table to 30, beyond it the Cornish-Fisher expansion (error < 1e-4). */
export function t95(degrees: number): number {
  const tabled = T95[Math.round(degrees) - 1];
  if (tabled !== undefined) return tabled;
  const z = 1.959964;
  const a = (z ** 3 + z) / 4;
  const b = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return z + a / degrees + b / degrees ** 2;
}

/** Cohen's d: (mean a − mean b) ÷ pooled standard deviation; null below two values a side or without spread. */
export function cohensD(a: Summary | null, b: Summary | null): number | null {
  if (!a || !b || a.sd === null || b.sd === null) return null;
  const pooled = Math.sqrt(((a.n - 1) * a.sd ** 2 + (b.n - 1) * b.sd ** 2) / (a.n + b.n - 2));
  return pooled > 0 ? (a.mean - b.mean) / pooled : null;
}

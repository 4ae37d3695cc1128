/** Statistics of two groups: effect sizes with intervals, tests with corrections, ranks, a small logistic model. */
import { cohensD, mean, quantile, standardDeviation, summarize } from "../src/core/stats.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Cohen's d of two lists; null without spread. */
export function effect(a: readonly number[], b: readonly number[]): number | null {
  return cohensD(summarize(sums(a)), summarize(sums(b)));
}

function sums(values: readonly number[]): { n: number; sum: number; sum_squares: number } {
  let [sum, sum_squares] = [0, 0];
  for (const v of values) {
    sum += v;
    sum_squares += v * v;
  }
  return { n: values.length, sum, sum_squares };
}

/** The 95 % interval of Cohen's d by its large-sample standard error (Hedges & Olkin 1985). */
export function effectInterval(d: number, n1: number, n2: number): Interval {
  const error = Math.sqrt((n1 + n2) / (n1 * n2) + d ** 2 / (2 * (n1 + n2)));
  return { low: d - 1.959964 * error, high: d + 1.959964 * error };
}

/**
 * Two-sided permutation test of a difference of means: labels are shuffled `times` times. At least 1 ÷ (times + 1).
 * For one list of values the difference falls and rises with the sum over group a alone, so that is what is compared.
 */
export function permutationP(
  a: readonly number[],
  b: readonly number[],
  { times, random }: { times: number; random: () => number },
): number {
  const values = Float64Array.from([...a, ...b]);
  const expected = (values.reduce((s, v) => s + v, 0) * a.length) / values.length;
  const seen = Math.abs(a.reduce((s, v) => s + v, 0) - expected);
  let asFar = 0;
  for (let t = 0; t < times; t++) {
    let sum = 0;
    // A partial Fisher-Yates shuffle: the first a.length places are a random group a.
    for (let i = 0; i < a.length; i++) {
      const j = i + Math.floor(random() * (values.length - i));
      const v = values[j] as number;
      values[j] = values[i] as number;
      values[i] = v;
      sum += v;
    }
    if (Math.abs(sum - expected) >= seen - 1e-9) asFar++;
  }
  return (asFar + 1) / (times + 1);
}

/** Holm's correction (1979): adjusted p-values in the order given. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).toSorted((i, j) => (ps[i] as number) - (ps[j] as number));
  const out = ps.map(() => 1);
  let most = 0;
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, (ps[i] as number) * (ps.length - rank)));
    out[i] = most;
  }
  return out;
}

/** Ranks from 1, equal values at their mean rank. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).toSorted((i, j) => (values[i] as number) - (values[j] as number));
  const out = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let i = start; i < end; i++) out[order[i] as number] = (start + end + 1) / 2;
    start = end;
  }
  return out;
}

/** The chance that a value of `a` is above one of `b`, ties half (Mann-Whitney). */
export function auc(a: readonly number[], b: readonly number[]): number {
  const rank = ranks([...a, ...b]);
  const sum = rank.slice(0, a.length).reduce((s, r) => s + r, 0);
  return (sum - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
}

/** Pearson's correlation; null without spread. */
export function pearson(a: readonly number[], b: readonly number[]): number | null {
  const [ma, mb, sa, sb] = [mean(a), mean(b), standardDeviation(a), standardDeviation(b)];
  if (ma === null || mb === null || !sa || !sb) return null;
  const products = a.map((x, i) => (x - ma) * ((b[i] as number) - mb));
  return products.reduce((s, x) => s + x, 0) / ((a.length - 1) * sa * sb);
}

export function spearman(a: readonly number[], b: readonly number[]): number | null {
  return pearson(ranks(a), ranks(b));
}

/** The 95 % percentile interval of `statistic` when whole groups (workers, dialogues) are drawn again with replacement. */
export function clusterBootstrap<T>(
  groups: readonly (readonly T[])[],
  statistic: (sample: readonly T[]) => number | null,
  { times, random }: { times: number; random: () => number },
): Interval | null {
  const found: number[] = [];
  for (let t = 0; t < times; t++) {
    const sample = groups.flatMap(() => groups[Math.floor(random() * groups.length)] ?? []);
    const value = statistic(sample);
    if (value !== null) found.push(value);
  }
  const [low, high] = [quantile(found, 0.025), quantile(found, 0.975)];
  return low === null || high === null ? null : { low, high };
}

/** Answers the probability of a row. */
type Model = (row: readonly number[]) => number;

/** Logistic regression with an intercept by Newton's method; columns are standardised, their weights shrunk by `ridge`. */
export function logistic(rows: readonly (readonly number[])[], won: readonly boolean[], ridge = 1): Model {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, j) => rows.map((r) => r[j] as number));
  const centre = columns.map((c) => mean(c) ?? 0);
  const scale = columns.map((c) => standardDeviation(c) || 1);
  const standard = (row: readonly number[]) => [
    1,
    ...row.map((x, j) => (x - (centre[j] as number)) / (scale[j] as number)),
  ];
  const xs = rows.map(standard);
  let weights = Array.from({ length: width + 1 }, () => 0);
  for (let step = 0; step < 25; step++) {
    const gradient = weights.map((w, j) => (j === 0 ? 0 : -ridge * w));
    const curvature = weights.map((_, j) => weights.map((__, k) => (j === k ? (j === 0 ? 1e-9 : ridge) : 0)));
    for (const [i, x] of xs.entries()) {
      const p = sigmoid(dot(x, weights));
      for (let j = 0; j <= width; j++) {
        gradient[j] = (gradient[j] as number) + ((won[i] ? 1 : 0) - p) * (x[j] as number);
        const line = curvature[j] as number[];
        const weight = p * (1 - p) * (x[j] as number);
        for (let k = 0; k <= width; k++) line[k] = (line[k] as number) + weight * (x[k] as number);
      }
    }
    const change = solve(curvature, gradient);
    weights = weights.map((w, j) => w + (change[j] as number));
    if (Math.max(...change.map(Math.abs)) < 1e-8) break;
  }
  return (row) => sigmoid(dot(standard(row), weights));
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((s, x, i) => s + x * (b[i] as number), 0);
}

/** Gaussian elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const m = matrix.map((line, i) => [...line, right[i] as number]);
  const n = m.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]?.[c] ?? 0) > Math.abs(m[pivot]?.[c] ?? 0)) pivot = r;
    const top = m[pivot] as number[];
    m[pivot] = m[c] as number[];
    m[c] = top;
    for (let r = c + 1; r < n; r++) {
      const line = m[r] as number[];
      const factor = (line[c] as number) / (top[c] as number);
      for (let k = c; k <= n; k++) line[k] = (line[k] as number) - factor * (top[k] as number);
    }
  }
  const out = Array.from({ length: n }, () => 0);
  for (let r = n - 1; r >= 0; r--) {
    const line = m[r] as number[];
    let rest = line[n] as number;
    for (let k = r + 1; k < n; k++) rest -= (line[k] as number) * (out[k] as number);
    out[r] = rest / (line[r] as number);
  }
  return out;
}

export interface CrossValidated {
  /** Of the pooled predictions of all folds. */
  readonly auc: number;
  /** Share of right answers at 0.5. */
  readonly accuracy: number;
  /** Mean squared error of the probabilities. */
  readonly brier: number;
}

/** Logistic regression in `folds` parts; rows of one group (a worker) are never split. Unknown values become the mean of training. */
export function crossValidate(
  rows: readonly (readonly (number | null)[])[],
  won: readonly boolean[],
  groups: readonly string[],
  { folds, random }: { folds: number; random: () => number },
): CrossValidated {
  const fold = new Map([...new Set(groups)].map((g) => [g, Math.floor(random() * folds)]));
  const predicted = rows.map(() => 0);
  for (let f = 0; f < folds; f++) {
    const kept = groups.map((g) => fold.get(g) !== f);
    const training = rows.filter((_, i) => kept[i]);
    const fill = (rows[0] ?? []).map((_, j) => mean(training.flatMap((r) => r[j] ?? [])) ?? 0);
    const filled = (row: readonly (number | null)[]) => row.map((x, j) => x ?? (fill[j] as number));
    const model = logistic(
      training.map(filled),
      won.filter((_, i) => kept[i]),
    );
    for (const [i, row] of rows.entries()) if (!kept[i]) predicted[i] = model(filled(row));
  }
  const right = predicted.filter((p, i) => p >= 0.5 === won[i]).length;
  return {
    auc: auc(
      predicted.filter((_, i) => won[i]),
      predicted.filter((_, i) => !won[i]),
    ),
    accuracy: right / rows.length,
    brier: mean(predicted.map((p, i) => (p - (won[i] ? 1 : 0)) ** 2)) ?? 0,
  };
}

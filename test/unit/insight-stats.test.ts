import { describe, expect, it } from "vitest";
import {
  auc,
  clusterBootstrap,
  crossValidate,
  effect,
  effectInterval,
  holm,
  logistic,
  permutationP,
  ranks,
  spearman,
} from "../../bench/insight-stats.ts";
import { seededRandom } from "../support/clustered-vectors.ts";

const meanOf = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
const logit = (p: number) => Math.log(p / (1 - p));

describe("statistics of the insight study", () => {
  it("gives Cohen's d and its interval", () => {
    // Means 3 and 5, both variances 2.5.
    const d = effect([1, 2, 3, 4, 5], [3, 4, 5, 6, 7]);
    expect(d).toBeCloseTo(-2 / Math.sqrt(2.5), 10);
    // d = 0.5, 50 a side: se = sqrt(0.04 + 0.00125).
    const { low, high } = effectInterval(0.5, 50, 50);
    expect(high - low).toBeCloseTo(2 * 1.959964 * Math.sqrt(0.04125), 8);
    expect(effect([1, 1], [1, 1])).toBeNull();
  });

  it("permutes labels: the exact p of a small case, and none below 1 in times + 1", () => {
    // Of the 20 ways to choose 3 of 6, two are as far apart as {1,2,3} and {4,5,6}: p = 0.1.
    const p = permutationP([1, 2, 3], [4, 5, 6], { times: 20_000, random: seededRandom(1) });
    expect(p).toBeGreaterThan(0.09);
    expect(p).toBeLessThan(0.11);
    const far = Array.from({ length: 30 }, (_, i) => i);
    const near = far.map((x) => x + 100);
    expect(permutationP(far, near, { times: 99, random: seededRandom(2) })).toBeCloseTo(0.01, 10);
  });

  it("corrects by Holm, never falling and never above 1", () => {
    const [a, b, c, d] = holm([0.01, 0.04, 0.03, 0.005]);
    expect([a, b, c, d].map((x) => Number(x?.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });

  it("ranks ties at their mean, and counts them half in AUC and Spearman", () => {
    expect(ranks([10, 20, 20, 30])).toEqual([1, 2.5, 2.5, 4]);
    expect(auc([2, 3], [1, 2])).toBe(0.875);
    expect(auc([1, 2], [3, 4])).toBe(0);
    expect(spearman([1, 2, 3, 4], [1, 4, 9, 16])).toBeCloseTo(1, 12);
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
  });

  it("widens intervals where groups repeat one value", () => {
    const values = Array.from({ length: 200 }, (_, i) => (i * 37) % 101);
    const alone = clusterBootstrap(
      values.map((v) => [v]),
      meanOf,
      { times: 300, random: seededRandom(3) },
    );
    const tenfold = clusterBootstrap(
      values.slice(0, 20).map((v) => Array.from({ length: 10 }, () => v)),
      meanOf,
      { times: 300, random: seededRandom(3) },
    );
    const width = (x: typeof alone) => (x ? x.high - x.low : 0);
    expect(width(tenfold)).toBeGreaterThan(2 * width(alone));
  });

  it("finds the weights of a logistic law, and nothing where there is nothing", () => {
    const random = seededRandom(4);
    const rows = Array.from({ length: 3_000 }, () => [random() * 4 - 2, random() * 10]);
    const won = rows.map(([x]) => random() < 1 / (1 + Math.exp(-(0.5 + 1.5 * (x as number)))));
    const model = logistic(rows, won);
    expect(logit(model([0, 5]))).toBeCloseTo(0.5, 0);
    expect(logit(model([1, 5])) - logit(model([0, 5]))).toBeCloseTo(1.5, 0);
    const groups = rows.map((_, i) => String(i));
    const found = crossValidate(rows, won, groups, { folds: 5, random });
    expect(found.auc).toBeGreaterThan(0.8);
    const noise = crossValidate(rows.slice(0, 500), won.slice(500, 1_000), groups.slice(0, 500), { folds: 5, random });
    expect(noise.auc).toBeGreaterThan(0.4);
    expect(noise.auc).toBeLessThan(0.6);
  });

  it("fills unknown values with the mean of training", () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 400 }, (_, i) => [i % 3 === 0 ? null : (i % 2) * 2 - 1]);
    const won = rows.map((_, i) => i % 2 === 1);
    const { auc: found, accuracy } = crossValidate(
      rows,
      won,
      rows.map((_, i) => String(i)),
      { folds: 4, random },
    );
    expect(found).toBeGreaterThan(0.75);
    expect(accuracy).toBeGreaterThan(0.75);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { poolVectors, segments } from "../../src/core/pool.ts";
import { type LiveSentiment, nextLive, sentimentLabel } from "../../src/core/sentiment.ts";
import { cohensD, mean, median, quantile, standardDeviation, summarize, t95 } from "../../src/core/stats.ts";
import { DIMENSIONS } from "../../src/core/vector.ts";

const of = (v: readonly number[]) =>
  summarize({ n: v.length, sum: v.reduce((a, x) => a + x, 0), sum_squares: v.reduce((a, x) => a + x * x, 0) });

describe("stats", () => {
  it("answers hand-computed values", () => {
    expect([mean([]), median([]), quantile([], 0.9), standardDeviation([1])]).toEqual([null, null, null, null]);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.9)).toBeCloseTo(4.6);
    // Mean 5, squares 32, 32 / 7.
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7));
  });

  it("gives the t interval of a mean from its sums", () => {
    expect(summarize({ n: 0, sum: 0, sum_squares: 0 })).toBeNull();
    expect(summarize({ n: 1, sum: 2, sum_squares: 4 })).toEqual({ n: 1, mean: 2, sd: null, low: null, high: null });
    // 1, 2, 3, 4: mean 2.5, sd 1.29099, t(3) 3.1824, half width 2.05426.
    const s = summarize({ n: 4, sum: 10, sum_squares: 30 });
    expect(s?.sd).toBeCloseTo(1.29099, 5);
    expect(s?.low).toBeCloseTo(0.44574, 4);
    expect(s?.high).toBeCloseTo(4.55426, 4);
  });

  it("knows Student's t beyond its table", () => {
    // 40, 60, 120, 1000 degrees of freedom: 2.0211, 2.0003, 1.9799, 1.9623.
    expect([40, 60, 120, 1000].map((d) => Number(t95(d).toFixed(3)))).toEqual([2.021, 2, 1.98, 1.962]);
    for (let d = 2; d < 200; d++) expect(t95(d)).toBeLessThan(t95(d - 1));
  });

  it("gives Cohen's d, and none without spread", () => {
    // Means 3 and 2, variances 1 and 1.
    expect(cohensD(of([2, 3, 4]), of([1, 2, 3]))).toBeCloseTo(1);
    expect(cohensD(of([1, 1]), of([1, 1]))).toBeNull();
    expect(cohensD(of([1]), of([1, 2]))).toBeNull();
  });

  it("sums agree with the values they stand for", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2 }), (values) => {
        const s = of(values);
        expect(s?.mean).toBeCloseTo(mean(values) ?? Number.NaN, 6);
        expect(Math.abs((s?.sd ?? -9) - (standardDeviation(values) ?? 9))).toBeLessThan(1e-2);
      }),
    );
  });
});

describe("pooling", () => {
  it("cuts segments of at most 100 words that cover every turn once", () => {
    expect(segments([])).toEqual([]);
    expect(segments([60, 40, 1, 250, 0, 5])).toEqual([
      { first_turn: 0, last_turn: 1 },
      { first_turn: 2, last_turn: 2 },
      { first_turn: 3, last_turn: 3 },
      { first_turn: 4, last_turn: 5 },
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(150)), (words) => {
        const cut = segments(words);
        expect(cut.flatMap((s) => words.slice(s.first_turn, s.last_turn + 1))).toEqual(words);
        for (const { first_turn, last_turn } of cut) {
          const sum = words.slice(first_turn, last_turn + 1).reduce((a, w) => a + w, 0);
          expect(first_turn === last_turn || sum <= 100).toBe(true);
        }
      }),
    );
  });

  it("weighs vectors by words", () => {
    const vectors = new Float32Array(3 * DIMENSIONS);
    vectors[0] = 1;
    vectors[DIMENSIONS + 1] = 1;
    vectors[2 * DIMENSIONS + 2] = 1;
    const pooled = poolVectors(vectors, [3, 4, 9], 0, 1);
    expect([pooled.length, pooled[0], pooled[1], pooled[2]]).toEqual([
      DIMENSIONS,
      Math.fround(0.6),
      Math.fround(0.8),
      0,
    ]);
    expect(poolVectors(vectors, [0, 0, 0], 0, 2)).toEqual(new Float32Array(DIMENSIONS));
  });
});

describe("live sentiment", () => {
  it("moves by alpha towards each turn and shows the trend", () => {
    const states: LiveSentiment[] = [];
    for (const value of [0, 1, 1]) states.push(nextLive(states.at(-1) ?? null, value, 0.3));
    expect(states.map((s) => s.average)).toEqual([0, 0.3, 0.51]);
    expect(states[1]?.trend).toBeCloseTo(0.2);
    expect(states[2]).toMatchObject({ last: 1, turns: 3 });
  });

  it("labels by thirds", () => {
    expect([1 / 3, 0.33, -0.33, -1 / 3].map(sentimentLabel)).toEqual(["positive", "neutral", "neutral", "negative"]);
  });
});

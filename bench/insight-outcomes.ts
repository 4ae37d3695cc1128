/** How measures differ by outcome, and how well they tell it: the lines of bench/insight.ts about won and lost calls. */
import type { MeasureName } from "../src/core/measures.ts";
import { mean } from "../src/core/stats.ts";
import { seededRandom } from "../test/support/clustered-vectors.ts";
import type { ApiCall } from "./insight-data.ts";
import { auc, crossValidate, effect, effectInterval, holm, permutationP } from "./insight-stats.ts";

export const SEED = 3;
export const SHUFFLES = 10_000;
const SPLITS = 200;
const FOLDS = 10;
const DRAWS = 10;

export const round = (x: number | null, digits = 4): number | null => (x === null ? null : Number(x.toFixed(digits)));
export const isWon = (c: ApiCall): boolean => c.outcome === "won";

/** The values of a measure among the won or the lost calls that have one. */
export const values = (list: readonly ApiCall[], m: MeasureName, won: boolean): number[] =>
  list.filter((c) => isWon(c) === won).flatMap((c) => c.insights[m] ?? []);

/** A line a measure: means, effect size with its interval, permutation p with Holm's adjustment, AUC. */
export function measuresByOutcome(list: readonly ApiCall[], names: readonly MeasureName[]) {
  const rows = names.flatMap((measure) => {
    const [won, lost] = [values(list, measure, true), values(list, measure, false)];
    const size = effect(won, lost);
    if (size === null) return [];
    const { low, high } = effectInterval(size, won.length, lost.length);
    const p = permutationP(won, lost, { times: SHUFFLES, random: seededRandom(SEED) });
    return [{ measure, won, lost, size, low, high, p }];
  });
  const adjusted = holm(rows.map((r) => r.p));
  return rows.map(({ measure, won, lost, size, low, high, p }, i) => ({
    measure,
    n_won: won.length,
    n_lost: lost.length,
    mean_won: round(mean(won)),
    mean_lost: round(mean(lost)),
    d: round(size),
    d_low: round(low),
    d_high: round(high),
    p: round(p),
    p_holm: round(adjusted[i] ?? null),
    auc: round(auc(won, lost)),
  }));
}

/** In how many random splits both halves alone have |t| > 1.96 with the same sign. */
export function splitsThatHold(calls: readonly ApiCall[], measure: MeasureName): number {
  let holds = 0;
  for (let split = 0; split < SPLITS; split++) {
    const mixed = shuffled(calls, 1_000 + split);
    const ts = [mixed.slice(0, mixed.length >> 1), mixed.slice(mixed.length >> 1)].map((half) => {
      const [won, lost] = [values(half, measure, true), values(half, measure, false)];
      return (effect(won, lost) ?? 0) * Math.sqrt((won.length * lost.length) / (won.length + lost.length));
    });
    if (ts.every((t) => t > 1.96) || ts.every((t) => t < -1.96)) holds++;
  }
  return holds / SPLITS;
}

/** How well numbers of a call tell its outcome, cross-validated over draws of folds that never split an agent. */
export function prediction(name: string, list: readonly ApiCall[], row: (c: ApiCall) => readonly (number | null)[]) {
  const rows = list.map(row);
  const runs = Array.from({ length: DRAWS }, (_, draw) =>
    crossValidate(
      rows,
      list.map(isWon),
      list.map((c) => c.agent_id),
      { folds: FOLDS, random: seededRandom(SEED + draw) },
    ),
  );
  const aucs = runs.map((r) => r.auc);
  return {
    kind: "prediction",
    from: name,
    measures: rows[0]?.length,
    auc: round(mean(aucs)),
    auc_lowest: round(Math.min(...aucs)),
    auc_highest: round(Math.max(...aucs)),
    accuracy: round(mean(runs.map((r) => r.accuracy))),
    brier: round(mean(runs.map((r) => r.brier))),
  };
}

/** The Brier score of always saying the share of won calls. */
export function baseBrier(list: readonly ApiCall[]): number | null {
  const p = list.filter(isWon).length / list.length;
  return round(p * (1 - p));
}

/** Fisher-Yates by a seed. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  const draw = seededRandom(seed);
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

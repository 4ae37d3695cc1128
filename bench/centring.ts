/**
 * Does taking the corpus mean from call vectors rank calls better? Same-label precision@5, with and without. Prints JSON.
 *   EARSHOT_DATA_SETS=… node bench/centring.ts
 * Labelled calls are made from banking77: six queries of one intent ("pure"), four of one intent among four lines of one
 * persuasion dialogue ("mixed"), two among eight ("faint"). Call vectors are word-weighted means, as in enrichment.
 */
import { poolVectors, segments } from "../src/core/pool.ts";
import { DIMENSIONS, normalize } from "../src/core/vector.ts";
import { exactCosine } from "../test/support/exact-vectors.ts";
import { seededRandom } from "../test/support/clustered-vectors.ts";
import { dataSets, embedCorpus, readCorpus } from "./corpus.ts";
import { machine } from "./machine.ts";

const CALLS_AN_INTENT = 12;
const NEAREST = 5;
const SHRINK = 10;
const SEEDS = [1, 2, 3];
const MIXTURES = { pure: [6, 0], mixed: [4, 4], faint: [2, 8] } as const;

const corpus = await readCorpus(dataSets(process.env));
const vectorOf = await embedCorpus(corpus);
const byIntent = Map.groupBy(corpus.intents, (x) => x.intent);

function pool(texts: readonly string[]): Float32Array {
  const vectors = new Float32Array(texts.length * DIMENSIONS);
  for (const [i, text] of texts.entries()) vectors.set(vectorOf(text), i * DIMENSIONS);
  const words = texts.map((text) => text.split(/\s+/).length);
  return poolVectors(vectors, words, 0, texts.length - 1);
}

function labelledCalls([own, shared]: readonly [number, number], seed: number): { label: string; v: Float32Array }[] {
  const random = seededRandom(seed);
  const pick = (limit: number) => Math.floor(random() * limit);
  const calls: { label: string; v: Float32Array }[] = [];
  for (const [label, queries] of byIntent) {
    for (let i = 0; i < CALLS_AN_INTENT; i++) {
      const texts = Array.from({ length: own }, () => (queries[pick(queries.length)] as { text: string }).text);
      const dialogue = corpus.persuasion[pick(corpus.persuasion.length)]?.texts ?? [];
      for (let j = 0; j < shared; j++) texts.push(dialogue[pick(dialogue.length)] as string);
      calls.push({ label, v: pool(texts) });
    }
  }
  return calls;
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(DIMENSIONS);
  for (const v of vectors) for (const [i, x] of v.entries()) sum[i] = (sum[i] as number) + x;
  return Float32Array.from(sum, (x) => x / vectors.length);
}

/** Precision@5 by label, leaving the call itself out, and the mean cosine of random pairs. */
function judge(calls: readonly { label: string; v: Float32Array }[], mean: Float32Array | null) {
  const vs = calls.map(({ v }) => normalize(v.map((x, i) => x - (mean?.[i] ?? 0))));
  let same = 0;
  let pairs = 0;
  let cosines = 0;
  for (const [i, a] of vs.entries()) {
    const scored = vs.map((b, j) => ({ j, score: i === j ? -2 : dotOf(a, b) })).toSorted((x, y) => y.score - x.score);
    for (const { j } of scored.slice(0, NEAREST)) if (calls[j]?.label === calls[i]?.label) same++;
    if (i > 0) {
      cosines += exactCosine(a, vs[(i * 7919) % i] as Float32Array);
      pairs++;
    }
  }
  return { precision: same / (NEAREST * vs.length), cosine: cosines / pairs };
}

function dotOf(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < DIMENSIONS; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

const round = (x: number) => Number(x.toFixed(4));
const found: Record<string, object> = {};
for (const [name, mixture] of Object.entries(MIXTURES)) {
  const runs = SEEDS.map((seed) => {
    const calls = labelledCalls(mixture, seed);
    const mean = meanOf(calls.map(({ v }) => v));
    return { stored: judge(calls, null), centred: judge(calls, mean) };
  });
  const average = (of: (run: (typeof runs)[number]) => number) =>
    round(runs.reduce((a, r) => a + of(r), 0) / runs.length);
  found[name] = {
    calls: byIntent.size * CALLS_AN_INTENT,
    precision_at_5: { stored: average((r) => r.stored.precision), centred: average((r) => r.centred.precision) },
    difference_by_seed: runs.map((r) => round(r.centred.precision - r.stored.precision)),
    cosine_of_random_pairs: { stored: average((r) => r.stored.cosine), centred: average((r) => r.centred.cosine) },
  };
}
// Few calls: their mean is mostly noise, so it counts by n / (n + SHRINK).
for (const n of [10, 30, 100, 300]) {
  const runs = Array.from({ length: Math.ceil(600 / n) }, (_, seed) => {
    const all = labelledCalls(MIXTURES.mixed, 100 + seed);
    const some = all.filter(
      (_, i) => i % CALLS_AN_INTENT < 5 && (Math.floor(i / CALLS_AN_INTENT) * 31 + seed * 7) % 77 < n / 5,
    );
    const mean = meanOf(some.map(({ v }) => v));
    const shrunk = mean.map((x) => (x * some.length) / (some.length + SHRINK));
    return [null, mean, shrunk].map((m) => judge(some, m).precision);
  });
  const average = (i: number) => round(runs.reduce((sum, run) => sum + (run[i] as number), 0) / runs.length);
  found[`mixed, about ${n} calls`] = {
    precision_at_5: { stored: average(0), centred: average(1), shrunk: average(2) },
  };
}

// Whether two halves of one real conversation find each other: no labels needed, and the calls are real.
const halves = corpus.persuasion
  .filter((d) => d.texts.length >= 10)
  .flatMap((d) => [0, 1].map((odd) => ({ label: d.id, v: pool(d.texts.filter((_, i) => (i >> 1) % 2 === odd)) })));
const mean = meanOf(halves.map(({ v }) => v));
const halfOf = (m: Float32Array | null) => {
  const { precision, cosine } = judge(halves, m);
  // One of the five nearest at most can be the other half.
  return { other_half_in_nearest_5: round(precision * NEAREST), cosine_of_random_pairs: round(cosine) };
};
found["halves of persuasion calls"] = { calls: halves.length, stored: halfOf(null), centred: halfOf(mean) };

// Segments: whether a turn finds its own call among the ten nearest segments.
const cut = corpus.persuasion.flatMap((d) => {
  const words = d.texts.map((text) => text.split(/\s+/).length);
  return segments(words).map((s) => ({ label: d.id, v: pool(d.texts.slice(s.first_turn, s.last_turn + 1)) }));
});
const asked = corpus.persuasion
  .flatMap((d) => d.texts.filter((t) => t.split(/\s+/).length >= 5).map((text) => ({ label: d.id, v: vectorOf(text) })))
  .filter((_, i) => i % 17 === 0);
const segmentMean = meanOf(cut.map(({ v }) => v));
const foundOwn = (m: Float32Array | null) => {
  const less = (v: Float32Array) => normalize(v.map((x, i) => x - (m?.[i] ?? 0)));
  const vs = cut.map(({ v }) => less(v));
  const own = asked.filter(({ label, v }) => {
    const q = less(v);
    const nearest = vs.map((x, j) => ({ j, score: dotOf(q, x) })).toSorted((x, y) => y.score - x.score);
    return nearest.slice(0, 10).some(({ j }) => cut[j]?.label === label);
  });
  return round(own.length / asked.length);
};
found["turns finding their call by segments"] = {
  segments: cut.length,
  turns: asked.length,
  in_nearest_10: { stored: foundOwn(null), centred: foundOwn(segmentMean) },
};

process.stdout.write(`${JSON.stringify({ machine: machine(), labels: byIntent.size, found }, null, 2)}\n`);

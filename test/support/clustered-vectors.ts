/** Seeded vectors shaped like embeddings of calls: one common direction, topics around it, noise around those. */
import { normalize } from "../../src/core/vector.ts";

/** mulberry32: uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal value by Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * n unit vectors of 384 values, row after row. `common`: cosine of random pairs, about (0.77 for MiniLM call vectors).
 */
export function clusteredVectors(n: number, { seed = 1, topics = 50, common = 0.5 } = {}): Float32Array {
  const random = seededRandom(seed);
  const direction = () => normalize(Float32Array.from({ length: 384 }, () => gaussian(random)));
  const mean = direction();
  const centres = Array.from({ length: topics }, direction);
  const out = new Float32Array(n * 384);
  const [m, c, e] = [Math.sqrt(common), Math.sqrt((1 - common) * 0.6), Math.sqrt((1 - common) * 0.4)];
  for (let i = 0; i < n; i++) {
    const centre = centres[Math.floor(random() * topics)] as Float32Array;
    const noise = direction();
    const row = noise.map((x, j) => m * (mean[j] as number) + c * (centre[j] as number) + e * x);
    out.set(normalize(row), i * 384);
  }
  return out;
}

/** Choosing a graph on this machine: is it right (against the one shipped), and how fast is it. */
import sentences from "./fixed-sentences.json" with { type: "json" };
import type { Encoder } from "./encoder.ts";

/** Cosines of the same sentences through two graphs. */
export interface Agreement {
  readonly median: number;
  readonly p5: number;
  readonly min: number;
}

/** int8 gave .991, .981, .971 and float32 .9997, .9989, .9980 when measured; processors differ a little. */
const LOWEST: Agreement = { median: 0.985, p5: 0.968, min: 0.95 };

export const BENCH_LENGTHS = [8, 16, 32, 64, 128, 256] as const;

export async function agreement(a: Encoder, b: Encoder): Promise<Agreement> {
  const cosines: number[] = [];
  for (const text of sentences) {
    const [u, v] = [await a.encode(text), await b.encode(text)];
    cosines.push(u.reduce((sum, x, i) => sum + x * (v[i] ?? 0), 0));
  }
  cosines.sort((x, y) => x - y);
  const at = (q: number): number => Number((cosines[Math.floor(q * (cosines.length - 1))] ?? 0).toFixed(5));
  return { median: at(0.5), p5: at(0.05), min: at(0) };
}

export function agrees({ median, p5, min }: Agreement): boolean {
  return median >= LOWEST.median && p5 >= LOWEST.p5 && min >= LOWEST.min;
}

/** Median ms of one run of `tokens` word pieces on one thread, over `runs` runs after two to warm up. */
export async function speed(encoder: Encoder, tokens: number, runs: number): Promise<number> {
  // Ids of whole words; what they say does not change the time.
  const ids = Array.from({ length: tokens }, (_, i) =>
    i === 0 ? 101 : i === tokens - 1 ? 102 : 2000 + ((i * 7919) % 20_000),
  );
  const times: number[] = [];
  for (let i = -2; i < runs; i++) {
    const start = performance.now();
    await encoder.encodeIds(ids);
    if (i >= 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return Number((times[times.length >> 1] ?? 0).toFixed(3));
}

/** Vector arithmetic shared by enrichment, similarity and search. */

export const DIMENSIONS = 384;

/** One fixed scale for every int8 vector, so that any two may be compared: components beyond ±0.3 are clipped. */
export const INT8_SCALE = 127 / 0.3;

/** Scales `v` to unit length in place and returns it; a zero vector stays zero. */
export function normalize(v: Float32Array): Float32Array {
  let sum = 0;
  for (const x of v) sum += x * x;
  if (sum > 0) {
    const k = 1 / Math.sqrt(sum);
    for (let i = 0; i < v.length; i++) v[i] = (v[i] as number) * k;
  }
  return v;
}

/** Dot product; the cosine where both are of unit length. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** float32 -> int8 by the fixed scale, rounded half away from zero and clipped to ±127. Any length. */
export function quantize(v: Float32Array): Int8Array {
  const out = new Int8Array(v.length);
  for (let i = 0; i < v.length; i++) {
    out[i] = Math.max(-127, Math.min(127, Math.round((v[i] as number) * INT8_SCALE)));
  }
  return out;
}

/** int8 -> float32; the inverse of `quantize` up to rounding. */
export function dequantize(v: Int8Array): Float32Array {
  const out = new Float32Array(v.length);
  for (let i = 0; i < v.length; i++) out[i] = (v[i] as number) / INT8_SCALE;
  return out;
}

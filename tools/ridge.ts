/** Ridge regression by the normal equations, for a few hundred columns. */

/** Weights w that minimise sum_i weight_i (row_i · w - y_i)^2 + lambda |w|^2; the last column (a constant 1) goes unpenalised. */
export function ridge(
  rows: readonly Float32Array[],
  y: readonly number[],
  weight: readonly number[],
  lambda: number,
): Float64Array {
  const n = rows[0]?.length ?? 0;
  const a = new Float64Array(n * n);
  const b = new Float64Array(n);
  for (const [r, row] of rows.entries()) {
    const w = weight[r] ?? 1;
    for (let i = 0; i < n; i++) {
      const wx = w * (row[i] as number);
      if (wx === 0) continue;
      b[i] = (b[i] as number) + wx * (y[r] ?? 0);
      const at = i * n;
      for (let j = 0; j <= i; j++) a[at + j] = (a[at + j] as number) + wx * (row[j] as number);
    }
  }
  for (let i = 0; i < n - 1; i++) a[i * n + i] = (a[i * n + i] as number) + lambda;
  return solve(a, b, n);
}

/** Cholesky on the lower triangle of `a`, in place. */
function solve(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const at = (i: number, j: number): number => a[i * n + j] as number;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      if (i === j && sum <= 0) throw new Error("the columns are linearly dependent; raise lambda");
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - at(i, k) * (x[k] as number);
    x[i] = (x[i] as number) / at(i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] = (x[i] as number) - at(k, i) * (x[k] as number);
    x[i] = (x[i] as number) / at(i, i);
  }
  return x;
}

/** Several passes of one side as one line: smallest, median and largest of each figure. */
import type { Pass } from "./drive-server.ts";

const KEYS = [
  "rps",
  "calls_per_s",
  "rate",
  "p50_ms",
  "p95_ms",
  "p99_ms",
  "max_ms",
  "delivered_ratio",
  "server_cpu_ms_per_request",
  "nginx_cpu_ms_per_request",
  "postgres_cpu_ms_per_request",
  "redis_cpu_ms_per_request",
  "server_cores",
  "other_cores",
  "server_rss_mb",
] as const;

/** Figures that no pass has are left out; `errors` is the sum. */
export function summary({ label, passes }: { label: string; passes: readonly Pass[] }): Record<string, unknown> {
  const spread = Object.fromEntries(
    KEYS.flatMap((key) => {
      const values = passes
        .map((p) => p[key])
        .filter((v) => typeof v === "number")
        .toSorted((a, b) => a - b);
      if (values.length === 0) return [];
      return [[key, { min: values[0], median: values[(values.length - 1) >> 1], max: values.at(-1) }]];
    }),
  );
  const errors = passes.reduce((sum, p) => sum + Number(p["errors"] ?? 0), 0);
  const failed = passes.find((p) => p.failed)?.failed;
  return { label, ...spread, errors, ...(failed && { failed }) };
}

/** The page's part on calls that go on. */
import { linesOf, type Results, said, short, table } from "./page-figures.ts";

const GOALS: Readonly<Record<string, number>> = { alone: 150, "beside a bulk import": 300 };

export function liveText(results: Results): string {
  const lines = linesOf(results, "live", (l) => l["phase"] !== undefined);
  const [first] = lines;
  if (first === undefined) return "";
  const rows = lines.map((l) => [
    l["imported"] === undefined
      ? said(l, "phase")
      : `${said(l, "phase")} (${said(l, "imported")} calls, ${said(l, "enriched")} enriched meanwhile)`,
    said(l, "turns"),
    ...["p50_ms", "p95_ms", "p99_ms", "acknowledged_p50_ms", "acknowledged_p95_ms"].map((key) =>
      short(l[key] as number),
    ),
    `p95 ≤ ${GOALS[said(l, "phase")] ?? "–"}: ${(l["p95_ms"] as number) <= (GOALS[said(l, "phase")] ?? 0) ? "met" : "missed"}`,
  ]);
  return `## Calls that go on

${said(first, "live_calls")} calls say a turn every two seconds each, every text a new one to the model. Times from a turn's POST to the
message with its sentiment on a socket that follows the call, and to the acknowledgement (fsynced), ms.

${table(["", "turns", "p50", "p95", "p99", "acknowledged p50", "p95", "goal"], rows)}`;
}

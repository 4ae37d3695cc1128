import { linesOf, range, type Results, said, short, type Side, type Spread, table } from "./page-figures.ts";

const verdict = (met: boolean) => (met ? "met" : "**missed**");

/** The section of bench/group-commit.ts; empty while it has no result. */
export function groupText(results: Results): string {
  const line = linesOf(results, "group-commit", (l) => l["measure"] === "group_commit").at(-1);
  if (!line) return "";
  const sides = line["sides"] as readonly Side[];
  const idle = line["idle_read_p99_ms"] as unknown as Spread;
  const ratio = line["ratio"] as unknown as Spread;
  const syncs = sides.find((s) => s.label === "grouped")?.["fsyncs_per_row"] as number | null | undefined;
  const rows = sides.map((s) => [
    s.label,
    range(s, "rows_per_s"),
    range(s, "rows_per_commit"),
    short(s["fsyncs_per_row"] as number | null),
    range(s, "read_p99_ms"),
    String(s["failed"] as number),
  ]);
  const counted =
    typeof syncs === "number"
      ? `${short(syncs)} syncs a row against a goal of ≤ 0.1 (${verdict(syncs <= 0.1)}), counted by strace in passes of
their own, checkpoints included`
      : "syncs were not counted, for want of strace";
  return `## Sharing a commit

${said(line, "callers")} callers accept calls that have just ended, one at a time, straight into the store of ${short(line["calls"] as number)} calls: what
arrives together in one transaction, against one transaction a call, pass about in one run. Rows a second: ${short(ratio.median)}x (${short(ratio.min)}–${short(ratio.max)}),
goal ≥ 5x (${verdict(ratio.median >= 5)}); ${counted}. A call is read every 2 ms on the event loop that sends
the writes, timed from when it was due: with nothing written p99 is ${short(idle.median)} ms (${short(idle.min)}–${short(idle.max)}). What no group shares is the page of a call's
words; its places in the indexes follow later, thousands of calls together, on both sides alike.

${table(["", "rows/s", "rows a commit", "syncs a row", "read p99 ms meanwhile", "failed"], rows)}`;
}

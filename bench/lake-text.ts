/** The lake's part of docs/benchmarks.md. */
import { linesOf, type Results, said, short, table } from "./page-figures.ts";

export function lakeText(results: Results): string {
  const [written] = linesOf(results, "lake", (l) => l["measure"] === "write");
  const asked = linesOf(results, "lake", (l) => l["question"] !== undefined);
  if (written === undefined || asked.length === 0) return "";
  const number = (key: string): number => Number(written[key]);
  const rows = asked.map((l) => [
    said(l, "question"),
    said(l, "by"),
    short(Number(l["ms"])),
    `${short(Number(l["min_ms"]))}–${short(Number(l["max_ms"]))}`,
    short(Number(l["first_ms"])),
  ]);
  return `## Which part answers which question

${short(number("calls"))} calls over two years, ${short(number("store_bytes") / 1e6)} MB in SQLite. \`earshot lake write\` makes ${short(number("files"))} Parquet files of
${short(number("bytes") / 1e6)} MB of them in ${short(number("seconds"))} s (${short(number("cpu_ms_a_call"))} ms of CPU a call; the event loop waited ${short(number("longest_wait_ms"))} ms at most). Each question of the lake
begins by reading the manifest; the first answer is apart, because nothing is in memory then.

${table(["question", "by", "ms", "from–to", "first"], rows)}`;
}

/** The table of docs/operations.md, from the newest run of the bench `overload`. Pure. */
import type { Line, Results } from "./page-figures.ts";

const BEGIN = "<!-- bench/results/overload.json -->";
const END = "<!-- end -->";

const number = (value: Line[string] | undefined, digits = 0): string =>
  typeof value === "number" ? Number(value.toFixed(digits)).toLocaleString("en") : "–";

const text = (value: Line[string] | undefined): string => (typeof value === "string" ? value : "–");

/** Offered, answered and refused a load, one row each; empty without a result. */
function overloadTable(results: Results): string {
  const run = results["overload"]?.at(-1);
  const lines = run?.lines.filter((l) => l["overload"] !== undefined) ?? [];
  const first = run?.lines[0];
  if (first === undefined || lines.length === 0) return "";
  const peak = Math.max(...lines.map((l) => Number(l["goodput"])));
  const head =
    "| load | offered/s | answered/s | of the most | p50 ms | p99 ms | refused | p99 of refusals, ms | errors |";
  const rows = lines.map((l) => {
    const share = `${number((100 * Number(l["goodput"])) / peak)} %`;
    const cells = [`${number(l["overload"], 1)}x`, number(l["offered"]), number(l["goodput"]), share];
    cells.push(number(l["p50_ms"], 1), number(l["p99_ms"], 1), number(l["refused"]));
    return `| ${[...cells, number(l["refused_p99_ms"], 1), number(l["errors"])].join(" | ")} |`;
  });
  const where = `${number(first["calls"])} calls, ${text(first["processor"])}, ${number(first["cores"])} cores with the load generator on the same, Node ${text(first["node"])}`;
  return [
    head,
    head.replaceAll(/[^|]+/g, "---"),
    ...rows,
    "",
    `Medians of ${number(first["rounds"])} rounds of ${number(first["seconds"])} s: ${where}.`,
  ].join("\n");
}

/** The page with the table of these results in its place. */
export function withOverloadTable(page: string, results: Results): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("docs/operations.md has no place for the table");
  return `${before}${BEGIN}\n\n${overloadTable(results)}\n\n${END}${after}`;
}

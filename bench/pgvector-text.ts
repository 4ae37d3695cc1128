import { type Line, type Results, said, short, table } from "./page-figures.ts";

interface Searched {
  readonly ms: { readonly p50: number; readonly p95: number };
  readonly recall_at_10: number;
}
interface Side {
  readonly searches: Readonly<Record<string, Searched>>;
  readonly [figure: string]: unknown;
}

const WHAT: Readonly<Record<string, string>> = {
  all: "all rows",
  "0.1%": "0.1 %, one agent",
  "1%": "1 %, one agent",
  "10%": "10 %, one agent",
  "10% by start": "10 %, by start time",
  "50% by calls": "half, by call numbers",
};

const cell = (searched: Searched | undefined): string =>
  searched === undefined
    ? "–"
    : `${short(searched.ms.p50)} / ${short(searched.ms.p95)} ms, ${searched.recall_at_10.toFixed(3)}`;

function section(line: Line): string {
  const embedded = line["embedded"] as unknown as Side;
  const pgvector = line["pgvector"] as unknown as Side;
  const figure = (side: Side, name: string) => short(side[name] as number);
  const rows = Object.keys(embedded.searches).map((name) => [
    WHAT[name] ?? name,
    cell(embedded.searches[name]),
    cell(pgvector.searches[name]),
  ]);
  return `${short(line["rows"] as number)} ${said(line, "kind")} vectors. Embedded: read from the database in ${figure(embedded, "load_s")} s, ${figure(embedded, "mb")} MB in each
process. pgvector: rows in ${figure(pgvector, "rows_s")} s, graph in ${figure(pgvector, "graph_s")} s with ${said(line, "memory")} of maintenance_work_mem; ${figure(pgvector, "table_mb")} MB of rows, ${figure(pgvector, "graph_mb")} MB of
graph; a row is saved in ${figure(pgvector, "write_ms_a_row")} ms, ten in a transaction, its code included.

${table(["ten nearest of", "embedded: p50 / p95, recall@10", "pgvector: p50 / p95, recall@10"], rows)}`;
}

/** The section of bench/pgvector.ts: of each kind the newest result over the most rows; empty while there is none. */
export function pgvectorText(results: Results): string {
  const lines = (results["pgvector"] ?? []).flatMap((run) => run.lines).filter((line) => line["bench"] === "pgvector");
  const sections = ["call", "segment"].flatMap((kind) => {
    const best = lines
      .filter((line) => line["kind"] === kind)
      .toReversed()
      .toSorted((a, b) => Number(b["rows"]) - Number(a["rows"]))[0];
    return best === undefined ? [] : [section(best)];
  });
  if (sections.length === 0) return "";
  return `## Vectors in the database

The index in each process and pgvector's, both over the same vectors made of real turns in the same PostgreSQL on the same two cores, one question at a time,
against exact float32 search (\`npm run bench -- pgvector\`). Up to 10,000 rows that pass are compared one by one, in the database too.

${sections.join("\n\n")}`;
}

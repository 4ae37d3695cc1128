/** docs/benchmarks.md and its plots, from bench/results/*.json. Pure: the same results give the same text. */
import { groupText } from "./group-commit-text.ts";
import { lakeText } from "./lake-text.ts";
import { liveText } from "./live-text.ts";
import {
  type Line,
  linesOf,
  range,
  type Results,
  said,
  short,
  shown,
  type Side,
  spread,
  table,
} from "./page-figures.ts";
import { pgvectorText } from "./pgvector-text.ts";
import { barPlot, linePlot } from "./plot.ts";
import { rampText, scaleText } from "./scale-text.ts";
import { socketsText } from "./sockets-text.ts";

interface Goal {
  readonly row: string;
  readonly title: string;
  readonly goal: string;
  /** The figure that is held against the goal, and whether it is enough. */
  readonly figure: (
    ours: Side,
    others: Readonly<Record<string, Side>>,
  ) => readonly [value: number | null, enough: number];
}

const cpu = (side: Side | undefined) => spread(side, "server_cpu_ms_per_request")?.median ?? null;
const rate = (side: Side | undefined) => (spread(side, "calls_per_s") ?? spread(side, "rps"))?.median ?? null;
const over = (a: number | null, b: number | null) => (a === null || b === null || b === 0 ? null : a / b);

const byRate =
  (enough: number): Goal["figure"] =>
  (ours, { fastapi }) => [over(rate(ours), rate(fastapi)), enough];
const byCpu =
  (enough: number): Goal["figure"] =>
  (ours, { fastapi }) => [over(cpu(fastapi), cpu(ours)), enough];

const GOALS: readonly Goal[] = [
  { row: "get", title: "one call by id", goal: "CPU a request ≥ 8x less", figure: byCpu(8) },
  {
    row: "get",
    title: "one call by id, against bare node:http with the same answer",
    goal: "≥ 75 % of its requests a second",
    figure: (ours, { bare }) => [over(rate(ours), rate(bare)), 0.75],
  },
  { row: "list", title: "filtered list page, total included", goal: "CPU a request ≥ 8x less", figure: byCpu(8) },
  { row: "agents", title: "analytics per agent", goal: "≥ 1,000x", figure: byRate(1000) },
  { row: "recs", title: "recommendations, peer's vectors in memory", goal: "≥ 50x", figure: byRate(50) },
  {
    row: "recs-filtered",
    title: "recommendations among one agent's calls of 180 days (the peer has no such filters)",
    goal: "–",
    figure: () => [null, 1],
  },
  { row: "post", title: "single POST, fsynced here, not there", goal: "≥ 10x", figure: byRate(10) },
  { row: "bulk", title: "bulk POST of 1,000", goal: "≥ 8x", figure: byRate(8) },
  { row: "mix", title: "80 % reads, 20 % writes", goal: "≥ 10x", figure: byRate(10) },
];

/** Relative paths under docs/ -> contents. */
export function benchmarksPage(results: Results): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const parts = [HEAD, machineText(results), rowsText(results, files), pacedText(results)];
  parts.push(groupText(results), socketsText(results), liveText(results), scaleText(results), rampText(results));
  parts.push(
    growthText(results, files),
    indexText(results),
    lakeText(results),
    modelText(results, files),
    vectorText(results),
    pgvectorText(results),
    WHY,
    LEFT,
  );
  files.set("benchmarks.md", `${parts.filter((p) => p !== "").join("\n\n")}\n`);
  return files;
}

const HEAD = `# Benchmarks

Made by \`node bench/write-page.ts\` from the results in bench/results, which \`npm run bench -- NAME\` appends; do not edit.

The peer is the stack the design notes start from: FastAPI, async SQLAlchemy, aiosqlite, two workers, written fairly
([bench/peer](../bench/peer/README.md)). Both serve the same 200,000 calls and get the same seeded requests, in turn, in several
rounds, on the same cores as the load generator (wrk, 32 connections). On a shared machine single figures wander; ratios of
rounds in turn, and the server's CPU time a request (its whole process tree, from /proc), wander least. A cell
is the median and, in brackets, the smallest and largest round.

Not measured alike, in both directions: Earshot checks a key, answers with an ETag and keeps metrics, and fsyncs each write before it
answers; the peer does none of that. The peer computes a stand-in for the model's work (0.5 ms) in each POST; Earshot
accepts and leaves enrichment to a worker, which does not run in the rows of this table (the paced row and the model's have it). Earshot's
seeded calls were not enriched by the model: sentiment, talk ratio and call vectors are the seed's, the same as the peer's, written
through the store's own commands; a call by id carries every turn with its sentiment and some forty measures, three times the
peer's bytes.`;

const WHY = `## Where a goal is missed, and why

The goals are ratios over one reading of the peer on older packages (FastAPI 0.92 without compiled pydantic, SQLAlchemy 1.4), where it made
1,514 calls by id, 6.5 recommendations, 301 single and 2,254 bulk calls a second. On current packages the peer itself is faster, at
recommendations ten times. What \`npm run bench -- profile NAME\` shows of Earshot:

- **One call by id**: the answer is the stored document, unpacked and put between the row and its end. What remains is the SQL statement, the
  write to the socket and the unpacking, half of the time together; against a bare server that makes the same answer, Fastify,
  access control, headers and metrics.
- **List**: half is SQLite: counting one agent's calls in the index and fetching 20 rows of a file of 5 GB.
- **Recommendations**: the scan of all call vectors, then reading 13 full vectors from SQL to rank the best exactly, then the nudges. The
  peer multiplies one float32 matrix by BLAS, which reads 300 MB a request; Earshot reads 10 MB of sign codes and the int8 rows of the nearest 4,000.
- **POST, bulk, mix**: pages are the writer thread's work: the words of a call and its place among the fresh ones, at once; later, with
  thousands of others, its places in six indexes and the counts (docs/adr/0007). While 8,000 calls settle nobody else writes, which is the p99; between that, a
  single POST waits mostly for the event loop: HTTP, checking, the digest and the text of the turns. The peer fsyncs nothing.
- **Open loop**: of the 1.8 cores that the server uses, the requests need a quarter (0.4 ms each); the rest is enrichment, which takes
  what it can get of two cores, and a request waits for its turn behind it.
- **RSS**: 200,000 calls have 1.08 million segment vectors in memory (451 MB) beside call vectors, the model threads' sessions and 64 MB of
  pages a connection to the file.`;

const LEFT = `## Not measured here

How much PostgreSQL, Redis and Kafka add on machines of their own: here they share two cores with everything else.`;

function machineText(results: Results): string {
  const run = shown(results["get"], (l) => "row" in l) ?? Object.values(results)[0]?.[0];
  const m = run?.lines[0];
  if (!m) return "";
  const peer = typeof m["peer"] === "string" ? ` Peer: ${said(m, "peer")}.` : "";
  return `Machine: ${said(m, "processor")}, ${said(m, "cores")} cores, ${said(m, "memory_gb")} GB, Node ${said(m, "node")}, ${said(m, "platform")}; shared with other work meanwhile.${peer}`;
}

function rowSides(results: Results, row: string): { line: Line; sides: Readonly<Record<string, Side>> } | null {
  const against = (l: Line) => l["row"] === row && (l["sides"] as readonly Side[]).every((s) => s.label !== "before");
  const line = linesOf(results, row, against).at(-1);
  if (!line) return null;
  return { line, sides: Object.fromEntries((line["sides"] as readonly Side[]).map((s) => [s.label, s])) };
}

function rowsText(results: Results, files: Map<string, string>): string {
  const rows: string[][] = [];
  const bars: { label: string; value: number; goal: number }[] = [];
  for (const { row, title, goal, figure } of GOALS) {
    const found = rowSides(results, row);
    const ours = found?.sides["earshot"];
    if (!found || !ours) continue;
    const [value, enough] = figure(ours, found.sides);
    const bare = enough < 1;
    const other = bare ? found.sides["bare"] : found.sides["fastapi"];
    const per = row === "bulk" ? "calls_per_s" : "rps";
    rows.push([
      title,
      range(ours, per),
      range(other, per),
      `${short(over(rate(ours), rate(other)))}x`,
      range(ours, "server_cpu_ms_per_request"),
      range(other, "server_cpu_ms_per_request"),
      `${short(over(cpu(other), cpu(ours)))}x`,
      goal,
      value === null
        ? "–"
        : value >= enough
          ? "met"
          : `**missed** (${bare ? `${short(100 * value)} %` : `${short(value)}x`})`,
      `${short(found.line["calls"] as number)} · ${Object.values(found.sides).reduce((n, s) => n + s.errors, 0)}`,
    ]);
    if (value !== null && !bare) bars.push({ label: title, value, goal: enough });
  }
  if (rows.length === 0) return "";
  files.set("plots/ratios.svg", barPlot("Earshot over the peer (log scale; line: the goal)", bars));
  const recallOf = (row: string) => linesOf(results, row, (l) => l["measure"] === "recall").at(-1);
  const recall = recallOf("recs");
  const filtered = recallOf("recs-filtered");
  const notes = [
    recall &&
      `Recommendations: recall@10 of the index against exact float32 search is ${short(recall["recall_at_10"] as number)} over ${said(recall, "queries")} calls; one search of the index takes ${said(recall, "search_p50_ms")} ms.`,
    filtered &&
      `Among the calls of one agent within 90 days it is ${short(filtered["recall_at_10"] as number)}, and a search takes ${said(filtered, "search_p50_ms")} ms.`,
  ].filter(Boolean);
  const head = [
    "row",
    "req/s (bulk: calls/s)",
    "other",
    "ratio",
    "CPU ms a request",
    "other",
    "ratio",
    "goal",
    "",
    "calls · errors",
  ];
  return `## Against the peer\n\n${table(head, rows)}\n\n![ratios](plots/ratios.svg)\n\n${notes.join("\n\n")}`.trimEnd();
}

function pacedText(results: Results): string {
  const found = rowSides(results, "paced");
  if (!found) return "";
  const lines = linesOf(results, "paced", (l) => "self_test" in l);
  const stall = lines.at(-1);
  const rows = Object.values(found.sides).map((s) => [
    s.label,
    ...["rate", "p50_ms", "p95_ms", "p99_ms", "max_ms", "server_rss_mb"].map((key) => range(s, key)),
    String(s.errors),
  ]);
  const proof = stall
    ? `The harness was tried on itself: with the server stopped for one second, p99 reads ${short(stall["p99_ms"] as number)} ms and the maximum ${short(stall["max_ms"] as number)} ms (${said(stall, "self_test")}).`
    : "";
  return `## Open loop at half of capacity

500 connections, the rate of half of what \`mix\` reaches, latency from when a request was due; enrichment runs in the same process. Goal: p99 ≤ 20 ms, RSS ≤ 1 GB.

${table(["", "rate/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "RSS MB", "errors"], rows)}

${proof}`.trimEnd();
}

function growthText(results: Results, files: Map<string, string>): string {
  const lines = linesOf(results, "growth", (l) => l["growth"] !== undefined);
  if (lines.length === 0) return "";
  const names = [...new Set(lines.map((l) => l["growth"] as string))];
  const sizes = [...new Set(lines.map((l) => l["size"] as number))].toSorted((a, b) => a - b);
  const at = (name: string, size: number, key: string) =>
    lines.find((l) => l["growth"] === name && l["size"] === size)?.[key] as number | undefined;
  files.set(
    "plots/growth.svg",
    linePlot(
      "CPU ms a request as calls grow (log-log)",
      names.map((name) => ({
        label: name,
        points: sizes.flatMap((s) => {
          const y = at(name, s, "server_cpu_ms_per_request");
          return y === undefined ? [] : [[s, y] as const];
        }),
      })),
    ),
  );
  const head = ["row", ...sizes.flatMap((s) => [`${short(s)}: req/s`, "CPU ms"]), "CPU, largest / smallest"];
  const rows = names.map((name) => [
    name,
    ...sizes.flatMap((s) => [short(at(name, s, "rps")), short(at(name, s, "server_cpu_ms_per_request"))]),
    `${short(over(at(name, sizes.at(-1) as number, "server_cpu_ms_per_request") ?? null, at(name, sizes[0] as number, "server_cpu_ms_per_request") ?? null))}x`,
  ]);
  return `## As calls grow

Earshot alone. Calls of six short turns with a call vector and no turn or segment vectors, so that a million fit. Goal: analytics per agent flat.

${table(head, rows)}

![growth](plots/growth.svg)`;
}

function indexText(results: Results): string {
  const lines = linesOf(results, "indexes", (l) => l["query"] !== undefined);
  if (lines.length === 0) return "";
  const rows = lines.map((l) => [
    short(l["rows"] as number),
    l["query"] as string,
    l["kind"] as string,
    short(l["without_ms"] as number),
    short(l["with_ms"] as number),
    `${short(l["gain"] as number)}x`,
    `${said(l, "claimed")}x`,
    (l["gain"] as number) >= (l["claimed"] as number) ? "holds" : "does not hold",
  ]);
  return `## What the four indexes of the design notes gain

The notes claim 25x for an agent, 20x for a date range (30 days of two years here), 25x for both with a sentiment band. The same queries over the same
rows, median of 30 each, warm cache, in the SQLite file alone, once for a page of the newest 20 and once for the whole count. The rows are
as narrow as Earshot keeps them; where words and embeddings lie in the same row, as in the peer, a scan costs more and the gain is larger.

${table(["rows", "query", "asked", "without ms", "with ms", "gain", "claimed", ""], rows)}`;
}

function modelText(results: Results, files: Map<string, string>): string {
  const speeds = linesOf(results, "model", (l) => l["measure"] === "speed");
  if (speeds.length === 0) return "";
  const labels = [...new Set(speeds.map((l) => l["graph"] as string))];
  const lengths = [...new Set(speeds.map((l) => l["tokens"] as number))].toSorted((a, b) => a - b);
  const at = (graph: string, tokens: number) =>
    speeds.find((l) => l["graph"] === graph && l["tokens"] === tokens)?.["per_second"] as number | undefined;
  files.set(
    "plots/model.svg",
    linePlot(
      "Sequences a second and core, by word pieces (log-log)",
      labels.map((label) => ({
        label,
        points: lengths.flatMap((n) => {
          const y = at(label, n);
          return y === undefined ? [] : [[n, y] as const];
        }),
      })),
    ),
  );
  const rows = labels.map((g) => [g, ...lengths.map((n) => short(at(g, n)))]);
  const sections = [
    `## The model

Sequences a second on one core, one text a run, by word pieces; texts of one run, all measured in turn. Goal: ≥ 60 of 128.

${table(["graph", ...lengths.map(String)], rows)}

![model](plots/model.svg)`,
  ];
  const texts = linesOf(results, "model", (l) => l["measure"] === "texts");
  if (texts.length > 0) {
    const body = texts.map((l) => [
      l["runner"] as string,
      short(l["per_second"] as number),
      short(l["cpu_ms_a_text"] as number),
      l["loop_delay_p99_ms"] === undefined ? "–" : short(l["loop_delay_p99_ms"] as number),
      short(l["rss_mb"] as number),
      l["note"] as string,
    ]);
    sections.push(
      `The same texts through everything a runner does (tokenise, run, pool):\n\n${table(["", "texts/s", "CPU ms a text", "event loop p99 ms", "RSS MB", ""], body)}`,
    );
  }
  const every = (results["enrich"] ?? [])
    .flatMap((run) => run.lines)
    .filter((l) => l["measure"] === "import_and_enrich");
  // The newest of each kind.
  const kinds = [
    every.findLast((l) => l["serving_rps"] === undefined),
    every.findLast((l) => l["serving_rps"] !== undefined),
  ];
  const jobs = kinds.filter((l) => l !== undefined);
  if (jobs.length > 0) {
    const body = jobs.map((l) => [
      l["serving_rps"] === undefined ? "idle" : `serving ${short(l["serving_rps"] as number)} requests/s`,
      short(l["calls"] as number),
      short(l["calls_an_hour"] as number),
      short(l["cpu_ms_a_call"] as number),
      short(l["peak_rss_mb"] as number),
      short((l["loop_delay_p99_ms"] ?? l["slowest_readiness_ms"]) as number),
    ]);
    sections.push(
      `Import and enrichment of persuasion-for-good by a running server:\n\n${table(["", "calls", "calls an hour", "CPU ms a call", "peak RSS MB", "slowest answer meanwhile, ms"], body)}`,
    );
  }
  return sections.join("\n\n");
}

function vectorText(results: Results): string {
  const lines = linesOf(results, "vectors", (l) => l["rows"] !== undefined || l["bench"] === "vectors");
  if (lines.length === 0) return "";
  return `## Vectors\n\n\`\`\`json\n${lines.map((l) => JSON.stringify(l)).join("\n")}\n\`\`\``;
}

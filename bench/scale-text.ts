/** The page's parts on several processes and on a business day. */
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

const over = (a: Side | undefined, b: Side | undefined, key: string): string => {
  const [x, y] = [spread(a, key)?.median, spread(b, key)?.median];
  return x === undefined || y === undefined ? "–" : `${short(x / y)}x`;
};

export function scaleText(results: Results): string {
  const line = linesOf(results, "scale", (l) => l["row"] === "scale").at(-1);
  if (line === undefined) return "";
  const sides = line["sides"] as readonly Side[];
  const [first] = sides;
  const rows = sides.map((side) => [
    side.label,
    range(side, "rps"),
    over(side, first, "rps"),
    range(side, "p50_ms"),
    range(side, "p99_ms"),
    ...["server", "nginx", "postgres", "redis"].map((part) => range(side, `${part}_cpu_ms_per_request`)),
    over(side, first, "server_cpu_ms_per_request"),
    short(spread(side, "server_rss_mb")?.median),
    String(side.errors),
  ]);
  const head = [
    "",
    "requests/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "CPU ms a request: Earshot",
    "nginx",
    "PostgreSQL",
    "Redis",
  ];
  return `## One process and several

The same seeded requests (40 % calls by id, 20 % lists, 20 % single POSTs, 10 % figures per agent, 10 % recommendations) over the same
${short(line["calls"] as number)} calls, in turn in one run of ${said(line, "rounds")} rounds, from 32 connections in a closed loop; no enrichment runs. Everything shares
the machine's cores, the load generator too: more processes add no processor here, and what the table shows is what a
request costs each part. \`npm run bench -- scale\`.

${table([...head, "ratio of Earshot's CPU", "RSS MB, all processes", "errors"], rows)}`;
}

const minute = (l: Line): string => String(Number(((l["from_s"] as number) / 60).toFixed(2)));
const figure = (l: Line, key: string): string => short(l[key] as number | null);

export function rampText(results: Results): string {
  const run = shown(results["ramp"], (l) => "ramp" in l);
  const total = run?.lines.findLast((l) => "ramp" in l);
  if (!run || !total) return "";
  const rows = run.lines
    .filter((l) => "slice" in l)
    .map((l) => [
      minute(l),
      ...["rate", "admitted", "refused", "errors", "p50_ms", "p99_ms", "waiting", "queue_age_s"].map((key) =>
        figure(l, key),
      ),
    ]);
  const gone = total["backlog_gone_after_s"];
  const end =
    gone === null
      ? "The backlog was not gone when the bench gave up."
      : `The backlog was gone ${short(gone as number)} s after the last request.`;
  return `## A business day in minutes

One process that serves and enriches, ${short(total["calls"] as number)} calls to begin with. The mix of 80 % reads and 20 % POSTs, every line of a call a new
text to the model, rises tenfold to ${figure(total, "peak")} requests a second, holds and falls within ${said(total, "ramp")} minutes, open loop from 500 connections,
latency from when a request was due. \`npm run bench -- ramp\`.

${table(["from minute", "offered/s", "admitted", "refused", "errors", "p50 ms", "p99 ms", "calls waiting", "age of the oldest, s"], rows)}

At most ${figure(total, "most_waiting")} calls waited, the oldest ${figure(total, "most_age_s")} s. ${end}`;
}

/** The tables of docs/insight.md, from what bench/insight.ts found and what a reader judged; the prose between stays. */
import before from "../bench/results/insight-before.json" with { type: "json" };
import results from "../bench/results/insight.json" with { type: "json" };
import readings from "../bench/results/nudges-read.json" with { type: "json" };
import { type Effect, forestPlot } from "./insight-plot.ts";

type Line = Readonly<Record<string, unknown>> & { readonly kind: string };
type Row = Readonly<Record<string, string | number | boolean | null>>;
const lines = results as unknown as readonly Line[];
const earlier = before as unknown as readonly Line[];

/** Puts every table in its place: between `<!-- table: name -->` and `<!-- end -->`. @throws where a name is unknown or missing */
export function insightPage(page: string): string {
  const seen = new Set<string>();
  const out = page.replaceAll(/<!-- table: ([\w-]+) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
    const make = TABLES[name];
    if (make === undefined) throw new Error(`docs/insight.md: no table ${name}`);
    seen.add(name);
    return `<!-- table: ${name} -->\n${make()}\n<!-- end -->`;
  });
  const missing = Object.keys(TABLES).filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`docs/insight.md: no place for ${missing.join(", ")}`);
  return out;
}

/** docs/images/insight-effects.svg. */
export function effectsPlot(): string {
  const effects = sorted("measure").map(
    (r): Effect => ({
      measure: String(r["measure"]),
      d: number(r["d"]),
      d_low: number(r["d_low"]),
      d_high: number(r["d_high"]),
      clear: number(r["p_holm"]) < 0.05,
    }),
  );
  return forestPlot("How won and lost conversations differ, measure by measure", effects);
}

/** Every nudge that was judged, with what is now answered for the same call. For the test. */
export function judgedTexts(): { judged: string[]; answered: string[] }[] {
  return readings
    .filter((r) => r.round === "after" || r.round === "third")
    .map((r) => ({
      judged: r.nudges.map((n) => `${n.rule_id}: ${n.text}`),
      answered: (
        (lines.find((l) => l.kind === "read" && l["call_id"] === r.call_id)?.["nudges"] ?? []) as {
          rule_id: string;
          text: string;
        }[]
      ).map((n) => `${n.rule_id}: ${n.text}`),
    }));
}

const TABLES: Readonly<Record<string, () => string>> = {
  effects: () =>
    table(
      [
        "measure",
        "mean won",
        "mean lost",
        "d",
        "95 %",
        "95 %, persuaders drawn again",
        "d, workers once",
        "p",
        "p, Holm",
        "AUC",
      ],
      sorted("measure").map((r) => [
        code(r["measure"]),
        figure(r["mean_won"]),
        figure(r["mean_lost"]),
        `**${signed(r["d"])}**`,
        range(r["d_low"], r["d_high"]),
        range(r["d_low_by_persuader"], r["d_high_by_persuader"]),
        signed(r["d_workers_once"]),
        chance(r["p"]),
        chance(r["p_holm"]),
        fixed(r["auc"], 3),
      ]),
    ),
  absent: () => {
    const none = rows("persuasion")[0]?.["no_value"] as unknown as Readonly<Record<string, readonly string[]>>;
    return table(
      ["reason", "measures without a value"],
      Object.entries(none).map(([reason, names]) => [reason, names.map(code).join(", ")]),
    );
  },
  split: () =>
    table(
      ["measure", "d, first half", "p, Holm", "d, second half", "p", "of 200 other splits, both halves p < 0.05"],
      rows("split_half")
        .toSorted((a, b) => Math.abs(number(b["d_first"])) - Math.abs(number(a["d_first"])))
        .map((r) => [
          code(r["measure"]),
          signed(r["d_first"]),
          chance(r["p_holm_first"]),
          signed(r["d_second"]),
          chance(r["p_second"]),
          `${Math.round(number(r["splits_that_hold"]) * 100)} %`,
        ]),
    ),
  again: () => {
    return table(
      ["measure", "whole conversation", "its first half alone", "p, Holm", "word list instead of the model", "p, Holm"],
      sorted("measure")
        .filter((r) => String(r["measure"]).includes("sentiment"))
        .map((r) => {
          const half = again("first half of the conversation", r["measure"]);
          const list = again("word list instead of the model", r["measure"]);
          return [
            code(r["measure"]),
            signed(r["d"]),
            signed(half?.["d"]),
            chance(half?.["p_holm"]),
            signed(list?.["d"]),
            chance(list?.["p_holm"]),
          ];
        }),
    );
  },
  prediction: () => {
    const base = rows("base_rate")[0] ?? {};
    return table(
      ["from", "columns", "AUC (ten draws of folds)", "right", "Brier"],
      [
        ['nothing: always "won"', "0", "0.500", percent(base["accuracy"]), fixed(base["brier"], 3)],
        ...rows("prediction").map((r) => [
          String(r["from"]),
          String(r["measures"]),
          `**${fixed(r["auc"], 3)}** (${fixed(r["auc_lowest"], 3)} to ${fixed(r["auc_highest"], 3)})`,
          percent(r["accuracy"]),
          fixed(r["brier"], 3),
        ]),
      ],
    );
  },
  casino: () =>
    table(
      ["of one side", "its satisfaction", "how it likes the other", "its points"],
      [...new Set(rows("casino_correlation").map((r) => r["look"]))].map((look) => [
        String(look),
        ...["satisfaction", "likeness", "points"].map((scale) => {
          const r = rows("casino_correlation").find((x) => x["look"] === look && x["against"] === scale) ?? {};
          return `${signed(r["spearman"])} ${range(r["low"], r["high"])}`;
        }),
      ]),
    ),
  lines: () =>
    table(
      ["our own line", "meant", "score", ""],
      rows("own_line").map((r) => [
        String(r["text"]),
        r["meant"] === 0 ? "neutral" : r["meant"] === 1 ? "positive" : "negative",
        signed(r["score"]),
        r["right"] === true ? "right" : "**wrong**",
      ]),
    ),
  rules: () =>
    table(
      [
        "rule",
        "shown in",
        "won where shown",
        "won elsewhere",
        "difference, 95 %",
        "p, Holm",
        "before the mending: shown in, won",
      ],
      rows("rule")
        .toSorted(
          (a, b) => number(a["won_shown"]) - number(a["won_else"]) - number(b["won_shown"]) + number(b["won_else"]),
        )
        .map((r) => {
          const then = earlier.find((x) => x.kind === "rule" && x["rule"] === r["rule"]);
          return [
            `${code(r["rule"])}${r["strength"] === true ? " (strength)" : ""}`,
            String(r["shown"]),
            percent(r["won_shown"]),
            percent(r["won_else"]),
            `${points(number(r["won_shown"]) - number(r["won_else"]))} [${points(r["low"])}, ${points(r["high"])}]`,
            chance(r["p_holm"]),
            then ? `${number(then["shown"])}, ${percent(then["won_shown"])}` : "never",
          ];
        }),
    ),
  truth: () =>
    table(
      [
        "rule",
        "what the generator meant",
        "happened in",
        "shown in",
        "of what happened, shown",
        "of what is shown, happened",
        "before: shown, both",
      ],
      rows("demo_rule").map((r) => {
        const then = earlier.find((x) => x.kind === "demo_rule" && x["rule"] === r["rule"]);
        return [
          code(r["rule"]),
          code(r["event"]),
          String(r["happened"]),
          String(r["shown"]),
          percent(number(r["both"]) / number(r["happened"])),
          percent(number(r["both"]) / number(r["shown"])),
          then ? `${number(then["shown"])}, ${number(then["both"])}` : "–",
        ];
      }),
    ),
  tally: () =>
    table(
      ["read", "conversations", "nudges", "right", "arguable", "wrong"],
      ROUNDS.map(({ set, round, name }) => {
        const read = of(set, round);
        const nudges = read.flatMap((r) => r.nudges);
        const count = (judged: string) => nudges.filter((n) => n.judged === judged).length;
        return [
          name,
          String(read.length),
          String(nudges.length),
          ...["right", "arguable", "wrong"].map((j) => String(count(j))),
        ];
      }),
    ),
  "read-before": () => read("persuasion", "before"),
  "read-after": () => read("persuasion", "after"),
  "read-fresh": () => read("persuasion", "fresh"),
  "read-third": () => read("persuasion", "third"),
  "demo-before": () => read("demo", "before"),
  "demo-after": () => read("demo", "after"),
};

const ROUNDS = [
  { set: "persuasion", round: "before", name: "persuasion-for-good, drawn ten, rules as they were" },
  { set: "persuasion", round: "after", name: "the same ten, rules mended" },
  { set: "persuasion", round: "fresh", name: "a second ten, read after that mending" },
  { set: "persuasion", round: "third", name: "a third ten, read after the second mending" },
  { set: "demo", round: "before", name: "demo, drawn five, rules as they were" },
  { set: "demo", round: "after", name: "the same five, rules mended" },
] as const;

const again = (how: string, measure: unknown) =>
  rows("measure_again").find((r) => r["how"] === how && r["measure"] === measure);

function of(set: string, round: string) {
  return readings.filter((r) => r.set === set && r.round === round);
}

function read(set: string, round: string): string {
  return of(set, round)
    .map((r) => {
      const head = `**\`${r.call_id}\`** (${r.outcome}): ${r.happened}\n`;
      return `${head}\n${table(
        ["nudge", "judged", "why"],
        r.nudges.map((n) => [`${code(n.rule_id)}: ${n.text}`, n.judged, n.why]),
      )}`;
    })
    .join("\n\n");
}

function rows(kind: string): readonly Row[] {
  return lines.filter((l) => l.kind === kind) as unknown as readonly Row[];
}

/** By the size of the effect, whatever its sign. */
function sorted(kind: string): readonly Row[] {
  return rows(kind).toSorted((a, b) => Math.abs(number(b["d"])) - Math.abs(number(a["d"])));
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  return [tableLine(head), `|${head.map(() => "---|").join("")}`, ...body.map(tableLine)].join("\n");
}

const tableLine = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |`;

function number(x: unknown): number {
  if (typeof x !== "number") throw new Error(`no number: ${String(x)}`);
  return x;
}

const code = (x: unknown): string => `\`${String(x)}\``;
const fixed = (x: unknown, digits: number): string => number(x).toFixed(digits);
const percent = (x: unknown): string => (Number.isNaN(number(x)) ? "–" : `${Math.round(number(x) * 100)} %`);
const range = (low: unknown, high: unknown): string => `[${signed(low)}, ${signed(high)}]`;
/** Means of words need no decimals, those of scores two. */
const figure = (x: unknown): string => fixed(x, number(x) >= 20 ? 0 : number(x) >= 2 ? 1 : 3).replace("-", "−");

function signed(x: unknown): string {
  const text = Math.abs(number(x)).toFixed(2);
  return Number(text) === 0 ? text : `${number(x) < 0 ? "−" : "+"}${text}`;
}

function points(x: unknown): string {
  const whole = Math.round(number(x) * 100);
  return whole === 0 ? "0" : `${whole < 0 ? "−" : "+"}${Math.abs(whole)}`;
}

/** A p-value; 10,000 shuffles show none below 0.0001. */
function chance(x: unknown): string {
  const p = number(x);
  return p < 0.001 ? p.toFixed(4) : p < 0.1 ? p.toFixed(3) : p.toFixed(2);
}

/**
 * node bench/insight.ts [FOLDER] [--write]   (or EARSHOT_DATA_SETS)
 * What the measures say about how real conversations ended. Everything goes through the product: import beside a running
 * server, the real model, figures read from the API. Prints JSON lines; --write keeps them in bench/results/insight.json,
 * from which tools/write-insight.ts makes the tables of docs/insight.md. No text of the data sets is printed.
 */
import { writeFile } from "node:fs/promises";
import { COMMITTED } from "../src/core/coach-cues.ts";
import type { MeasureName } from "../src/core/measures.ts";
import { MEASURE_NAMES } from "../src/core/measures.ts";
import { mean } from "../src/core/stats.ts";
import { seededRandom } from "../test/support/clustered-vectors.ts";
import { modelDir } from "../test/support/model.ts";
import {
  type ApiCall,
  camped,
  casino,
  demo,
  OWN,
  persuasion,
  type Recommended,
  type SideOutcome,
} from "./insight-data.ts";
import { throughProduct, workers } from "./insight-data.ts";
import { clusterBootstrap, effect, holm, permutationP, spearman } from "./insight-stats.ts";
import {
  baseBrier,
  isWon,
  measuresByOutcome,
  prediction,
  round,
  SEED,
  SHUFFLES,
  shuffled,
  splitsThatHold,
  values,
} from "./insight-outcomes.ts";
import { machine } from "./machine.ts";
import ownLines from "./own-lines.json" with { type: "json" };

const args = process.argv.slice(2);
const folder = args.find((a) => !a.startsWith("--")) ?? process.env["EARSHOT_DATA_SETS"];
if (!folder) throw new Error("name the data's folder: node bench/insight.ts FOLDER");

const RESAMPLES = 1_000;
/** The first ten led to mended rules; the second ten were read after, and led to one more; the third after that. */
const CONVERSATIONS_READ = 30;
const DEMO_READ = 5;

const found: Record<string, unknown>[] = [];
const print = (line: Record<string, unknown>): void => {
  found.push(line);
  console.log(JSON.stringify(line));
};
const says = (c: ApiCall): number => (c.turns.some((t) => t.speaker === "customer" && COMMITTED.test(t.text)) ? 1 : 0);
const model = await modelDir();

print({ kind: "machine", ...machine(), date: new Date().toISOString().slice(0, 10), seed: SEED });

const wins = (list: readonly ApiCall[]) => list.map((c) => Number(isWon(c)));
const rho = (sample: readonly { x: number; y: number }[]) =>
  spearman(
    sample.map((s) => s.x),
    sample.map((s) => s.y),
  );

// ---- persuasion-for-good -------------------------------------------------------------------------------------------

const people = await workers(folder);
const { calls, recommended } = await throughProduct(persuasion(folder), { model, recommend: true });
const customerOf = (c: ApiCall): string => people.get(c.call_id)?.persuadee ?? c.call_id;
const agentsTimes = [...Map.groupBy(calls, (c) => c.agent_id).values()];
print({
  kind: "persuasion",
  calls: calls.length,
  won: calls.filter(isWon).length,
  turns: calls.reduce((n, c) => n + c.turns.length, 0),
  persuaders: agentsTimes.length,
  persuadees: new Set(calls.map(customerOf)).size,
  // What bears on the labels: promises that were not kept, conversations that stop in the middle.
  says_yes_of_won: round(mean(calls.filter(isWon).map(says))),
  says_yes_of_lost: round(mean(calls.filter((c) => !isWon(c)).map(says))),
  of_20_turns: calls.filter((c) => c.turns.length === 20).length,
  customer_last: calls.filter((c) => c.turns.at(-1)?.speaker === "customer").length,
  no_value: Object.groupBy(
    MEASURE_NAMES.filter((m) => calls.every((c) => c.insights[m] === null)),
    (m) => calls[0]?.insights.unavailable[m] ?? "",
  ),
});

const had = MEASURE_NAMES.filter((m) => calls.some((c) => c.insights[m] !== null));
const d = (list: readonly ApiCall[], m: MeasureName): number | null =>
  effect(values(list, m, true), values(list, m, false));

// Every worker once: later conversations of a worker who was seen before, on either side, are left out.
const seen = new Set<string>();
const once = calls.filter((c) => {
  const both = [c.agent_id, customerOf(c)];
  if (both.some((w) => seen.has(w))) return false;
  for (const w of both) seen.add(w);
  return true;
});

const byOutcome = measuresByOutcome(calls, had);
for (const line of byOutcome) {
  const again = clusterBootstrap(agentsTimes, (sample) => d(sample, line.measure), {
    times: RESAMPLES,
    random: seededRandom(SEED),
  });
  print({
    kind: "measure",
    ...line,
    d_low_by_persuader: round(again?.low ?? null),
    d_high_by_persuader: round(again?.high ?? null),
    d_workers_once: round(d(once, line.measure)),
  });
}
print({ kind: "workers_once", calls: once.length, won: once.filter(isWon).length });

// Half chosen by the seed alone, before any figure: what is found in one half, does it hold in the other?
const order = shuffled(calls, SEED);
const [first, second] = [order.slice(0, order.length >> 1), order.slice(order.length >> 1)];
const other = new Map(measuresByOutcome(second, had).map((l) => [l.measure, l]));
for (const line of measuresByOutcome(first, had)) {
  const there = other.get(line.measure);
  print({
    kind: "split_half",
    measure: line.measure,
    d_first: line.d,
    p_holm_first: line.p_holm,
    d_second: there?.d,
    p_second: there?.p,
    splits_that_hold: round(splitsThatHold(calls, line.measure), 3),
  });
}

// Prediction. Folds never split a persuader.
const early = (await throughProduct(persuasion(folder, { half: true }), { model })).calls;
const listed = (await throughProduct(persuasion(folder), { model: "statistical:" })).calls;
const isSentiment = (m: MeasureName): boolean => m.includes("sentiment");
const of = (names: readonly MeasureName[]) => (c: ApiCall) => names.map((m) => c.insights[m]);
const predict = (...input: Parameters<typeof prediction>): void => print(prediction(...input));
const spoken = had.filter((m) => !isSentiment(m));
predict("all measures", calls, of(had));
predict("counted measures only (words, questions, fillers)", calls, of(spoken));
predict("sentiment measures only", calls, of(had.filter(isSentiment)));
predict("sentiment measures only, word list instead of the model", listed, of(had.filter(isSentiment)));
predict("all measures, first half of the conversation only", early, of(had));
predict("counted measures only, first half", early, of(spoken));
predict("sentiment measures only, first half", early, of(had.filter(isSentiment)));
predict('one pattern: the customer says yes ("I will donate")', calls, (c) => [says(c)]);
predict("the pattern and all measures", calls, (c) => [says(c), ...of(had)(c)]);
predict("the pattern, first half only", early, (c) => [says(c)]);
print({
  kind: "base_rate",
  accuracy: round(calls.filter(isWon).length / calls.length),
  auc: 0.5,
  brier: baseBrier(calls),
});

for (const [how, list] of [
  ["first half of the conversation", early],
  ["word list instead of the model", listed],
] as const) {
  for (const line of measuresByOutcome(list, had)) {
    if (how === "word list instead of the model" && !isSentiment(line.measure)) continue;
    print({ kind: "measure_again", how, ...line });
  }
}

// Do the rules of the coach have to do with how calls end?
const rules = [...new Set([...recommended.values()].flatMap((r) => r.nudges.map((n) => n.rule_id)))];
const shows = (c: ApiCall, rule: string): boolean =>
  recommended.get(c.call_id)?.nudges.some((n) => n.rule_id === rule) ?? false;
const byRule = rules.map((rule) => {
  const [yes, no] = [calls.filter((c) => shows(c, rule)), calls.filter((c) => !shows(c, rule))];
  const [a, b] = [mean(wins(yes)) ?? 0, mean(wins(no)) ?? 0];
  const error = Math.sqrt((a * (1 - a)) / yes.length + (b * (1 - b)) / Math.max(1, no.length));
  const severities = new Set(
    calls
      .flatMap((c) => recommended.get(c.call_id)?.nudges.filter((n) => n.rule_id === rule) ?? [])
      .map((n) => n.severity),
  );
  return {
    rule,
    strength: severities.has("strength"),
    shown: yes.length,
    won_shown: a,
    won_else: b,
    low: a - b - 1.959964 * error,
    high: a - b + 1.959964 * error,
    p: permutationP(wins(yes), wins(no), { times: SHUFFLES, random: seededRandom(SEED) }),
  };
});
const rulesHolm = holm(byRule.map((r) => r.p));
for (const [i, r] of byRule.entries()) {
  const { won_shown, won_else, low, high, p, ...rest } = r;
  print({
    kind: "rule",
    ...rest,
    won_shown: round(won_shown),
    won_else: round(won_else),
    low: round(low),
    high: round(high),
    p: round(p),
    p_holm: round(rulesHolm[i] ?? null),
  });
}

// Similar calls: does a call's neighbourhood share its outcome and mood more than chance has it?
const outcomeOf = new Map(calls.map((c) => [c.call_id, c]));
const near = calls.flatMap((c) =>
  (recommended.get(c.call_id)?.similar_calls ?? []).map((s) => [c, outcomeOf.get(s.call_id) as ApiCall] as const),
);
const random = seededRandom(SEED);
const anyone = near.map(([c]) => [c, calls[Math.floor(random() * calls.length)] as ApiCall] as const);
const agree = (pairs: typeof near, same: (a: ApiCall, b: ApiCall) => number) =>
  round(mean(pairs.map(([a, b]) => same(a, b))));
const sameOutcome = (a: ApiCall, b: ApiCall): number => Number(a.outcome === b.outcome);
const moodGap = (a: ApiCall, b: ApiCall): number =>
  Math.abs((a.customer_sentiment_score ?? 0) - (b.customer_sentiment_score ?? 0));
print({
  kind: "similar",
  pairs: near.length,
  same_outcome: agree(near, sameOutcome),
  same_outcome_random: agree(anyone, sameOutcome),
  mood_gap: agree(near, moodGap),
  mood_gap_random: agree(anyone, moodGap),
});

const drawn = shuffled(calls, SEED).slice(0, CONVERSATIONS_READ);
for (const c of drawn)
  print({ kind: "read", set: "persuasion", call_id: c.call_id, outcome: c.outcome, nudges: nudgesOf(recommended, c) });

// ---- the demo, whose generator knows what happens ------------------------------------------------------------------

const { input, truth } = demo();
const shown = await throughProduct(input, { model, recommend: true });
const EVENTS = {
  missing_next_step: "no_next_step",
  clear_next_step: "next_step_agreed",
  unanswered_objection: "objection_unanswered",
  price_before_need: "price_before_need",
  interruptions: "interruption",
  monologue: "monologue",
} as const;
for (const [rule, event] of Object.entries(EVENTS)) {
  const happened = (c: ApiCall) => truth.get(c.call_id)?.events.some((e) => e === event) ?? false;
  const nudged = (c: ApiCall) => shown.recommended.get(c.call_id)?.nudges.some((n) => n.rule_id === rule) ?? false;
  print({
    kind: "demo_rule",
    rule,
    event,
    calls: shown.calls.length,
    happened: shown.calls.filter(happened).length,
    shown: shown.calls.filter(nudged).length,
    both: shown.calls.filter((c) => happened(c) && nudged(c)).length,
  });
}
for (const c of shuffled(shown.calls, SEED).slice(0, DEMO_READ)) {
  const { events, sentiment_start, sentiment_end, scenario } = truth.get(c.call_id) ?? {};
  const known = { scenario, events, sentiment_start, sentiment_end };
  print({
    kind: "read",
    set: "demo",
    call_id: c.call_id,
    outcome: c.outcome,
    truth: known,
    nudges: nudgesOf(shown.recommended, c),
  });
}

// ---- casino --------------------------------------------------------------------------------------------------------

const camping = await throughProduct(
  casino(
    folder,
    ownLines.map((l) => l.text),
  ),
  { model },
);
const outcomes = await camped(folder);
const sides = camping.calls
  .filter((c) => c.call_id !== OWN)
  .map((c) => (["agent", "customer"] as const).map((side, i) => ({ c, side, said: outcomes.get(c.call_id)?.[i] })));
const against = ["satisfaction", "likeness", "points"] as const;
const looks: Record<string, (c: ApiCall, side: "agent" | "customer") => number | null> = {
  "own sentiment": (c, side) => c.insights[`${side}_sentiment_score`],
  "own sentiment, first quarter": (c, side) => c.insights[`${side}_sentiment_q1`],
  "own sentiment, last quarter": (c, side) => c.insights[`${side}_sentiment_q4`],
  "the other side's sentiment": (c, side) => c.insights[`${side === "agent" ? "customer" : "agent"}_sentiment_score`],
  "own words": (c, side) => c.insights[`${side}_words`],
  "own share of the words": (c, side) => {
    const ratio = c.insights.agent_talk_ratio;
    return ratio === null ? null : side === "agent" ? ratio : 1 - ratio;
  },
  "own questions": (c, side) => c.insights[`${side}_questions`],
};
print({ kind: "casino", dialogues: sides.length, sides: sides.length * 2 });
for (const [look, value] of Object.entries(looks)) {
  for (const scale of against) {
    const pairs = sides.map((both) =>
      both.flatMap(({ c, side, said }): { x: number; y: number }[] => {
        const x = value(c, side);
        return x === null || !said ? [] : [{ x, y: said[scale as keyof SideOutcome] }];
      }),
    );
    const interval = clusterBootstrap(pairs, rho, { times: RESAMPLES, random: seededRandom(SEED) });
    print({
      kind: "casino_correlation",
      look,
      against: scale,
      n: pairs.flat().length,
      spearman: round(rho(pairs.flat())),
      low: round(interval?.low ?? null),
      high: round(interval?.high ?? null),
    });
  }
}

// ---- sentiment of our own lines ------------------------------------------------------------------------------------

const own = camping.calls.find((c) => c.call_id === OWN);
for (const [i, { text, meant }] of ownLines.entries()) {
  const score = own?.turns[i]?.sentiment ?? null;
  if (score === null) throw new Error(`no sentiment: ${text}`);
  const right = meant === 0 ? Math.abs(score) < 1 / 3 : score * meant >= 0.1;
  print({ kind: "own_line", text, meant, score: round(score, 2), right });
}

if (args.includes("--write")) {
  const lines = found.map((line) => `  ${JSON.stringify(line)}`).join(",\n");
  await writeFile(new URL("results/insight.json", import.meta.url), `[\n${lines}\n]\n`);
}

function nudgesOf(from: ReadonlyMap<string, Recommended>, c: ApiCall) {
  return from.get(c.call_id)?.nudges.map(({ rule_id, severity, text }) => ({ rule_id, severity, text }));
}

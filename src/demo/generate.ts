/** The demo's calls and their ground truth: same seed and `now`, same calls. */
import type { Outcome, Turn } from "../core/call.ts";
import { decks } from "./grammar.ts";
import { type Account, drawAccount, drawPlan, type Plan, type Scenario } from "./plan.ts";
import { random, type Random } from "./random.ts";
import { close, customerQuestions, discover, greet, object, pitch, quote, react, summarise } from "./scenes.ts";
import { type Stage, stage } from "./stage.ts";
import { turnsOf } from "./timing.ts";
import { DEMO_AGENTS, type DemoAgent } from "./world.ts";

type DemoEvent =
  | "objection_answered"
  | "objection_unanswered"
  | "price_before_need"
  | "no_next_step"
  | "next_step_agreed"
  | "summary"
  | "monologue"
  | "interruption";

/** A body of POST /api/v1/calls. */
interface DemoCall {
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string;
  readonly language: "en";
  /** RFC 3339. */
  readonly start_time: string;
  readonly outcome: Outcome;
  readonly turns?: readonly {
    turn_id: string;
    speaker: "agent" | "customer";
    text: string;
    start_ms?: number;
    end_ms?: number;
  }[];
  readonly transcript?: string;
}

export interface DemoTruth {
  readonly call_id: string;
  readonly topic: string;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** -1..1: the mood the customer's lines were drawn from; average, first and last. */
  readonly intended_sentiment: number;
  readonly sentiment_start: number;
  readonly sentiment_end: number;
  /** 0..1. */
  readonly agent_skill: number;
  readonly team: string;
  readonly events: readonly DemoEvent[];
  readonly open_questions: number;
  readonly interruptions: number;
}

export interface Demo {
  readonly call: DemoCall;
  readonly truth: DemoTruth;
}

/** Sales calls of the last six months before `now` (epoch ms), newest last, in business hours (UTC). */
export function generateDemo(input: { seed: number; now: number; calls?: number }): Demo[] {
  const rng = random(input.seed);
  const cards = decks(rng);
  const cast = casting(rng, input.calls ?? 260, input.now);
  return cast.map(({ account, agent, scenario, outcome, start }, i) => {
    const plan = drawPlan(rng, { agent, account, scenario, outcome, start });
    const s = stage(plan, rng, cards, 16 + Math.round(24 * plan.depth));
    const summary = play(s);
    // Two calls in twelve come from a system without timings, one of them as plain text.
    const form = i % 12;
    const turns = turnsOf(s.lines, plan, rng, form !== 5 && form !== 11);
    const call_id = `demo-${String(i + 1).padStart(4, "0")}`;
    return { call: body(call_id, plan, start, turns, form === 11), truth: truthOf(call_id, s, summary) };
  });
}

/** Plays the scenes; whether the agent summed up. */
function play(s: Stage): boolean {
  const { scenario, price_before_need, outcome, mood, depth } = s.plan;
  greet(s);
  if (scenario === "cold" && outcome === "lost" && depth < 0.6) {
    // Most cold calls that fail fail early.
    if (price_before_need) quote(s, true);
    pitch(s);
    if (mood.mean > -0.5 && price_before_need) object(s);
    close(s);
    return false;
  }
  if (price_before_need) quote(s, true);
  if (scenario === "cold" || scenario === "discovery") discover(s);
  if (scenario === "renewal" && depth > 0.5) {
    s.agent(s.phrase(s.plan.account.topic.features));
    react(s);
  }
  if (scenario !== "renewal") pitch(s);
  customerQuestions(s);
  const named = s.plan.objections.some(({ kind }) => kind === "price");
  if (!price_before_need && (scenario !== "cold" || depth > 0.5 || named)) quote(s, false);
  object(s);
  const summary = summarise(s);
  close(s);
  return summary;
}

interface Cast {
  readonly account: Account;
  readonly agent: DemoAgent;
  readonly scenario: Scenario;
  readonly outcome: Outcome | null;
  readonly start: number;
}

/** Accounts with one to three calls each, in the order of time. */
function casting(rng: Random, calls: number, now: number): Cast[] {
  const out: Cast[] = [];
  for (let number = 0; out.length < calls; number++) {
    const account = drawAccount(rng, number);
    const agent = DEMO_AGENTS[number % DEMO_AGENTS.length] as DemoAgent;
    const first = rng.pick<Scenario>(["cold", "discovery", "discovery", "follow_up", "renewal"]);
    const goesOn = (first === "cold" || first === "discovery") && rng.chance(0.2 + 0.3 * agent.skill);
    let start = businessTime(rng, now, rng.int(goesOn ? 30 : 1, 180));
    out.push({ account, agent, scenario: first, outcome: goesOn ? "open" : null, start });
    if (goesOn && out.length < calls) {
      const weeks = rng.int(7, 24);
      const days = Math.max(1, Math.floor((now - start) / 86_400_000) - weeks);
      start = businessTime(rng, now, days);
      out.push({ account, agent, scenario: "follow_up", outcome: null, start });
    }
  }
  return out.toSorted((a, b) => a.start - b.start);
}

/** A weekday between 08:00 and 17:30 UTC, about `days` days before `now`. */
function businessTime(rng: Random, now: number, days: number): number {
  const date = new Date(now - days * 86_400_000);
  const weekday = date.getUTCDay();
  const back = weekday === 0 ? 2 : weekday === 6 ? 1 : 0;
  const minutes = 8 * 60 + Math.floor((rng.next() + rng.next()) * 285);
  return (
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - back) +
    minutes * 60_000 +
    rng.int(0, 59) * 1000
  );
}

function body(call_id: string, plan: Plan, start: number, turns: readonly Turn[], plain: boolean): DemoCall {
  const head = {
    call_id,
    agent_id: plan.agent.agent_id,
    customer_id: plan.account.customer_id,
    language: "en" as const,
    start_time: new Date(start).toISOString(),
    outcome: plan.outcome,
  };
  if (plain) {
    const name = { agent: "Agent", customer: "Customer" };
    return { ...head, transcript: turns.map((t) => `${name[t.speaker]}: ${t.text}`).join("\n") };
  }
  return {
    ...head,
    turns: turns.map(({ turn_id, speaker, text, start_ms, end_ms }) =>
      start_ms === null || end_ms === null ? { turn_id, speaker, text } : { turn_id, speaker, text, start_ms, end_ms },
    ),
  };
}

const round = (x: number): number => Math.round(x * 1000) / 1000;

function truthOf(call_id: string, s: Stage, summary: boolean): DemoTruth {
  const { plan } = s;
  const events = new Set<DemoEvent>([plan.next_step ? "next_step_agreed" : "no_next_step"]);
  for (const { answered } of plan.objections) events.add(answered ? "objection_answered" : "objection_unanswered");
  if (plan.price_before_need) events.add("price_before_need");
  if (summary) events.add("summary");
  if (s.monologues > 0) events.add("monologue");
  if (s.interruptions > 0) events.add("interruption");
  return {
    call_id,
    topic: plan.account.topic.id,
    scenario: plan.scenario,
    outcome: plan.outcome,
    intended_sentiment: round(plan.mood.mean),
    sentiment_start: round(plan.mood.start),
    sentiment_end: round(plan.mood.end),
    agent_skill: plan.agent.skill,
    team: plan.agent.team,
    events: [...events],
    open_questions: s.open_questions,
    interruptions: s.interruptions,
  };
}

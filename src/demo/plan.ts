/** What is to happen in a call, drawn before a word is said: the ground truth of the demo. */
import type { Outcome } from "../core/call.ts";
import type { Slots } from "./grammar.ts";
import { OBJECTION_KINDS, type ObjectionKind } from "./phrases-objections.ts";
import type { Random } from "./random.ts";
import type { Topic } from "./topic.ts";
import { BOSSES, COMPANY_NAMES, DAYS, type DemoAgent, FIRST_NAMES, LAST_NAMES, MONTHS, TOPICS } from "./world.ts";

export type Scenario = "cold" | "discovery" | "follow_up" | "renewal";

export interface Account {
  readonly customer_id: string;
  readonly first: string;
  readonly last: string;
  readonly company: string;
  readonly industry: string;
  readonly boss: string;
  readonly topic: Topic;
  readonly count: number;
  readonly price: number;
  readonly competitor: string;
  readonly system: string;
  /** Indexes of the main and the second pain. */
  readonly pains: readonly [number, number];
}

export interface Plan {
  readonly agent: DemoAgent;
  readonly account: Account;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** The agent's form in this call, 0..1. */
  readonly skill: number;
  /** The customer's mood, -1..1: at the start, at the end, and on average. */
  readonly mood: { readonly start: number; readonly end: number; readonly mean: number };
  readonly objections: readonly { readonly kind: ObjectionKind; readonly answered: boolean }[];
  readonly price_before_need: boolean;
  readonly next_step: boolean;
  /** How much there is to talk about, 0..1. */
  readonly depth: number;
  readonly slots: Slots;
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

export function drawAccount(rng: Random, number: number): Account {
  const topic = TOPICS[number % TOPICS.length] as Topic;
  const industry = rng.pick(topic.industries);
  const [main, second] = rng.shuffle(topic.pains.map((_, i) => i));
  return {
    customer_id: `cust-${String(number + 1).padStart(4, "0")}`,
    first: rng.pick(FIRST_NAMES),
    last: rng.pick(LAST_NAMES),
    company: `${rng.pick(COMPANY_NAMES)} ${industry}`,
    industry: industry.toLowerCase(),
    boss: rng.pick(BOSSES),
    topic,
    count: rng.int(...topic.counts),
    price: rng.int(...topic.price),
    competitor: rng.pick(topic.competitors),
    system: rng.pick(topic.systems),
    pains: [main as number, second as number],
  };
}

/** `outcome` is fixed from outside where a later call of the account shows how this one ended. */
export function drawPlan(
  rng: Random,
  input: { agent: DemoAgent; account: Account; scenario: Scenario; outcome: Outcome | null; start: number },
): Plan {
  const { agent, account, scenario } = input;
  const skill = clamp(agent.skill + rng.normal(0, 0.1), 0.03, 0.99);
  const objections = rng
    .shuffle(OBJECTION_KINDS)
    .slice(0, scenario === "cold" ? rng.int(1, 2) : rng.int(1, 3))
    .map((kind) => ({ kind, answered: rng.chance(0.08 + 0.88 * skill) }));
  const open = objections.filter((o) => !o.answered).length;
  const price_before_need =
    (scenario === "cold" || scenario === "discovery") && rng.chance(clamp(0.95 - 1.35 * skill, 0.02, 0.9));

  const pull = 1.5 * (skill - 0.5) - 0.3 * open - (price_before_need ? 0.25 : 0) + rng.normal(0, 0.5);
  const drawn: Outcome = pull > 0.22 ? "won" : pull < -0.32 ? "lost" : "open";
  // Nobody signs on a cold call.
  const outcome = input.outcome ?? (scenario === "cold" && drawn === "won" ? "open" : drawn);
  const next_step = outcome === "won" || (outcome === "open" && rng.chance(0.1 + 0.88 * skill));

  const lean = outcome === "won" ? 0.32 : outcome === "lost" ? -0.42 : 0;
  const mean = clamp(lean + 0.75 * (skill - 0.5) + rng.normal(0, 0.3), -0.92, 0.92);
  const change = clamp(0.5 * pull + rng.normal(0, 0.25), -0.9, 0.9);
  const [main, second] = account.pains;
  const pain = account.topic.pains;
  const total = account.count * account.price;
  return {
    agent,
    account,
    scenario,
    outcome,
    skill,
    mood: { start: clamp(mean - change / 2, -1, 1), end: clamp(mean + change / 2, -1, 1), mean },
    objections,
    price_before_need,
    next_step,
    depth: clamp(rng.normal(0.5, 0.25), 0, 1),
    slots: {
      first: account.first,
      last: account.last,
      agent: agent.name,
      company: account.company,
      industry: account.industry,
      boss: account.boss,
      product: account.topic.product,
      unit: account.topic.unit,
      count: String(account.count),
      price: `$${account.price}`,
      per: account.topic.per,
      total: `$${total.toLocaleString("en-US")}`,
      competitor: account.competitor,
      system: account.system,
      short: pain[main]?.short ?? "",
      short2: pain[second]?.short ?? "",
      month: MONTHS[(new Date(input.start).getUTCMonth() + rng.int(1, 4)) % 12] as string,
      daytime: new Date(input.start).getUTCHours() < 12 ? "morning" : "afternoon",
      day: rng.pick(DAYS),
      hour: `${rng.pick(["nine", "ten", "eleven", "two", "three", "four"])}${rng.pick(["", " thirty", " o'clock"])}`,
    },
  };
}

/** Who is on the line and what has been said: the small vocabulary in which scenes are written. */
import type { Speaker } from "../core/call.ts";
import { type Decks, expand, tidy } from "./grammar.ts";
import { AGENT } from "./phrases-agent.ts";
import { CUSTOMER } from "./phrases-customer.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import { COMPANY_NAMES, DAYS, DEMO_AGENTS, FIRST_NAMES, LAST_NAMES, MONTHS, TOPICS } from "./world.ts";

export interface Line {
  readonly speaker: Speaker;
  readonly text: string;
  /** interrupts: began before the last line ended. within: a backchannel inside the last line. waits: after a silence. */
  readonly how: "after" | "interrupts" | "within" | "waits";
}

export interface Stage {
  readonly plan: Plan;
  readonly rng: Random;
  readonly lines: Line[];
  interruptions: number;
  /** Nobody is cut off any more. */
  closing: boolean;
  open_questions: number;
  monologues: number;
  /** One phrase out of a list, filled; "" when the call has used them all. */
  phrase(list: readonly string[]): string;
  /** One phrase of the list that fits the customer's mood now. */
  moody(lists: readonly (readonly string[])[]): string;
  agent(...parts: string[]): void;
  customer(...parts: string[]): void;
  /** Moves the mood for the rest of the call. */
  shift(by: number): void;
  /** The mood now, -1..1. */
  mood(): number;
}

/** `expected` is the number of lines the call will have, roughly: the mood's way from start to end is spread over it. */
export function stage(plan: Plan, rng: Random, cards: Decks, expected: number): Stage {
  const used = new Set<string>();
  let moved = 0;
  const lines: Line[] = [];

  const mood = (): number => {
    const way = Math.min(1, lines.length / expected);
    return plan.mood.start + (plan.mood.end - plan.mood.start) * way + moved;
  };
  const phrase = (list: readonly string[]): string => {
    const template = cards.deal(list, used);
    return template === null ? "" : expand(template, plan.slots, rng);
  };
  const moody = (lists: readonly (readonly string[])[]): string => {
    const band = Math.min(4, Math.max(0, Math.floor((mood() + rng.normal(0, 0.12) + 1) * 2.5)));
    const words = phrase(lists[band] ?? []);
    return words === "" ? phrase(lists[Math.max(1, Math.min(3, band))] ?? []) : words;
  };

  /** No filler in front of an interjection or a name that is followed by a stop. */
  const filler = (fillers: readonly string[], text: string): string =>
    /^\S+( \S+)?[,.!?]/.test(text) || lines.length < 2 ? text : tidy(`${rng.pick(fillers)} ${soften(text)}`);

  const self: Stage = {
    plan,
    rng,
    lines,
    interruptions: 0,
    closing: false,
    open_questions: 0,
    monologues: 0,
    phrase,
    moody,
    mood,
    shift: (by) => {
      moved += by;
    },
    agent: (...parts) => {
      const text = yours(join(...parts), plan);
      if (text === "") return;
      const spoken = rng.chance(0.3 * (1 - plan.skill)) ? filler(AGENT.disfluency, text) : text;
      const before = lines.at(-1);
      if (before?.speaker === "agent" && before.how !== "within") {
        lines[lines.length - 1] = { ...before, text: tidy(`${before.text} ${spoken}`) };
        return;
      }
      lines.push({ speaker: "agent", text: spoken, how: rng.chance(0.02) ? "waits" : "after" });
      if (words(text) > 26 && rng.chance(0.35)) {
        lines.push({ speaker: "customer", text: rng.pick(CUSTOMER.backchannel), how: "within" });
      }
    },
    customer: (...parts) => {
      const text = join(...parts);
      if (text === "") return;
      const before = lines.findLast((line) => line.how !== "within");
      if (before?.speaker === "customer") {
        if (rng.chance(0.35)) {
          lines[lines.indexOf(before)] = { ...before, text: tidy(`${before.text} ${text}`) };
          return;
        }
        self.agent(phrase(rng.chance(plan.skill) ? AGENT.invite : AGENT.invite_weak) || "Okay.");
      }
      const spoken = rng.chance(0.2) ? filler(CUSTOMER.disfluency, text) : text;
      const long = words(spoken) > 12;
      if (long && !self.closing && rng.chance(0.5 * (1 - plan.skill) ** 2)) {
        lines.push({ speaker: "customer", text: cut(spoken, rng), how: "after" });
        lines.push({ speaker: "agent", text: phrase(AGENT.interrupt) || "Yes, but listen.", how: "interrupts" });
        self.interruptions++;
        lines.push({ speaker: "customer", text: moody(CUSTOMER.cut_off) || "As I was saying.", how: "after" });
        return;
      }
      lines.push({ speaker: "customer", text: spoken, how: "after" });
      if (long && rng.chance(0.12 + 0.28 * plan.skill)) {
        lines.push({ speaker: "agent", text: rng.pick(AGENT.backchannel), how: "within" });
      }
    },
  };
  return self;
}

export function words(text: string): number {
  return text.split(" ").length;
}

/** Parts into one turn; a part that ends in a comma runs on. */
export function join(...parts: readonly string[]): string {
  return tidy(parts.reduce((text, part) => `${text} ${text.endsWith(",") ? soften(part) : part}`, ""));
}

/** Lower-cases the first letter behind a filler, unless the word is a name or "I". */
function soften(text: string): string {
  return NAMES.has(/^[A-Za-z]+/.exec(text)?.[0] ?? "") ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

const NAMES: ReadonlySet<string> = new Set([
  ..."I Linda Sarah Peter Microsoft Outlook Northbeam Teams QuickBooks".split(" "),
  ...[FIRST_NAMES, LAST_NAMES, COMPANY_NAMES, MONTHS, DAYS].flat(),
  ...DEMO_AGENTS.map((agent) => agent.name),
  ...TOPICS.flatMap((topic) => [topic.product, ...topic.competitors].map((name) => name.split(" ")[0] as string)),
]);

/** The customer's "my boss" and "our ERP" in the agent's mouth. */
function yours(text: string, plan: Plan): string {
  let out = text;
  for (const own of [plan.slots["boss"], plan.slots["system"]]) {
    if (own !== undefined && /^(my|our) /.test(own)) out = out.replaceAll(own, own.replace(/^(my|our)/, "your"));
  }
  return out;
}

/** Drops the last few words: somebody spoke over them. */
function cut(text: string, rng: Random): string {
  const all = text.replace(/[.!?]$/, "").split(" ");
  const kept = all.slice(0, all.length - rng.int(2, 4)).join(" ");
  return `${kept.replace(/[,.;!?]$/, "")} -`;
}

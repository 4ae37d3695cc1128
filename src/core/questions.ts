/**
 * Questions by rule, for English, sentence by sentence.
 *
 * A sentence is a question when it ends in a question mark (tags alone, "right?", are none), when it has none but
 * begins like one ("do you …", "what is …"), or when it asks by prompt ("tell me about …", "walk me through …").
 * It is open when it begins with what, how, why or a prompt, unless it asks for a figure, a time or a detail ("how
 * many", "what time", "what is your name"), proposes ("how about Monday", "why don't we") or greets ("how are you").
 */
import type { Speaker } from "./call.ts";
import type { Speech } from "./speech.ts";
import { words } from "./words.ts";

export interface Question {
  readonly turn: number;
  readonly speaker: Speaker;
  readonly open: boolean;
  readonly sentence: string;
}

export function questionsOf(speech: Speech): Question[] {
  return speech.turns.flatMap(({ index, speaker, text }) =>
    sentences(text).flatMap((s) => {
      const kind = questionKind(s);
      return kind ? [{ turn: index, speaker, open: kind === "open", sentence: s }] : [];
    }),
  );
}

/** Sentences with their closing marks. A mark ends one only before a space or the end: "3.5", "a.b" stay whole. */
export function sentences(text: string): string[] {
  return text.split(/(?<=[.?!…]["'”’)]?)\s+|[\r\n]+/).filter((s) => /[\p{L}\p{N}]/u.test(s));
}

/** What a sentence asks: "open", "closed", or null for no question. */
export function questionKind(sentence: string): "open" | "closed" | null {
  const marked = /\?["'”’)!?.\s]*$/.test(sentence.slice(-12));
  const clauses = sentence
    .split(/[,;:–—]|\s-\s/)
    .map((c) => withoutLead(words(c)))
    .filter((c) => c.length > 0);
  const first = clauses[0];
  if (!first) return null;
  if (clauses.some(isPrompt)) return "open";
  if (marked) {
    if (clauses.every((c) => c.every((w) => TAGS.has(w)))) return null;
    // "So tell me, what …?": the clause that asks decides, the last one most likely.
    const asking = clauses.findLast((c) => !c.every((w) => TAGS.has(w)) && (beginsWh(c) || inverted(c)));
    return asking && isOpen(asking) ? "open" : "closed";
  }
  // Without its mark only a clear question form counts, and not for an exclamation ("what a day!").
  if (/!\W*$/.test(sentence.slice(-4))) return null;
  if (asksByForm(first)) return isOpen(first) ? "open" : "closed";
  return inverted(first) ? "closed" : null;
}

const set = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const LEAD = set("so and but or well okay ok now then also just um uh great good right sure yes no oh hi hello thanks");
const TAGS = set("right okay ok yeah huh hm hmm yes no eh really so sorry pardon correct alright well and");
const AUXILIARIES = set(
  "is are was were am do does did don't doesn't didn't can could can't couldn't will would won't wouldn't shall should " +
    "shouldn't may might must have has had haven't hasn't isn't aren't wasn't about if",
);
const SUBJECTS = set("you i we they he she it that this there your the anyone anybody someone everything");
const WH = /^(?:what|how|why|when|where|who|whom|whose|which)(?:'(?:s|re|d|ll|ve))?$/;
const FIGURES = set("many much old long often soon far big large tall high fast late early quickly frequently");
const DETAILS = set(
  "name names number email e-mail address phone website price cost budget zip postcode date birthday time day month year age size colour color title",
);
const PROMPTS = [
  /^(?:please )?(?:tell|show) me (?:more|about|how|what|why|a bit|a little|something)\b/,
  /^(?:please )?(?:walk|talk|take) me through\b/,
  /^(?:please )?(?:help me understand|describe|explain)\b/,
  /^(?:can|could|would|will) you (?:please |maybe |perhaps |just )*(?:(?:tell|show) me (?:more|about|how|what|why|a bit|a little)|(?:walk|talk|take) me through|help me understand|describe|explain|elaborate|say more)\b/,
];

function withoutLead(clause: readonly string[]): readonly string[] {
  let from = 0;
  while (from < 3 && from < clause.length - 1 && LEAD.has(clause[from] as string)) from++;
  return clause.slice(from);
}

function isPrompt(clause: readonly string[]): boolean {
  const head = clause.slice(0, 8).join(" ");
  return PROMPTS.some((p) => p.test(head));
}

function beginsWh(clause: readonly string[]): boolean {
  return WH.test(clause[0] as string);
}

/** "do you", "is it", "can we": the auxiliary before its subject. */
function inverted(clause: readonly string[]): boolean {
  const [verb = "", subject = ""] = clause;
  return AUXILIARIES.has(verb) && verb !== "about" && verb !== "if" && SUBJECTS.has(subject);
}

/** "what is", "how much would", "which plan do": an auxiliary soon after, and no subject before it ("what I do is"). */
function asksByForm(clause: readonly string[]): boolean {
  const [first = "", second = ""] = clause;
  if (!beginsWh(clause) || SUBJECTS.has(second)) return false;
  return /'(?:s|re|d|ll|ve)$/.test(first) || clause.slice(1, 4).some((w) => AUXILIARIES.has(w));
}

function isOpen(clause: readonly string[]): boolean {
  const [first = "", second = "", ...rest] = clause;
  // "Why don't we …" and "how about Monday" propose.
  if (first.startsWith("why")) return !/^(?:don't|not)$/.test(second);
  if (second === "about" && first === "how") return rest[0]?.startsWith("you") ?? false;
  if (first.startsWith("how")) {
    const social =
      clause.length <= 5 && /^(?:how are (?:you|things)|how's it|how is it going|how do you do)/.test(clause.join(" "));
    return !FIGURES.has(second) && !social;
  }
  if (!first.startsWith("what")) return false;
  return !DETAILS.has(second) && !(clause.length <= 6 && rest.some((w) => DETAILS.has(w)));
}

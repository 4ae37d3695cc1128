/** Rules over what was said: objections, prices, next steps, the mood at the end. */
import {
  ACKNOWLEDGED,
  BRUSH_OFF,
  COMMITTED,
  DECISION,
  matter,
  NEXT_STEP,
  OBJECTIONS,
  PRICE_FIGURE,
  PRICE_TALK,
  WHEN,
} from "./coach-cues.ts";
import {
  feeling,
  place,
  plural,
  practice,
  rangeOf,
  replyTo,
  type Rule,
  type Scene,
  signed,
  SOCIAL,
  turnBefore,
  within,
  totalWords,
} from "./coach-scene.ts";
import { questionKind, sentences } from "./questions.ts";
import { sentimentByPart } from "./sentiment.ts";
import type { SpokenTurn } from "./speech.ts";
import { words } from "./words.ts";

/** The customer leaves in a worse mood than is usual, or than the call began. */
export const endsBadly: Rule = (scene) => {
  const { customer_sentiment_q4: end, sentiment_change: change } = scene.input.measures;
  const begin = sentimentByPart(scene.speech, scene.input.turnSentiment, "customer", 3)[0] ?? null;
  const endRange = rangeOf(scene, "customer_sentiment_q4");
  const changeRange = rangeOf(scene, "sentiment_change");
  const low = end !== null && end < (endRange.low ?? -1);
  // A fall that ends in good spirits is no bad ending.
  const fell = change !== null && change < (changeRange.low ?? -2) && (end ?? 0) < 0.2;
  if (!low && !fell) return null;
  const late = scene.customer.slice(Math.floor((scene.customer.length * 2) / 3));
  const worst = lowest(scene, late.length > 0 ? late : scene.customer);
  if (!worst) return null;
  const felt = feeling(scene, worst) ?? 0;
  const sour = felt < -0.1 || (end ?? 0) < -0.1;
  const mood =
    fell && begin !== null
      ? `The customer's mood ${sour ? "fell" : "cooled"} from ${signed(begin)} at the start to ${signed(begin + (change ?? 0))} at the end`
      : `The customer's mood in the last quarter was ${signed(end ?? 0)}`;
  const cause = turnBefore(scene, worst.index);
  const advice = sour
    ? "Name the concern, agree what will be done about it, and check again before you close."
    : "Ask what is still open before you close.";
  return {
    rule_id: "sentiment_ending",
    topic: "mood",
    severity: !sour ? "low" : (end ?? 0) <= -1 / 3 || (change ?? 0) <= -0.6 ? "high" : "medium",
    text: `${mood}, lowest in turn ${worst.index + 1} (${signed(felt)}). ${advice}`,
    evidence: cause ? [worst.index, cause.index] : [worst.index],
    expected: low
      ? { ...endRange, measure: "customer_sentiment_q4", text: `last quarter ${within(endRange.low, null, signed)}` }
      : { ...changeRange, measure: "sentiment_change", text: `change ${within(changeRange.low, null, signed)}` },
    observed: low ? { value: end, text: signed(end ?? 0) } : { value: change, text: signed(change ?? 0) },
  };
};

/** An objection that the agent's answer does not take up. */
export const unansweredObjection: Rule = (scene) => {
  const open = objections(scene).filter((o) => !o.met);
  const worst = open.toSorted((a, b) => (feeling(scene, a.turn) ?? 0) - (feeling(scene, b.turn) ?? 0))[0];
  if (!worst) return null;
  const { turn, kind, reply } = worst;
  const last = reply.at(-1);
  const where = last
    ? `your answer in ${place([reply[0]?.index ?? last.index, last.index])} did not take it up`
    : "you gave no answer";
  return {
    rule_id: "unanswered_objection",
    topic: "objection",
    severity: "high",
    text: `The customer's ${kind} objection in turn ${turn.index + 1} stayed open: ${where}. Acknowledge it, ask what lies behind it, then answer it before going on.`,
    evidence: [turn.index, ...reply.slice(0, 3).map((r) => r.index)],
    expected: practice("every objection is acknowledged, asked about or answered in the next reply"),
    observed: { value: open.length, text: `${plural(open.length, "objection")} without an answer` },
  };
};

/** Nobody says what happens after the call. */
export const missingNextStep: Rule = (scene) => {
  if (!scene.speech.english || scene.customer.length === 0 || nextStep(scene)) return null;
  const last = scene.agent.at(-1);
  const closing = [last, scene.customer.at(-1)].flatMap((t) => (t ? [t.index] : []));
  if (!last) return null;
  const end = scene.input.measures.customer_sentiment_q4;
  const warm = end !== null && end >= 0.2 && scene.spoken.length >= 6;
  const late = scene.spoken.slice(Math.floor(scene.spoken.length / 2));
  const yes = late.findLast(
    (t) =>
      t.speaker === "customer" && sentences(t.text).some((s) => COMMITTED.test(s) && !/n't\b|\bnot\b|\bif\b/i.test(s)),
  );
  const asked = late.findLast((t) => t.speaker === "agent" && DECISION.test(t.text) && t.text.includes("?"));
  const state = yes
    ? yes.index > last.index
      ? `The customer agreed in turn ${yes.index + 1}, where the transcript ends. Confirm in writing who does what by when, and how you will follow up.`
      : `The customer agreed in turn ${yes.index + 1}, but you did not say what happens next. Confirm who does what by when, and how you will follow up.`
    : asked
      ? `You asked for a decision in turn ${asked.index + 1}, but the call ended without a next step. Whatever the answer, name one action with a date and ask for a yes.`
      : `Late in the call, from turn ${(scene.spoken[lastThird(scene)]?.index ?? 0) + 1} on, nobody asked for a decision or named a next step${warm ? `, although the customer ended at ${signed(end)}` : ""}. Propose one concrete action with a date before you say goodbye.`;
  const shown = yes ?? asked;
  return {
    rule_id: "missing_next_step",
    topic: "next_step",
    severity: warm && !shown ? "high" : "medium",
    text: state,
    evidence: shown ? [shown.index, ...closing] : closing,
    expected: practice("the agent names a concrete next step in the last third of the call"),
    observed: { value: 0, text: "no next step in the last third" },
  };
};

/** The agent names a figure before asking what the customer needs. */
export const priceBeforeNeed: Rule = (scene) => {
  const need = needQuestion(scene);
  const at = (t: SpokenTurn | undefined): number => (t ? (scene.position.get(t.index) ?? 0) : Number.POSITIVE_INFINITY);
  const price = scene.speech.english ? scene.agent.find((t) => PRICE_FIGURE.test(t.text)) : undefined;
  if (!price || scene.spoken.length < 6 || at(price) > scene.spoken.length * 0.6 || at(need) <= at(price)) return null;
  // Whoever is asked for the price may name it.
  if (scene.spoken.slice(0, at(price)).some((t) => t.speaker === "customer" && PRICE_TALK.test(t.text))) return null;
  const later = need
    ? `your first question about their needs came in turn ${need.index + 1}`
    : "you never asked what they need";
  return {
    rule_id: "price_before_need",
    topic: "price",
    severity: "medium",
    text: `You named a figure in turn ${price.index + 1}, but ${later}. Ask first what they want to achieve, then tie the price to that.`,
    evidence: need ? [price.index, need.index] : [price.index],
    expected: practice("a question about needs comes before the first price"),
    observed: { value: price.index + 1, text: `price in turn ${price.index + 1}` },
  };
};

/** The call ends on a question or a turn of the customer that nobody answers. */
export const noReply: Rule = (scene) => {
  const last = scene.spoken.findLast((t) => !t.backchannel);
  if (!last || last.speaker !== "customer" || scene.agent.length === 0) return null;
  if (!sentences(last.text).some((s) => s.includes("?") || (scene.speech.english && questionKind(s) !== null)))
    return null;
  return {
    rule_id: "unanswered_question",
    topic: "reply",
    severity: "medium",
    text: `The call ends with the customer's question in turn ${last.index + 1}, and no answer. Call back with one, and close on your own summary next time.`,
    evidence: [last.index],
    expected: practice("every question of the customer gets an answer"),
    observed: { value: 1, text: "the last turn is an open question" },
  };
};

/** Only one side has words: recorded wrongly, a voicemail, or nobody let speak. */
export const oneSided: Rule = (scene) => {
  if (scene.agent.length > 0 && scene.customer.length > 0) return null;
  const only = scene.spoken;
  const [has, lacks] = scene.agent.length > 0 ? ["agent", "customer"] : ["customer", "agent"];
  return {
    rule_id: "one_sided",
    topic: "one_sided",
    severity: "high",
    text: `Only the ${has} has words here: ${plural(only.length, "turn")}, ${plural(totalWords(scene), "word")}, none from the ${lacks}. Check the recording and the speaker labels before judging this call.`,
    evidence: only.slice(0, 3).map((t) => t.index),
    expected: practice("both sides are in the transcript"),
    observed: { value: 0, text: `no ${lacks} words` },
  };
};

// ---- shared with strengths -----------------------------------------------------------------------------------------

export interface RaisedObjection {
  readonly turn: SpokenTurn;
  readonly kind: string;
  readonly reply: readonly SpokenTurn[];
  readonly met: boolean;
}

/** Objections of the customer with the agent's reply, and whether it takes them up. English only. */
export function objections(scene: Scene): RaisedObjection[] {
  if (!scene.speech.english) return [];
  return scene.customer.flatMap((turn) => {
    const objection = OBJECTIONS.find((o) => o.said.test(turn.text));
    // "I don't have much, but I will give a little" is a yes.
    if (!objection || (COMMITTED.test(turn.text) && !/\bif\b/i.test(turn.text))) return [];
    const reply = replyTo(scene, turn.index);
    const text = reply.map((t) => t.text).join(" ");
    const raised = matter(words(turn.text));
    const met =
      ACKNOWLEDGED.test(text) ||
      objection.met.test(text) ||
      sentences(text).some((s) => questionKind(s) !== null) ||
      [...matter(words(text))].some((stem) => raised.has(stem));
    return [{ turn, kind: objection.kind, reply, met }];
  });
}

/** The agent's turn that names a step after the call, in the last third of the turns (the last five at least). */
export function nextStep(scene: Scene): SpokenTurn | null {
  if (!scene.speech.english) return null;
  const late = scene.spoken.slice(lastThird(scene));
  return late.findLast((t) => t.speaker === "agent" && sentences(t.text).some(namesStep)) ?? null;
}

function lastThird(scene: Scene): number {
  return Math.max(0, Math.min(scene.spoken.length - 5, Math.floor((scene.spoken.length * 2) / 3)));
}

function namesStep(sentence: string): boolean {
  return NEXT_STEP.test(sentence) && (!BRUSH_OFF.test(sentence) || WHEN.test(sentence));
}

/** The agent's first question about the customer, greetings and prices left out. */
function needQuestion(scene: Scene): SpokenTurn | undefined {
  return scene.agent.find((t) =>
    sentences(t.text).some(
      (s) =>
        questionKind(s) !== null && /\byou(?:r|rs|'re|'ve)?\b/i.test(s) && !SOCIAL.test(s) && !PRICE_FIGURE.test(s),
    ),
  );
}

/** The turn with the lowest sentiment; turns of a word or two only if there is nothing else. */
function lowest(scene: Scene, turns: readonly SpokenTurn[]): SpokenTurn | null {
  const felt = turns.filter((t) => feeling(scene, t) !== null);
  const long = felt.filter((t) => t.words.all >= 3);
  const among = long.length > 0 ? long : felt;
  return among.toSorted((a, b) => (feeling(scene, a) ?? 0) - (feeling(scene, b) ?? 0))[0] ?? null;
}

/** What the coaching rules look at, gathered once a call. */
import type { Speaker, Turn } from "./call.ts";
import type { MeasureName } from "./measures.ts";
import { type Question, questionsOf } from "./questions.ts";
import type { TurnSentiment } from "./sentiment.ts";
import { prepareSpeech, type Speech, type SpokenTurn } from "./speech.ts";

export type Severity = "high" | "medium" | "low" | "strength";

/** Where a measure should lie; an open end is null. */
export interface ExpectedRange {
  readonly low: number | null;
  readonly high: number | null;
  /** "team": the team's own best quarter; "default": published figures. */
  readonly source: "default" | "team";
}

export interface Expected extends ExpectedRange {
  readonly measure: MeasureName | null;
  readonly text: string;
}

export interface Observed {
  readonly value: number | null;
  readonly text: string;
}

/** What a rule found. Only one finding of a topic is shown. */
export interface Finding {
  readonly rule_id: string;
  readonly topic: string;
  readonly severity: Severity;
  readonly text: string;
  /** Indexes of turns, most telling first. */
  readonly evidence: readonly number[];
  readonly expected: Expected;
  readonly observed: Observed;
}

/** Answers a finding with its evidence, or null when the call gives no ground for it. */
export type Rule = (scene: Scene) => Finding | null;

export type RangedMeasure = keyof typeof DEFAULT_RANGES;
export type TeamRanges = Readonly<Partial<Record<RangedMeasure, { readonly low: number; readonly high: number }>>>;

export interface CoachInput {
  readonly turns: readonly Turn[];
  readonly language: string;
  readonly duration_seconds: number | null;
  readonly measures: Readonly<Record<MeasureName, number | null>>;
  readonly turnSentiment: TurnSentiment;
  /** The range of the team's best quarter, where there are 20 calls or more. */
  readonly expected?: TeamRanges;
}

export interface Scene {
  readonly input: CoachInput;
  readonly speech: Speech;
  readonly spoken: readonly SpokenTurn[];
  readonly agent: readonly SpokenTurn[];
  readonly customer: readonly SpokenTurn[];
  readonly questions: readonly Question[];
  /** Index of a turn to its place in `spoken`. */
  readonly position: ReadonlyMap<number, number>;
}

export function sceneOf(input: CoachInput): Scene {
  const speech = prepareSpeech(input);
  const spoken = speech.turns;
  return {
    input,
    speech,
    spoken,
    agent: spoken.filter((t) => t.speaker === "agent"),
    customer: spoken.filter((t) => t.speaker === "customer"),
    questions: speech.english ? questionsOf(speech) : [],
    position: new Map(spoken.map((t, i) => [t.index, i])),
  };
}

/**
 * Published defaults. Talk ratio 43:57 and its spread, patience, 11 to 14 questions a discovery call, monologues
 * under 2.5 minutes: Gong Labs. 150 words/min is ordinary English speech. The rest are round figures of our own.
 */
const DEFAULT_RANGES = {
  agent_talk_ratio: { low: 0.35, high: 0.6 },
  longest_monologue_seconds: { low: null, high: 150 },
  longest_monologue_words: { low: null, high: 250 },
  patience_ms: { low: 250, high: 2500 },
  agent_interruptions: { low: null, high: 2 },
  agent_words_per_minute: { low: 110, high: 190 },
  agent_question_rate: { low: 11, high: null },
  agent_open_question_share: { low: 0.3, high: null },
  customer_sentiment_q4: { low: -0.1, high: null },
  sentiment_change: { low: -0.25, high: null },
  longest_customer_story_words: { low: 10, high: null },
  longest_silence_ms: { low: null, high: 15_000 },
} as const satisfies Partial<Record<MeasureName, { low: number | null; high: number | null }>>;

export const RANGED_MEASURES = Object.keys(DEFAULT_RANGES) as RangedMeasure[];

/** The best quarter is chosen by customer sentiment, so its sentiment is high by choice and no standard for other calls. */
const NEVER_BY_TEAM: ReadonlySet<RangedMeasure> = new Set(["customer_sentiment_q4", "sentiment_change"]);

/** The team's range of a measure if there is one, else the published default. An open end of the default stays open. */
export function rangeOf(scene: Scene, measure: RangedMeasure): ExpectedRange {
  const open = DEFAULT_RANGES[measure];
  const team = scene.input.expected?.[measure];
  if (team === undefined || NEVER_BY_TEAM.has(measure)) return { ...open, source: "default" };
  return { low: open.low === null ? null : team.low, high: open.high === null ? null : team.high, source: "team" };
}

/** Whether a value is ordinary by the published default, whatever the team's own range. */
export function isOrdinary(measure: RangedMeasure, value: number): boolean {
  const { low, high } = DEFAULT_RANGES[measure];
  return (low === null || value >= low) && (high === null || value <= high);
}

/** An expectation without a measure: how good calls go. */
export function practice(text: string): Expected {
  return { measure: null, low: null, high: null, source: "default", text };
}

/** The agent's answer: its turns after `index` until the customer takes the floor again. */
export function replyTo(scene: Scene, index: number): SpokenTurn[] {
  return sideAfter(scene, index, "agent");
}

/** The customer's answer: its turns after `index` until the agent takes the floor again. */
function answerTo(scene: Scene, index: number): SpokenTurn[] {
  return sideAfter(scene, index, "customer");
}

function sideAfter(scene: Scene, index: number, speaker: Speaker): SpokenTurn[] {
  const from = (scene.position.get(index) ?? 0) + 1;
  const found: SpokenTurn[] = [];
  // Thirty turns hold any answer, and keep a call of nothing but questions linear.
  for (const t of scene.spoken.slice(from, from + 30)) {
    if (t.speaker === speaker) found.push(t);
    else if (found.length > 0 && !t.backchannel) break;
  }
  return found;
}

/** The agent's turn just before a turn of the customer. */
export function turnBefore(scene: Scene, index: number): SpokenTurn | null {
  for (let i = (scene.position.get(index) ?? 0) - 1; i >= 0; i--) {
    const turn = scene.spoken[i];
    if (turn?.speaker === "agent") return turn;
  }
  return null;
}

export function feeling(scene: Scene, turn: SpokenTurn): number | null {
  return scene.input.turnSentiment[turn.index] ?? null;
}

/** The agent's questions, greetings left out, each with the words of its answer. */
export function answeredQuestions(scene: Scene): (Question & { answer: SpokenTurn[]; drawn: number })[] {
  return scene.questions
    .filter((q) => q.speaker === "agent" && !SOCIAL.test(q.sentence))
    .map((q) => {
      const answer = answerTo(scene, q.turn);
      return Object.assign({}, q, { answer, drawn: answer.reduce((sum, t) => sum + t.words.all, 0) });
    });
}

export const SOCIAL =
  /\b(?:how are (?:you|things)|how's it going|how do you do|can you hear|how(?:'s| is| was) your (?:day|week|morning|evening|weekend)|how about you\W*$)/i;

// ---- wording -------------------------------------------------------------------------------------------------------

export function percent(ratio: number): string {
  return `${Math.round(ratio * 100)}%`;
}

/** "+0.42", "−0.31". */
export function signed(value: number): string {
  const fixed = Math.abs(value).toFixed(2);
  return Number(fixed) === 0 ? "0.00" : `${value < 0 ? "−" : "+"}${fixed}`;
}

/** "turn 4", "turns 4 to 7": places in the call, counted from 1. */
export function place(indexes: readonly number[]): string {
  const first = Math.min(...indexes) + 1;
  const last = Math.max(...indexes) + 1;
  return first === last ? `turn ${first}` : `turns ${first} to ${last}`;
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** "35% to 60%", "at most 2", "at least 11". */
export const within = (low: number | null, high: number | null, show: (n: number) => string): string =>
  low !== null && high !== null
    ? `${show(low)} to ${show(high)}`
    : high !== null
      ? `at most ${show(high)}`
      : `at least ${show(low ?? 0)}`;

export function totalWords(scene: Scene): number {
  return sum(scene.spoken, (t) => t.words.all);
}

export function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}

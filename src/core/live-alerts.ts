/** Alerts of a call that goes on: deterministic rules over its live state, each with the turns that it saw. */
import { place, plural, signed } from "./coach-scene.ts";
import type { ExpectedRange, Observed, Severity } from "./coach-scene.ts";
import type { LiveMeasureName, LiveState } from "./live-measures.ts";
import { trendOf } from "./live-measures.ts";

export const LIVE_RULES = ["talking_too_long", "sentiment_falling", "long_silence"] as const;
export type LiveRule = (typeof LIVE_RULES)[number];

export interface LiveAlert {
  readonly rule_id: LiveRule;
  readonly severity: Exclude<Severity, "strength">;
  /** At most 40 words; turns are counted from 1. */
  readonly text: string;
  /** Indexes of turns, most telling first. */
  readonly evidence: readonly number[];
  readonly expected: ExpectedRange & { readonly measure: LiveMeasureName; readonly text: string };
  readonly observed: Observed;
}

/** What the rules must remember of a call; plain JSON. */
export interface AlertState {
  /** Alerts so far. */
  readonly count: number;
  readonly last: Readonly<Partial<Record<LiveRule, Given>>>;
}

interface Given {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What the alert was about: no other alert of the rule is about this turn. */
  readonly about: number;
}

export interface AlertLimits {
  /** Between two alerts of one rule, in milliseconds. */
  readonly pause_ms: number;
  /** Alerts of one call. */
  readonly most: number;
}

export const ALERT_LIMITS: AlertLimits = { pause_ms: 60_000, most: 10 };
export const NO_ALERTS: AlertState = { count: 0, last: {} };

/**
 * Round figures of our own. A stretch is told of well before the 150 s of the coaching nudges, while there is time to
 * stop: a minute, and the words of a minute. A mood is low, and a silence within the call long, from where the nudges
 * say so. A turn arrives when it has been spoken, so that waiting for the next takes longer than a silence does.
 */
export const LIVE_RANGES = {
  stretch_seconds: 60,
  stretch_words: 150,
  fall: 0.3,
  fallen_to: -0.1,
  silence_ms: 15_000,
  waiting_ms: 30_000,
} as const;

/**
 * The alerts that the state gives ground for now, and what to remember. Call it after each turn and, for a silence
 * that goes on, every few seconds; the same state and time always give the same. An alert comes once for what it is about.
 * @param now epoch milliseconds
 */
export function nextAlerts(
  state: LiveState,
  before: AlertState,
  now: number,
  limits: AlertLimits = ALERT_LIMITS,
): { readonly alerts: readonly LiveAlert[]; readonly state: AlertState } {
  const alerts: LiveAlert[] = [];
  const last = { ...before.last };
  for (const rule of LIVE_RULES) {
    if (before.count + alerts.length >= limits.most) break;
    const given = last[rule];
    if (given !== undefined && now - given.at < limits.pause_ms) continue;
    const found = RULES[rule](state, given?.about ?? -1, now);
    if (found === null) continue;
    alerts.push(found.alert);
    last[rule] = { at: now, about: found.about };
  }
  return { alerts, state: alerts.length === 0 ? before : { count: before.count + alerts.length, last } };
}

/** @param after what the last alert of this rule was about; −1 before the first */
type Rule = (state: LiveState, after: number, now: number) => { alert: LiveAlert; about: number } | null;

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

const talkingTooLong: Rule = (state, after) => {
  const { current } = state.timed ?? state.untimed;
  if (current === null || current.first <= after || !state.english) return null;
  const timed = state.timed !== null;
  const high = timed ? LIVE_RANGES.stretch_seconds : LIVE_RANGES.stretch_words;
  const value = timed ? (current.end - current.start) / 1000 : current.words;
  const unit = (n: number): string => (timed ? `${Math.round(n)} s` : plural(n, "word"));
  if (Math.round(value) <= high) return null;
  const all = [current.first, ...current.turns];
  const expected = `at most ${unit(high)}`;
  return {
    about: current.first,
    alert: {
      rule_id: "talking_too_long",
      severity: value > 2 * high ? "high" : "medium",
      text: `You have talked for ${unit(value)} without a break, in ${place(all)} (expected ${expected}). Finish the thought and ask what the customer makes of it.`,
      evidence: current.turns.toReversed(),
      expected: {
        measure: timed ? "longest_monologue_seconds" : "longest_monologue_words",
        low: null,
        high,
        source: "default",
        text: expected,
      },
      observed: { value, text: unit(value) },
    },
  };
};

const sentimentFalling: Rule = (state, after) => {
  const recent = state.recent.filter((r) => r.turn >= after);
  const newest = recent.at(-1);
  if (newest === undefined || state.sentiment === null) return null;
  const top = recent.reduce((best, r) => (r.average >= best.average ? r : best));
  const since = recent.filter((r) => r.turn > top.turn);
  const fall = top.average - newest.average;
  // One bad turn is chance, two are a direction; and after a warm greeting every mood goes back to ordinary.
  if (since.length < 2 || fall < LIVE_RANGES.fall || newest.average >= LIVE_RANGES.fallen_to) return null;
  // The newest turn lifted it: somebody has seen to it.
  if (newest.sentiment > newest.average || trendOf(state.sentiment) !== "falling") return null;
  const worst = since.toSorted((a, b) => a.sentiment - b.sentiment || b.turn - a.turn);
  const lowest = worst[0] ?? newest;
  const low = Math.min(LIVE_RANGES.fallen_to, top.average - LIVE_RANGES.fall);
  return {
    about: newest.turn,
    alert: {
      rule_id: "sentiment_falling",
      severity: newest.average <= -1 / 3 ? "high" : "medium",
      text: `The customer's mood fell from ${signed(top.average)} to ${signed(newest.average)} in ${since.length} of their turns, lowest in turn ${lowest.turn + 1} (${signed(lowest.sentiment)}). Ask what is behind it before you go on.`,
      evidence: worst.slice(0, 3).map((r) => r.turn),
      expected: {
        measure: "live_sentiment",
        low,
        high: null,
        source: "default",
        text: `at least ${signed(low)}`,
      },
      observed: { value: newest.average, text: signed(newest.average) },
    },
  };
};

const longSilence: Rule = (state, after, now) => {
  const { silence, last_turn: last } = state;
  const high = LIVE_RANGES.silence_ms;
  if (silence !== null && silence.before > after && Math.round(silence.ms / 1000) > high / 1000) {
    return {
      about: silence.before,
      alert: {
        rule_id: "long_silence",
        severity: silence.ms > 2 * high ? "medium" : "low",
        text: `Nobody spoke for ${seconds(silence.ms)} before turn ${silence.after + 1} (expected at most ${seconds(high)}). Say what you are doing while you look something up, and how long it takes.`,
        evidence: [silence.before, silence.after],
        expected: {
          measure: "longest_silence_ms",
          low: null,
          high,
          source: "default",
          text: `at most ${seconds(high)}`,
        },
        observed: { value: silence.ms, text: seconds(silence.ms) },
      },
    };
  }
  const wait = LIVE_RANGES.waiting_ms;
  const waited = last === null ? 0 : now - last.at;
  if (last === null || last.turn <= after || waited < wait) return null;
  return {
    about: last.turn,
    alert: {
      rule_id: "long_silence",
      severity: waited > 2 * wait ? "medium" : "low",
      text: `Nothing has been said for ${seconds(waited)} since turn ${last.turn + 1} (expected less than ${seconds(wait)}). Say what you are doing, or ask whether the customer is still there.`,
      evidence: [last.turn],
      expected: {
        measure: "silence_ms",
        low: null,
        high: wait,
        source: "default",
        text: `less than ${seconds(wait)}`,
      },
      observed: { value: waited, text: seconds(waited) },
    },
  };
};

const RULES: Readonly<Record<LiveRule, Rule>> = {
  talking_too_long: talkingTooLong,
  sentiment_falling: sentimentFalling,
  long_silence: longSilence,
};

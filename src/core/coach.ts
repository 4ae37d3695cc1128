/** Coaching nudges: deterministic rules over the measures and turns of one call. */
import { WEAKNESSES } from "./coach-rules.ts";
import { type CoachInput, type Expected, type Finding, type Observed, sceneOf, type Severity } from "./coach-scene.ts";
import { STRENGTHS } from "./coach-strengths.ts";

const NUDGES = 3;
export const NUDGE_WORDS = 40;

export interface Nudge {
  /** At most 40 words; turns are counted from 1. */
  readonly text: string;
  readonly rule_id: string;
  readonly severity: Severity;
  /** turn_ids, most telling first. */
  readonly evidence: readonly string[];
  readonly expected: Expected;
  readonly observed: Observed;
}

export interface Coaching {
  /** Exactly three, most useful first; none for a call without words. */
  readonly nudges: readonly Nudge[];
  /** Why there are none. */
  readonly reason: string | null;
}

const ORDER: readonly Severity[] = ["high", "medium", "low", "strength"];

/**
 * Three nudges for one call: what to do better by severity, then by the order of the rules; where that is fewer than
 * three, what went well. One a topic. The same call always gives the same nudges.
 */
export function coach(input: CoachInput): Coaching {
  const scene = sceneOf(input);
  if (scene.spoken.length === 0) return { nudges: [], reason: "the call has no words" };
  const found = [...WEAKNESSES, ...STRENGTHS].flatMap((rule) => rule(scene) ?? []);
  const ranked = ORDER.flatMap((severity) => found.filter((f) => f.severity === severity));
  const topics = new Set<string>();
  const chosen: Finding[] = [];
  for (const finding of ranked) {
    if (topics.has(finding.topic)) continue;
    topics.add(finding.topic);
    chosen.push(finding);
    if (chosen.length === NUDGES) break;
  }
  const nudges = chosen.map((f): Nudge => {
    const { text, rule_id, severity, expected, observed } = f;
    const evidence = [...new Set(f.evidence)].flatMap((i) => input.turns[i]?.turn_id ?? []);
    return { text, rule_id, severity, evidence, expected, observed };
  });
  return { nudges, reason: null };
}

import type { LiveAlert } from "./live-types.ts";
import type { Advice } from "../call/nudges.tsx";
import type { LiveTurns } from "./turns.ts";

/** Words for a rule; one that this page does not know yet is shown by its id. */
const RULES: Readonly<Record<string, string>> = {
  talking_too_long: "Talking too long",
  sentiment_falling: "Mood is falling",
  long_silence: "Long silence",
};

export function ruleName(rule_id: string): string {
  return RULES[rule_id] ?? rule_id;
}

/** An alert as it is listed; turns that have not arrived yet are left out. */
export function adviceOf(alert: LiveAlert, turns: LiveTurns["turns"]): Advice {
  return {
    kind: ruleName(alert.rule_id),
    severity: alert.severity,
    text: alert.text,
    evidence: alert.evidence.flatMap((index) => turns[index]?.turn_id ?? []),
    observed: alert.observed,
    expected: alert.expected,
  };
}

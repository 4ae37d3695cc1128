/** Gives lines the times of speech: words a minute, pauses, overlaps. */
import type { Turn } from "../core/call.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import { type Line, words } from "./stage.ts";

/** Turns in order of their start; `null` times when `timed` is false. */
export function turnsOf(lines: readonly Line[], plan: Plan, rng: Random, timed: boolean): Turn[] {
  const { skill, mood } = plan;
  const pace = {
    agent: 142 + 38 * (1 - skill) + rng.normal(0, 8),
    customer: 146 + 14 * Math.abs(mood.mean) + rng.normal(0, 12),
  };
  const patience = 180 + 900 * skill;
  let clock = rng.int(300, 2500);
  let last = { start: 0, end: clock };
  return lines.map((line, i) => {
    const turn_id = `t${i + 1}`;
    if (!timed) return { turn_id, speaker: line.speaker, text: line.text, start_ms: null, end_ms: null };
    const length = Math.max(280, Math.round((words(line.text) / Math.max(95, pace[line.speaker])) * 60_000));
    if (line.how === "within") {
      const start = Math.round(last.start + (last.end - last.start) * (0.35 + 0.4 * rng.next()));
      return {
        turn_id,
        speaker: line.speaker,
        text: line.text,
        start_ms: start,
        end_ms: Math.min(last.end, start + rng.int(280, 520)),
      };
    }
    const pause =
      line.how === "waits"
        ? rng.int(3400, 9000)
        : Math.max(
            40,
            line.speaker === "agent" ? rng.normal(patience, 260) : rng.normal(mood.mean < -0.2 ? 950 : 620, 250),
          );
    const start = Math.max(
      0,
      Math.round(
        line.how === "interrupts"
          ? clock - Math.min(1400, rng.int(420, 1300), (last.end - last.start) / 2)
          : clock + pause,
      ),
    );
    last = { start, end: start + length };
    clock = Math.max(clock, last.end);
    return { turn_id, speaker: line.speaker, text: line.text, start_ms: start, end_ms: last.end };
  });
}

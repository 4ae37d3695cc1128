/** Calls that go on -> wire. */
import { formatInstant } from "../core/time.ts";
import type { LiveOverview, LiveView } from "../services/live-calls.ts";

type Wire = Record<string, unknown>;

/** `personal` false hides the customer. */
export function presentLiveRow({ row, measures }: LiveOverview, personal: boolean): Wire {
  return {
    call_id: row.call_id,
    agent_id: row.agent_id,
    customer_id: personal ? row.customer_id : null,
    start_time: formatInstant(row.start_time),
    ...measures,
    last_turn_at: row.last_turn_at === null ? null : formatInstant(row.last_turn_at),
    alerts: row.alerts,
    turns: row.turns,
  };
}

/** `personal` false hides the customer and everything said. */
export function presentLiveCall(view: LiveView, personal: boolean): Wire {
  const { row, soFar, seq } = view;
  return {
    ...presentLiveRow(view, personal),
    language: row.language,
    turns: view.turns.map((turn) => ({
      turn_id: turn.turn_id,
      turn_index: turn.turn_index,
      position: turn.position,
      speaker: turn.speaker,
      text: personal ? turn.text : null,
      start_ms: turn.start_ms,
      end_ms: turn.end_ms,
      sentiment: turn.sentiment,
      method: turn.method,
    })),
    measures: soFar.measures,
    unavailable: soFar.reasons,
    position: row.position,
    seq,
  };
}

/** Events of the log as messages for others, with what the sums are made of. */
import { EVENT_SCHEMA, type EventMessage } from "../core/event-message.ts";
import type { EventRow } from "../ports/events.ts";
import type { Contribution, Rollups } from "../ports/rollups.ts";
import type { OutMessage } from "../ports/topics.ts";

/** Events whose call has a start and, once enriched, measures. */
const OF_CALLS: ReadonlySet<string> = new Set(["call.accepted", "call.replaced", "call.enriched"]);

/**
 * One message an event, keyed by call_id. Numbers are those the call has now: where its text has changed since the event,
 * they are left to the event of that change.
 */
export async function messagesOf(
  deps: { rollups: Pick<Rollups, "contributions">; log_id: string },
  events: readonly EventRow[],
): Promise<OutMessage[]> {
  const asked = new Set(events.flatMap(({ type, call_no }) => (OF_CALLS.has(type) ? [call_no] : [])));
  const found = new Map((await deps.rollups.contributions([...asked])).map((one) => [one.call_no, one]));
  return events.map((event) => {
    const call = OF_CALLS.has(event.type) ? found.get(event.call_no) : undefined;
    const message = messageOf(deps.log_id, event, call?.revision === event.revision ? call : undefined);
    return { key: Buffer.from(event.call_id), value: Buffer.from(JSON.stringify(message)) };
  });
}

function messageOf(log_id: string, event: EventRow, call: Contribution | undefined): EventMessage {
  const { seq, at, call_no: _, ...facts } = event;
  return {
    schema: EVENT_SCHEMA,
    log_id,
    seq,
    ...facts,
    at: new Date(at).toISOString(),
    start_time: call ? new Date(call.start_time).toISOString() : null,
    measures: event.type === "call.enriched" && call ? call.measures : null,
  };
}

/** The change feed: the event log as a client reads it. */
import type { Scope } from "../core/call.ts";
import type { EventRow, Events } from "../ports/events.ts";

export interface FeedPage {
  readonly events: readonly EventRow[];
  readonly next_after: number;
  /** What came after `after` is gone from the log, or `after` is of another log: lists must be read anew. */
  readonly resync_required: boolean;
}

export async function readEvents(
  { events }: { events: Pick<Events, "after"> },
  input: { after: number; limit: number; scope: Scope },
): Promise<FeedPage> {
  const { after, limit, scope } = input;
  const page = await events.after(after, limit, scope);
  // 0 asks for all there is: only a later start can have missed something.
  const lost = (after > 0 && page.oldest > after + 1) || after > page.head;
  // Of a short page the rest up to the head is known to be out of scope.
  const last = page.events.length < limit ? page.head : (page.events.at(-1)?.seq ?? after);
  return { events: page.events, next_after: last, resync_required: lost };
}

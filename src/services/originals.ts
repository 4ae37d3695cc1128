/**
 * What a replica reads of its primary, part by part: whole calls in order, or the log and the calls it is about. A call is
 * as it is when it is read, which may be later than the event that named it; what changed it since has an event of its own.
 */
import { EVERYTHING } from "../core/call.ts";
import { documentText } from "../core/call-document.ts";
import { turnsText } from "../core/turns-text.ts";
import type { WholeCall } from "../core/whole-call.ts";
import type { CallReads, StoredCall } from "../ports/calls.ts";
import type { EventRow, Events } from "../ports/events.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { LogState, Originals, Part, Standing, WholeLiveCall } from "../ports/replication.ts";
import type { Work } from "../ports/work.ts";

export interface OriginalsDeps {
  readonly originals: Originals;
  readonly reads: Pick<CallReads, "texts" | "vectors">;
  readonly events: Pick<Events, "after" | "head">;
  readonly live: Pick<LiveCalls, "list" | "get">;
  readonly jobs: Pick<Jobs, "bookmark">;
  readonly work: Pick<Work, "dead">;
}

/** Names the space of the vectors that are served, so that similar calls work before (or without) the model. */
export const SPACE_BOOKMARK = "vectors.space";

/** Calls read together: some 300 KB. */
const TOGETHER = 16;
/** Calls that go on, all at once, and dead letters. */
const MOST_LIVE = 10_000;
const MOST_DEAD = 10_000;

/** Up to `limit` calls with call_no > after; behind the last call all that go on. */
export async function* readCalls(
  deps: OriginalsDeps,
  { after, limit }: { after: number; limit: number },
): AsyncGenerator<Part> {
  // Before any call: what changes while they are read comes after this.
  const head = await deps.events.head();
  const { events, oldest } = await deps.events.after(Math.max(0, head - 1), 1, EVERYTHING);
  const last = events.find(({ seq }) => seq === head) ?? null;
  yield { kind: "log", log: { oldest, head, last, space_id: await deps.jobs.bookmark(SPACE_BOOKMARK) } };
  const numbers = await deps.originals.after(after, limit);
  yield* wholeCalls(deps, numbers);
  const more = numbers.length === limit;
  if (!more) {
    for (const { call_id } of await deps.live.list(EVERYTHING, MOST_LIVE)) yield* wholeLive(deps, call_id);
  }
  yield { kind: "end", more };
}

/** Up to `limit` events after `seq`, then what they are about as far as it is still there. */
export async function* readChanges(
  deps: OriginalsDeps,
  { seq, limit }: { seq: number; limit: number },
): AsyncGenerator<Part> {
  const from = Math.max(0, seq - 1);
  const { events, oldest, head } = await deps.events.after(from, limit + 1, EVERYTHING);
  const last = events.find((event) => event.seq === seq) ?? null;
  const log: LogState = { oldest, head, last, space_id: await deps.jobs.bookmark(SPACE_BOOKMARK) };
  yield { kind: "log", log };
  const page = events.filter((event) => event.seq > seq).slice(0, limit);
  for (const event of page) yield { kind: "event", event };
  const { call_nos, live } = subjectsOf(page);
  yield* wholeCalls(deps, await deps.originals.of(call_nos));
  for (const call_id of live) yield* wholeLive(deps, call_id);
  yield { kind: "end", more: head > (page.at(-1)?.seq ?? seq) };
}

/** Which calls events are about: stored ones by number, those that go on or did by id. */
export function subjectsOf(events: readonly EventRow[]): { call_nos: number[]; live: string[] } {
  const call_nos = new Set<number>();
  const live = new Set<string>();
  for (const { type, call_no, call_id } of events) {
    if (call_no > 0) call_nos.add(call_no);
    if (call_no === 0 || type.startsWith("live.")) live.add(call_id);
  }
  return { call_nos: [...call_nos].toSorted((a, b) => a - b), live: [...live] };
}

async function* wholeCalls(
  { reads }: OriginalsDeps,
  numbers: readonly { call_no: number; digest: string }[],
): AsyncGenerator<Part> {
  for (let at = 0; at < numbers.length; at += TOGETHER) {
    const some = numbers.slice(at, at + TOGETHER);
    const call_nos = some.map(({ call_no }) => call_no);
    const digests = new Map(some.map(({ call_no, digest }) => [call_no, digest]));
    const stored = await reads.texts(call_nos);
    const vectors = new Map((await reads.vectors(call_nos)).map((v) => [v.call_no, v.vectors]));
    for (const call of stored) {
      const { call_no } = call.row;
      const digest = digests.get(call_no) ?? "";
      yield { kind: "call", call: whole(call, digest, vectors.get(call_no) ?? null) };
    }
  }
}

function whole(call: StoredCall, digest: string, vectors: WholeCall["vectors"]): WholeCall {
  const { row } = call;
  if (call.document !== null) return { row, digest, document: call.document.toString("utf8"), text: null, vectors };
  const { turns, insights } = call;
  // Enriched before there were documents: its copy has one.
  if (insights !== null) return { row, digest, document: documentText({ turns, insights }, true), text: null, vectors };
  return { row, digest, document: null, text: turnsText(turns), vectors };
}

async function* wholeLive({ live }: OriginalsDeps, call_id: string): AsyncGenerator<Part> {
  const found: WholeLiveCall | null = await live.get(call_id, EVERYTHING);
  if (found) yield { kind: "live", live: found };
}

/** Who gets in, and the dead letters. */
export async function readStanding({ originals, work }: OriginalsDeps): Promise<Standing> {
  const [accounts, teams, dead] = await Promise.all([
    originals.accounts(),
    originals.teams(),
    work.dead(MOST_DEAD, EVERYTHING),
  ]);
  return { accounts, teams, dead };
}

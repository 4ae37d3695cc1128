/** Commands on calls: accept, replace, reprocess, remove, erase, purge. Each runs inside the open transaction of its group. */
import type { AcceptResult, ReplaceResult } from "../../ports/calls.ts";
import type { DeleteReason } from "../../ports/events.ts";
import type { AcceptedRow, Input, PurgeStep } from "./commands.ts";
import { beginPartIfDue, dropPartStep, leavesWords } from "./full-text-parts.ts";
import { unindexSome, unindexTurns } from "./full-text.ts";
import { readContribution } from "./sum-buckets.ts";
import { CALLS, INSIGHTS, VECTORS, WORK } from "./statements.ts";
import { LIVE } from "./statements-live.ts";
import { storeFault } from "./store-error.ts";
import type { WriteContext } from "./write-context.ts";

export interface KnownCall {
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly start_time: number;
  readonly revision: number;
  readonly digest: Buffer;
  readonly in_full_text: number;
  readonly settled: number;
}

interface LiveKey {
  readonly live_no: number;
  readonly call_id: string;
  readonly agent_id: string;
}

/** Rows stand or fall alone; only faults of disk, file or lock are thrown. */
export function accept(context: WriteContext, { rows, priority, now }: Input<"accept">): AcceptResult[] {
  return rows.map((row) => {
    try {
      return context.savepoint(() => acceptOne(context, row, priority, now));
    } catch (cause) {
      if (!context.careful || storeFault(cause)) throw cause;
      return { status: "failed", reason: cause instanceof Error ? cause.message : String(cause) };
    }
  });
}

/** A call that goes on has the id until it ends. `revision` is higher where its words were corrected before. */
export function acceptOne(
  context: WriteContext,
  row: AcceptedRow,
  priority: number,
  now: number,
  revision = 1,
): AcceptResult {
  if (context.get(LIVE.byId, row.call_id)) return { status: "conflict" };
  const digest = Buffer.from(row.digest, "hex");
  const { changes, lastInsertRowid } = context
    .prepare(CALLS.insert)
    .run(
      row.call_id,
      row.agent_id,
      row.customer_id,
      row.language,
      row.start_time,
      now,
      now,
      row.duration_seconds,
      row.outcome,
      digest,
      revision,
    );
  if (changes === 0) {
    const known = context.get<KnownCall>(CALLS.byId, row.call_id) as KnownCall;
    if (!known.digest.equals(digest)) return { status: "conflict" };
    return { status: "replayed", call_no: known.call_no, revision: known.revision };
  }
  const call_no = Number(lastInsertRowid);
  context.fresh++;
  beginPartIfDue(context, call_no, now);
  context.run(CALLS.insertText, call_no, body(row));
  context.run(WORK.add, call_no, revision, priority, now, now);
  // An agent can be put into a team from the first call on, which is counted when it settles.
  context.agentNo(row.agent_id);
  context.event(now, {
    type: "call.accepted",
    call_no,
    call_id: row.call_id,
    agent_id: row.agent_id,
    revision,
    state: "pending",
  });
  return { status: "accepted", call_no, revision };
}

export function replace(context: WriteContext, { row, priority, now }: Input<"replace">): ReplaceResult {
  const known = context.get<KnownCall>(CALLS.byId, row.call_id);
  if (!known) {
    const made = acceptOne(context, row, priority, now);
    if (made.status === "conflict") return made;
    if (made.status !== "accepted") throw new Error(`replace of an unknown call was ${made.status}`);
    return { status: "created", call_no: made.call_no, revision: made.revision };
  }
  const { call_no } = known;
  const revision = known.revision + 1;
  withdraw(context, known);
  context.erased();
  for (const sql of [INSIGHTS.drop, ...VECTORS.drop, WORK.dropOfCall]) context.run(sql, call_no);
  context.run(
    CALLS.replace,
    row.agent_id,
    row.customer_id,
    row.language,
    row.start_time,
    now,
    row.duration_seconds,
    row.outcome,
    Buffer.from(row.digest, "hex"),
    call_no,
  );
  context.run(CALLS.updateText, body(row), call_no);
  context.run(WORK.add, call_no, revision, priority, now, now);
  const agent_no = context.agentNo(row.agent_id);
  if (known.settled === 1) context.sums.count(1, { call_no, agent_no, start_time: row.start_time });
  context.event(now, {
    type: "call.replaced",
    call_no,
    call_id: row.call_id,
    agent_id: row.agent_id,
    revision,
    state: "pending",
  });
  return { status: "replaced", call_no, revision };
}

/** Erases a call that goes on. */
function removeLive(context: WriteContext, live: LiveKey, reason: DeleteReason, now: number): void {
  const { live_no, call_id, agent_id } = live;
  context.run(LIVE.remove, live_no);
  context.event(now, { type: "call.deleted", call_no: 0, call_id, agent_id, revision: 0, state: null, reason });
}

/** Takes a call out of the sums and the full text. */
export function withdraw(context: WriteContext, known: KnownCall): void {
  const call = { call_no: known.call_no, agent_no: context.agentNo(known.agent_id), start_time: known.start_time };
  const old = context.get<{ contribution: Buffer }>(INSIGHTS.contribution, known.call_no);
  if (old) context.sums.measure(-1, call, readContribution(old.contribution));
  if (known.settled === 1) context.sums.count(-1, call);
  unindexTurns(context, known);
}

/** The running work of the call, if any, is dropped: its save will be stale, and the new request is not swallowed. */
export function reprocess(
  context: WriteContext,
  { call_id, scope, priority, now }: Input<"reprocess">,
): { revision: number } | null {
  const known = context.get<KnownCall>(CALLS.byId, call_id);
  if (!known || !context.inScope(scope, known.agent_id)) return null;
  context.run(WORK.dropOfCall, known.call_no);
  context.run(WORK.add, known.call_no, known.revision, priority, now, now);
  context.run(CALLS.pending, now, known.call_no);
  return { revision: known.revision };
}

export function remove(context: WriteContext, { call_id, scope, now }: Input<"remove">): boolean {
  const known = context.get<KnownCall>(CALLS.byId, call_id);
  const live = known ? undefined : context.get<LiveKey>(LIVE.byId, call_id);
  const agent_id = known?.agent_id ?? live?.agent_id;
  if (agent_id === undefined || !context.inScope(scope, agent_id)) return false;
  if (known) removeOne(context, known, "request", now);
  if (live) removeLive(context, live, "request", now);
  context.erased();
  return true;
}

export function erase(context: WriteContext, { customer_id, limit, now }: Input<"erase">): number {
  const fresh = context.all<KnownCall>(CALLS.freshOfCustomer, customer_id, limit);
  const known = [...fresh, ...context.all<KnownCall>(CALLS.ofCustomer, customer_id, limit - fresh.length)];
  for (const call of known) removeOne(context, call, "customer", now);
  const live = context.all<LiveKey>(LIVE.ofCustomer, customer_id, limit - known.length);
  for (const call of live) removeLive(context, call, "customer", now);
  const erased = known.length + live.length;
  if (erased > 0) context.erased();
  return erased;
}

/**
 * Erases the oldest calls. Their words stay until their part of the full text goes, or a few turns are taken out of it, and a
 * call whose turns are all out is erased. Whoever purges empties the WAL when all is done: emptying it after every step
 * would make other writes wait.
 */
export function purge(context: WriteContext, input: Input<"purge">): PurgeStep {
  const { before, calls, turns, now } = input;
  const known = context.all<KnownCall>(CALLS.oldest, before, calls);
  let erased = 0;
  let left = turns;
  for (const call of known) {
    if (!leavesWords(context, call.call_no, input)) {
      if (left <= 0) break;
      const out = unindexSome(context, call, left);
      left -= out.turns + 1;
      if (!out.finished) {
        context.run(CALLS.outOfFullText, out.turns, call.call_no);
        break;
      }
    }
    removeOne(context, { ...call, in_full_text: 0 }, "retention", now);
    erased++;
  }
  return { erased, words: left < turns, finished: erased === known.length && known.length < calls };
}

/** A step of dropping what the full text has of calls that are gone; whether there may be more. */
export function dropWords(context: WriteContext, { pages }: Input<"dropWords">): boolean {
  return dropPartStep(context, pages);
}

function removeOne(context: WriteContext, known: KnownCall, reason: DeleteReason, now: number): void {
  withdraw(context, known);
  context.run(CALLS.remove, known.call_no);
  context.event(now, {
    type: "call.deleted",
    call_no: known.call_no,
    call_id: known.call_id,
    agent_id: known.agent_id,
    revision: known.revision,
    state: null,
    reason,
  });
}

/** Stored as it came: enrichment packs what is not packed yet, so that nobody waits here for compression (40 µs a call). */
function body({ text }: AcceptedRow): Uint8Array {
  return typeof text === "string" ? Buffer.from(text, "utf8") : text;
}

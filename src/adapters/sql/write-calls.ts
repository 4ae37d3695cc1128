/** Commands on calls: accept, replace, reprocess, remove, erase, purge. Each runs inside the open transaction of its group. */
import type { AcceptResult, ReplaceResult } from "../../ports/calls.ts";
import type { DeleteReason } from "../../ports/events.ts";
import type { AcceptedRow, Input } from "./commands.ts";
import { unindexSome, unindexTurns } from "./full-text.ts";
import { readContribution } from "./sum-buckets.ts";
import { CALLS, INSIGHTS, VECTORS, WORK } from "./statements.ts";
import { storeFault } from "./store-error.ts";
import type { WriteContext } from "./write-context.ts";

interface KnownCall {
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly start_time: number;
  readonly revision: number;
  readonly digest: Buffer;
  readonly in_full_text: number;
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

function acceptOne(context: WriteContext, row: AcceptedRow, priority: number, now: number): AcceptResult {
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
    );
  if (changes === 0) {
    const known = context.get<KnownCall>(CALLS.byId, row.call_id) as KnownCall;
    if (!known.digest.equals(digest)) return { status: "conflict" };
    return { status: "replayed", call_no: known.call_no, revision: known.revision };
  }
  const call_no = Number(lastInsertRowid);
  context.fresh++;
  context.run(CALLS.insertText, call_no, body(row));
  context.run(WORK.add, call_no, 1, priority, now, now);
  context.sums.count(1, { call_no, agent_no: context.agentNo(row.agent_id), start_time: row.start_time });
  context.event(now, {
    type: "call.accepted",
    call_no,
    call_id: row.call_id,
    agent_id: row.agent_id,
    revision: 1,
    state: "pending",
  });
  return { status: "accepted", call_no, revision: 1 };
}

export function replace(context: WriteContext, { row, priority, now }: Input<"replace">): ReplaceResult {
  const known = context.get<KnownCall>(CALLS.byId, row.call_id);
  if (!known) {
    const made = acceptOne(context, row, priority, now);
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
  context.sums.count(1, { call_no, agent_no: context.agentNo(row.agent_id), start_time: row.start_time });
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

/** Takes a call out of the sums and the full text. */
function withdraw(context: WriteContext, known: KnownCall): void {
  const call = { call_no: known.call_no, agent_no: context.agentNo(known.agent_id), start_time: known.start_time };
  const old = context.get<{ contribution: Buffer }>(INSIGHTS.contribution, known.call_no);
  if (old) context.sums.measure(-1, call, readContribution(old.contribution));
  context.sums.count(-1, call);
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
  if (!known || !context.inScope(scope, known.agent_id)) return false;
  removeOne(context, known, "request", now);
  context.erased();
  return true;
}

export function erase(context: WriteContext, { customer_id, limit, now }: Input<"erase">): number {
  const fresh = context.all<KnownCall>(CALLS.freshOfCustomer, customer_id, limit);
  const known = [...fresh, ...context.all<KnownCall>(CALLS.ofCustomer, customer_id, limit - fresh.length)];
  for (const call of known) removeOne(context, call, "customer", now);
  if (known.length > 0) context.erased();
  return known.length;
}

/**
 * Takes a few turns of the oldest calls out of the full text; a call whose turns are all out is erased. Whoever purges
 * empties the WAL when all is done: emptying it after every step would make other writes wait.
 */
export function purge(
  context: WriteContext,
  { before, pieces, now }: Input<"purge">,
): { erased: number; finished: boolean } {
  const known = context.all<KnownCall>(CALLS.oldest, before, pieces);
  let erased = 0;
  let left = pieces;
  for (const call of known) {
    if (left <= 0) break;
    const { turns, finished } = unindexSome(context, call, left);
    left -= turns + 1;
    if (!finished) {
      context.run(CALLS.outOfFullText, turns, call.call_no);
      break;
    }
    removeOne(context, { ...call, in_full_text: 0 }, "retention", now);
    erased++;
  }
  return { erased, finished: erased === known.length && known.length < pieces };
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

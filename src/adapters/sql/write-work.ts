/** Commands on work: leases fenced by worker id, retries, dead letters. */
import { PRIORITY } from "../../ports/calls.ts";
import type { WorkItem } from "../../ports/work.ts";
import type { Input, Output } from "./commands.ts";
import { indexUnenriched } from "./full-text.ts";
import { CALLS, WORK } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/** Expired leases put back in one take at most. */
const EXPIRED_LIMIT = 1_000;

export function take(context: WriteContext, { n, worker_id, lease_ms, call_nos, now }: Input<"take">): WorkItem[] {
  for (const { work_no, call_no } of context.all<Held>(WORK.expired, now, EXPIRED_LIMIT)) {
    context.run(WORK.free, now, now, work_no);
    context.run(WORK.callState, "pending", call_no);
  }
  const items: WorkItem[] = [];
  for (const call_no of call_nos ?? []) {
    if (items.length < n) items.push(...context.all<WorkItem>(WORK.readyOfCall, call_no, now));
  }
  for (const priority of call_nos ? [] : Object.values(PRIORITY)) {
    if (items.length < n) items.push(...context.all<WorkItem>(WORK.ready, priority, now, n - items.length));
  }
  for (const item of items) {
    context.run(WORK.lease, worker_id, now + lease_ms, item.work_no);
    context.run(WORK.callState, "running", item.call_no);
  }
  return items;
}

interface Held {
  readonly work_no: number;
  readonly call_no: number;
}

interface Dead extends Held {
  readonly agent_id: string;
}

export function renew(context: WriteContext, { work_nos, worker_id, lease_ms, now }: Input<"renew">): number[] {
  return work_nos.filter((work_no) => context.run(WORK.renew, now + lease_ms, work_no, worker_id) === 1);
}

export function fail(context: WriteContext, { items, worker_id, now }: Input<"fail">): null {
  for (const { work_no, error, retry_at } of items) {
    const held = context.get<{ call_no: number; in_full_text: number }>(WORK.held, work_no, worker_id);
    if (!held) continue;
    if (retry_at === null) {
      context.run(WORK.bury, now, error, work_no);
      context.run(WORK.callDead, error, now, held.call_no);
      indexUnenriched(context, held);
    } else {
      context.run(WORK.retry, retry_at, error, work_no);
      context.run(WORK.callState, "pending", held.call_no);
    }
  }
  return null;
}

export function release(context: WriteContext, { work_nos, worker_id, now }: Input<"release">): null {
  for (const work_no of work_nos) {
    const held = context.get<{ call_no: number }>(WORK.held, work_no, worker_id);
    if (!held) continue;
    context.run(WORK.release, now, now, work_no);
    context.run(WORK.callState, "pending", held.call_no);
  }
  return null;
}

/** No pause between tries is as long, nor any lease: what lies further ahead was written by a clock that was wrong. */
const LONGEST_PAUSE_MS = 120_000;
const LONGEST_LEASE_MS = 900_000;

/** Fencing makes it harmless to end the lease of a worker that still lives: its save is stale, or the first of two. */
export function clockWentBack(context: WriteContext, { limit, now }: Input<"clockWentBack">): number {
  let brought = context.run(WORK.heldTooLong, now - 1, now + LONGEST_LEASE_MS);
  for (const priority of Object.values(PRIORITY)) {
    brought += context.run(WORK.waitsTooLong, now, priority, now + LONGEST_PAUSE_MS, limit);
  }
  return brought;
}

export function requeueDegraded(context: WriteContext, { limit, now }: Input<"requeueDegraded">): number {
  const calls = context.all<{ call_no: number; revision: number }>(CALLS.degraded, limit);
  for (const { call_no, revision } of calls) {
    context.run(WORK.dropOfCall, call_no);
    context.run(WORK.add, call_no, revision, PRIORITY.recalculation, now, now);
    context.run(CALLS.pending, now, call_no);
  }
  return calls.length;
}

/** One step over the dead letters behind `after`, in order: few of many may be in scope. */
export function redrive(context: WriteContext, step: Input<"redrive">): Output<"redrive"> {
  const { call_id, scope, after, limit, now } = step;
  const items =
    call_id === null
      ? context.all<Dead>(WORK.deadAny, after, limit)
      : context.all<Dead>(WORK.deadOfCall, call_id, after, limit);
  let { redriven } = step;
  for (const { work_no, call_no, agent_id } of items) {
    if (!context.inScope(scope, agent_id)) continue;
    context.run(WORK.redrive, now, work_no);
    context.run(CALLS.pending, now, call_no);
    redriven++;
  }
  return { redriven, after: items.length < limit ? null : (items.at(-1)?.work_no ?? null) };
}

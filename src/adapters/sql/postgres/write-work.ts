/**
 * Commands on work: leases fenced by worker id, retries, dead letters. Whoever takes work locks it together with its call
 * and passes by what somebody else holds (SKIP LOCKED), so that takers never wait, for each other or for a sender.
 */
import type { WorkItem } from "../../../ports/work.ts";
import { PRIORITY } from "../../../ports/calls.ts";
import { pack, unpackWords } from "../codec.ts";
import type { Input, Output } from "../commands.ts";
import { WORK } from "../statements.ts";
import { indexTurns } from "./full-text.ts";
import { PUT_TEXTS } from "./write-enrichment.ts";
import type { Write } from "./write.ts";

/** Expired leases put back in one take at most. */
const EXPIRED_LIMIT = 1_000;

const JOINED = `work AS w JOIN call_records AS c ON c.call_no = w.call_no`;
const EXPIRED = `SELECT w.work_no, w.call_no FROM ${JOINED}
  WHERE w.state = 'running' AND w.lease_until < $1 ORDER BY w.lease_until LIMIT $2 FOR UPDATE OF c, w SKIP LOCKED`;
/** Due now, also where it was taken by a clock that has gone back since. */
const FREE = `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL, run_after = least(run_after, $1)
  WHERE work_no = ANY($2::bigint[])`;
/** One priority at a time: the index then yields due items in order without a sort. */
const READY = `SELECT w.work_no, w.call_no, c.call_id, w.revision, w.priority, w.attempts + 1 AS attempts FROM ${JOINED}
  WHERE w.state = 'ready' AND w.priority = $1 AND w.run_after <= $2 ORDER BY w.run_after, w.work_no LIMIT $3
  FOR UPDATE OF c, w SKIP LOCKED`;
/** What was not tried yet is due whatever the clock of whoever stored it says. */
const READY_OF_CALLS = `SELECT w.work_no, w.call_no, c.call_id, w.revision, w.priority, w.attempts + 1 AS attempts FROM ${JOINED}
  WHERE w.call_no = ANY($1::bigint[]) AND w.state = 'ready' AND (w.run_after <= $2 OR w.attempts = 0)
  ORDER BY array_position($1::bigint[], w.call_no) LIMIT $3 FOR UPDATE OF c, w SKIP LOCKED`;
const LEASE = `UPDATE work SET state = 'running', worker_id = $1, lease_until = $2, attempts = attempts + 1
  WHERE work_no = ANY($3::bigint[])`;
const CALL_STATE = `UPDATE call_records SET state = $1 WHERE call_no = ANY($2::bigint[])`;
const RENEW = `UPDATE work SET lease_until = $1 WHERE worker_id = $2 AND state = 'running' AND work_no IN
  (SELECT work_no FROM work WHERE work_no = ANY($3::bigint[]) ORDER BY work_no FOR UPDATE) RETURNING work_no`;
const HELD = `SELECT w.work_no, w.call_no, c.created_at, c.in_full_text FROM ${JOINED}
  WHERE w.work_no = ANY($1::bigint[]) AND w.worker_id = $2 AND w.state = 'running' ORDER BY c.call_no FOR UPDATE OF c, w`;
const RETRY = `UPDATE work AS w SET state = 'ready', worker_id = NULL, lease_until = NULL, run_after = s.retry_at,
    error = s.error FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS s(work_no, retry_at, error) WHERE w.work_no = s.work_no`;
const BURY = `UPDATE work AS w SET state = 'dead', worker_id = NULL, lease_until = NULL, run_after = $3, error = s.error
  FROM unnest($1::bigint[], $2::text[]) AS s(work_no, error) WHERE w.work_no = s.work_no`;
const CALLS_DEAD = `UPDATE call_records AS c SET state = 'dead', error = s.error, updated_at = $3, in_full_text = true
  FROM unnest($1::bigint[], $2::text[]) AS s(call_no, error) WHERE c.call_no = s.call_no`;
const RELEASE = `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL, attempts = attempts - 1,
    run_after = least(run_after, $1) WHERE work_no = ANY($2::bigint[])`;
const TEXTS = `SELECT call_no, created_at, body FROM call_texts
  WHERE call_no = ANY($1::bigint[]) AND created_at = ANY($2::bigint[])`;
const DEGRADED = `SELECT call_no, revision FROM call_records WHERE method = 'statistical' AND state = 'degraded'
  ORDER BY call_no LIMIT $1 FOR UPDATE SKIP LOCKED`;
const DROP_OF_CALLS = `DELETE FROM work WHERE call_no = ANY($1::bigint[])`;
const ADD = `INSERT INTO work (call_no, revision, priority, created_at, run_after)
  SELECT call_no, revision, $3, $4, $4 FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS s(call_no, revision, n) ORDER BY n`;
const PENDING = `UPDATE call_records SET state = 'pending', error = NULL, updated_at = $1 WHERE call_no = ANY($2::bigint[])`;
const REDRIVE = `UPDATE work SET state = 'ready', attempts = 0, run_after = $1, error = NULL WHERE work_no = ANY($2::bigint[])`;
/** Nobody waits here: whoever holds a dead letter is redriving or erasing it. */
const LOCKED = " FOR UPDATE OF c, w SKIP LOCKED";

interface Held {
  readonly work_no: number;
  readonly call_no: number;
}

const workNos = (items: readonly Held[]) => items.map((item) => item.work_no);
const callNos = (items: readonly Held[]) => items.map((item) => item.call_no);

export async function take(write: Write, input: Input<"take">): Promise<WorkItem[]> {
  const { n, worker_id, lease_ms, call_nos, now } = input;
  const expired = await write.all<Held>(EXPIRED, now, EXPIRED_LIMIT);
  if (expired.length > 0) {
    await write.run(FREE, now, workNos(expired));
    await write.run(CALL_STATE, "pending", callNos(expired));
  }
  const items = call_nos ? await write.all<WorkItem>(READY_OF_CALLS, call_nos, now, n) : [];
  for (const priority of call_nos ? [] : Object.values(PRIORITY)) {
    if (items.length < n) items.push(...(await write.all<WorkItem>(READY, priority, now, n - items.length)));
  }
  if (items.length > 0) {
    await write.run(LEASE, worker_id, now + lease_ms, workNos(items));
    await write.run(CALL_STATE, "running", callNos(items));
  }
  return items;
}

export async function renew(write: Write, input: Input<"renew">): Promise<number[]> {
  const { work_nos, worker_id, lease_ms, now } = input;
  const rows = await write.all<{ work_no: number }>(RENEW, now + lease_ms, worker_id, work_nos);
  const renewed = new Set(rows.map((row) => row.work_no));
  return work_nos.filter((work_no) => renewed.has(work_no));
}

interface HeldCall extends Held {
  readonly created_at: number;
  readonly in_full_text: boolean;
}

export async function fail(write: Write, { items, worker_id, now }: Input<"fail">): Promise<null> {
  const given = new Map(items.map((item) => [item.work_no, item]));
  const rows = await write.all<HeldCall>(HELD, [...given.keys()], worker_id);
  const held = rows.map((row) => ({ ...row, ...(given.get(row.work_no) as (typeof items)[number]) }));
  const dead = held.filter((item) => item.retry_at === null);
  const again = held.filter((item) => item.retry_at !== null);
  if (again.length > 0) {
    await write.run(
      RETRY,
      workNos(again),
      again.map((item) => item.retry_at),
      again.map((item) => item.error),
    );
    await write.run(CALL_STATE, "pending", callNos(again));
  }
  if (dead.length > 0) {
    const errors = dead.map((item) => item.error);
    await write.run(BURY, workNos(dead), errors, now);
    await write.run(CALLS_DEAD, callNos(dead), errors, now);
    await indexUnenriched(
      write,
      dead.filter((item) => !item.in_full_text),
    );
  }
  return null;
}

/** Indexes and packs the words of calls that stay without insights. */
async function indexUnenriched(write: Write, calls: readonly HeldCall[]): Promise<void> {
  if (calls.length === 0) return;
  const months = calls.map((c) => c.created_at);
  const texts = await write.all<{ call_no: number; created_at: number; body: Buffer }>(TEXTS, callNos(calls), months);
  const read = texts.map(({ call_no, created_at, body }) => ({ call_no, created_at, turns: unpackWords(body).turns }));
  await indexTurns(write, read);
  await write.run(
    PUT_TEXTS,
    read.map((r) => r.call_no),
    read.map((r) => r.created_at),
    read.map((r) => pack(JSON.stringify(r.turns))),
  );
}

export async function release(write: Write, { work_nos, worker_id, now }: Input<"release">): Promise<null> {
  const held = await write.all<Held>(HELD, work_nos, worker_id);
  if (held.length === 0) return null;
  await write.run(RELEASE, now, workNos(held));
  await write.run(CALL_STATE, "pending", callNos(held));
  return null;
}

/** No pause between tries is as long, nor any lease: what lies further ahead was written by a clock that was wrong. */
const LONGEST_PAUSE_MS = 120_000;
const LONGEST_LEASE_MS = 900_000;

/** Fencing makes it harmless to end the lease of a worker that still lives: its save is stale, or the first of two. */
export async function clockWentBack(write: Write, { limit, now }: Input<"clockWentBack">): Promise<number> {
  let brought = await write.run(WORK.heldTooLong, now - 1, now + LONGEST_LEASE_MS);
  for (const priority of Object.values(PRIORITY)) {
    brought += await write.run(WORK.waitsTooLong, now, priority, now + LONGEST_PAUSE_MS, limit);
  }
  return brought;
}

export async function requeueDegraded(write: Write, { limit, now }: Input<"requeueDegraded">): Promise<number> {
  const calls = await write.all<{ call_no: number; revision: number }>(DEGRADED, limit);
  if (calls.length === 0) return 0;
  const call_nos = calls.map((c) => c.call_no);
  await write.run(DROP_OF_CALLS, call_nos);
  const revisions = calls.map((c) => c.revision);
  await write.run(ADD, call_nos, revisions, PRIORITY.recalculation, now);
  await write.run(PENDING, now, call_nos);
  return calls.length;
}

/** One step over the dead letters behind `after`, in order: few of many may be in scope. */
export async function redrive(write: Write, step: Input<"redrive">): Promise<Output<"redrive">> {
  const { call_id, scope, after, limit, now } = step;
  const items =
    call_id === null
      ? await write.all<Held & { agent_id: string }>(WORK.deadAny + LOCKED, after, limit)
      : await write.all<Held & { agent_id: string }>(WORK.deadOfCall + LOCKED, call_id, after, limit);
  const inScope: Held[] = [];
  const scoped = new Map<string, boolean>();
  for (const item of items) {
    const known = scoped.get(item.agent_id) ?? (await write.inScope(scope, item.agent_id));
    scoped.set(item.agent_id, known);
    if (known) inScope.push(item);
  }
  if (inScope.length > 0) {
    await write.run(REDRIVE, now, workNos(inScope));
    await write.run(PENDING, now, callNos(inScope));
  }
  const redriven = step.redriven + inScope.length;
  return { redriven, after: items.length < limit ? null : (items.at(-1)?.work_no ?? null) };
}

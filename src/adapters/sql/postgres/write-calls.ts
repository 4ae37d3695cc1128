/** Commands on single calls and customers: replace, reprocess, remove, erase, purge. Each locks its calls first. */
import type { ReplaceResult } from "../../../ports/calls.ts";
import type { DeleteReason } from "../../../ports/events.ts";
import type { Input, PurgeStep } from "../commands.ts";
import { CALLS, WORK } from "../statements.ts";
import { readContribution } from "../sum-buckets.ts";
import { acceptRows, bodyOf, holdLive } from "./write-accept.ts";
import { type LiveKey, lockLive, lockLiveOfCustomer, removeLive } from "./write-live.ts";
import type { Write } from "./write.ts";

interface KnownCall {
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly start_time: number;
  readonly created_at: number;
  readonly revision: number;
}

const COLUMNS = `call_no, call_id, agent_id, start_time, created_at, revision`;
const BY_ID = `SELECT ${COLUMNS} FROM call_records WHERE call_id = $1 FOR UPDATE`;
/** In one order for everybody who locks several. */
const LOCK = `SELECT ${COLUMNS} FROM call_records WHERE call_no = ANY($1::bigint[]) ORDER BY call_no FOR UPDATE`;
const OF_CUSTOMER = `SELECT call_no FROM call_records WHERE customer_id = $1 ORDER BY start_time LIMIT $2`;
const OLDEST = `SELECT call_no FROM call_records WHERE created_at < $1 ORDER BY created_at, call_no LIMIT $2`;
const CONTRIBUTIONS = `SELECT call_no, contribution FROM call_insights WHERE call_no = ANY($1::bigint[])`;
const REPLACE = `UPDATE call_records SET agent_id = $2, customer_id = $3, language = $4, start_time = $5, updated_at = $6,
    duration_seconds = $7, outcome = $8, digest = $9, revision = revision + 1, state = 'pending', in_full_text = false,
    agent_talk_ratio = NULL, customer_sentiment_score = NULL, method = NULL, model = NULL, enriched_at = NULL, error = NULL
  WHERE call_no = $1`;
const REPLACE_TEXT = `UPDATE call_texts SET body = $3 WHERE call_no = $1 AND created_at = $2`;
const DROP_CALLS = `DELETE FROM call_records WHERE call_no = ANY($1::bigint[])`;

/** What is derived from the words of a call, and its work. The months say which partitions to look into. */
const IN_MONTHS = `call_no = ANY($1::bigint[]) AND created_at = ANY($2::bigint[])`;
export const DROP_VECTORS = ["call_vectors", "call_codes", "segment_codes"].map(
  (table) => `DELETE FROM ${table} WHERE ${IN_MONTHS}`,
);
const DROP_DERIVED = [`DELETE FROM turn_search WHERE ${IN_MONTHS}`, ...DROP_VECTORS];
const DROP_TEXTS = `DELETE FROM call_texts WHERE ${IN_MONTHS}`;
const DROP_INSIGHTS = `DELETE FROM call_insights WHERE call_no = ANY($1::bigint[])`;
const DROP_WORK = `DELETE FROM work WHERE call_no = ANY($1::bigint[])`;

export async function replace(write: Write, { row, priority, now }: Input<"replace">): Promise<ReplaceResult> {
  const known = await write.get<KnownCall>(BY_ID, row.call_id);
  if (!known) {
    const [made] = await acceptRows(write, [{ row, priority, now }]);
    if (made?.status === "accepted") return { status: "created", call_no: made.call_no, revision: made.revision };
    if ((await holdLive(write, [row.call_id])).size > 0) return { status: "conflict" };
    // Another process accepted it in between.
    return replace(write, { row, priority, now });
  }
  const { call_no, created_at } = known;
  const revision = known.revision + 1;
  await withdraw(write, [known]);
  await dropDerived(write, [known]);
  await write.run(
    REPLACE,
    call_no,
    row.agent_id,
    row.customer_id,
    row.language,
    row.start_time,
    now,
    row.duration_seconds,
    row.outcome,
    Buffer.from(row.digest, "hex"),
  );
  await write.run(REPLACE_TEXT, call_no, created_at, bodyOf(row));
  await write.run(WORK.add, call_no, revision, priority, now, now);
  write.sums.count(1, { call_no, agent_id: row.agent_id, start_time: row.start_time });
  write.event(now, {
    type: "call.replaced",
    call_no,
    call_id: row.call_id,
    agent_id: row.agent_id,
    revision,
    state: "pending",
  });
  return { status: "replaced", call_no, revision };
}

/** Takes calls out of the sums. */
async function withdraw(write: Write, calls: readonly KnownCall[]): Promise<void> {
  const rows = await write.all<{ call_no: number; contribution: Buffer }>(
    CONTRIBUTIONS,
    calls.map((c) => c.call_no),
  );
  const added = new Map(rows.map((row) => [row.call_no, row.contribution]));
  for (const call of calls) {
    const contribution = added.get(call.call_no);
    if (contribution) write.sums.measure(-1, call, readContribution(contribution));
    write.sums.count(-1, call);
  }
}

/** Drops what was derived from the words, and the work. */
async function dropDerived(write: Write, calls: readonly KnownCall[]): Promise<void> {
  const call_nos = calls.map((c) => c.call_no);
  const months = calls.map((c) => c.created_at);
  for (const sql of DROP_DERIVED) await write.run(sql, call_nos, months);
  for (const sql of [DROP_INSIGHTS, DROP_WORK]) await write.run(sql, call_nos);
}

/** The running work of the call, if any, is dropped: its save will be stale, and the new request is not swallowed. */
export async function reprocess(
  write: Write,
  { call_id, scope, priority, now }: Input<"reprocess">,
): Promise<{ revision: number } | null> {
  const known = await write.get<KnownCall>(BY_ID, call_id);
  if (!known || !(await write.inScope(scope, known.agent_id))) return null;
  await write.run(WORK.dropOfCall, known.call_no);
  await write.run(WORK.add, known.call_no, known.revision, priority, now, now);
  await write.run(CALLS.pending, now, known.call_no);
  return { revision: known.revision };
}

export async function remove(write: Write, { call_id, scope, now }: Input<"remove">): Promise<boolean> {
  // One that goes on first: when it ends meanwhile it is a stored one after that.
  const live = await lockLive(write, call_id);
  const known = live ? undefined : await write.get<KnownCall>(BY_ID, call_id);
  const agent_id = live?.agent_id ?? known?.agent_id;
  if (agent_id === undefined || !(await write.inScope(scope, agent_id))) return false;
  if (live) await removeAllLive(write, [live], { reason: "request", now });
  if (known) await removeAll(write, [known], { reason: "request", now });
  return true;
}

export async function erase(write: Write, { customer_id, limit, now }: Input<"erase">): Promise<number> {
  const live = await lockLiveOfCustomer(write, customer_id, limit);
  const found = await write.all<{ call_no: number }>(OF_CUSTOMER, customer_id, limit - live.length);
  await removeLocked(write, found, { reason: "customer", now });
  await removeAllLive(write, live, { reason: "customer", now });
  return live.length + found.length;
}

/** The oldest calls, each as a whole. */
export async function purge(write: Write, { before, calls, now }: Input<"purge">): Promise<PurgeStep> {
  const found = await write.all<{ call_no: number }>(OLDEST, before, calls);
  const erased = await removeLocked(write, found, { reason: "retention", now });
  return { erased, words: true, finished: found.length < calls };
}

interface Removal {
  readonly reason: DeleteReason;
  readonly now: number;
}

async function removeLocked(write: Write, found: readonly { call_no: number }[], removal: Removal): Promise<number> {
  if (found.length === 0) return 0;
  const calls = await write.all<KnownCall>(
    LOCK,
    found.map((c) => c.call_no),
  );
  await removeAll(write, calls, removal);
  return calls.length;
}

async function removeAllLive(write: Write, calls: readonly LiveKey[], { reason, now }: Removal): Promise<void> {
  for (const { live_no, call_id, agent_id } of calls) {
    await removeLive(write, live_no);
    write.event(now, { type: "call.deleted", call_no: 0, call_id, agent_id, revision: 0, state: null, reason });
  }
}

async function removeAll(write: Write, calls: readonly KnownCall[], { reason, now }: Removal): Promise<void> {
  if (calls.length === 0) return;
  await withdraw(write, calls);
  await dropDerived(write, calls);
  const call_nos = calls.map((c) => c.call_no);
  await write.run(
    DROP_TEXTS,
    call_nos,
    calls.map((c) => c.created_at),
  );
  await write.run(DROP_CALLS, call_nos);
  for (const { call_no, call_id, agent_id, revision } of calls) {
    write.event(now, { type: "call.deleted", call_no, call_id, agent_id, revision, state: null, reason });
  }
}

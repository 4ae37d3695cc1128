/**
 * A step of a store that is a copy of another one: calls as they are there, in the place of what is here, with the sums,
 * full text and vectors that this store keeps of them; and the log, event by event under the same seq.
 */
import type { CallRow } from "../../core/call.ts";
import { readDocument } from "../../core/call-document.ts";
import { readTurnsText } from "../../core/turns-text.ts";
import type { WholeCall } from "../../core/whole-call.ts";
import type { WholeLiveCall } from "../../ports/replication.ts";
import { bytes, pack, packDocument } from "./codec.ts";
import type { Input } from "./commands.ts";
import { indexTurns } from "./full-text.ts";
import { beginPartIfDue } from "./full-text-parts.ts";
import { CALLS, INSIGHTS, ROLLUPS } from "./statements.ts";
import { MIRROR } from "./statements-mirror.ts";
import { contributionOf, readContribution } from "./sum-buckets.ts";
import { type KnownCall, withdraw } from "./write-calls.ts";
import type { WriteContext } from "./write-context.ts";
import { putVectors } from "./write-enrichment.ts";

interface MirroredCall extends KnownCall, Pick<CallRow, "state" | "updated_at" | "enriched_at" | "method"> {}

export function mirror(context: WriteContext, { step, now }: Input<"mirror">): null {
  const { calls = [], gone = [], range, live = [], liveGone = [], restart, events = [], place } = step;
  for (const call_no of gone) dropNumber(context, call_no);
  if (range) {
    const kept = new Set(calls.map(({ row }) => row.call_no));
    const there = context.all<{ call_no: number }>(MIRROR.between, range.after, range.to);
    for (const { call_no } of there) if (!kept.has(call_no)) dropNumber(context, call_no);
  }
  for (const call of calls) putCall(context, call, now);
  for (const call_id of liveGone === "others" ? othersThan(context, live) : liveGone) dropLive(context, call_id, 0);
  for (const call of live) putLive(context, call);
  if (restart !== undefined) restartLog(context, restart);
  for (const event of events) context.copyEvent(event);
  if (place !== undefined) context.run(MIRROR.place, place);
  return null;
}

function dropNumber(context: WriteContext, call_no: number): void {
  const known = context.get<MirroredCall>(MIRROR.known, call_no);
  if (known) drop(context, known);
}

function drop(context: WriteContext, known: KnownCall): void {
  withdraw(context, known);
  context.run(CALLS.remove, known.call_no);
  context.erased();
}

/** Nobody works here: what is being enriched there waits, as far as anybody can see here. */
const stateOf = ({ state }: CallRow): CallRow["state"] => (state === "running" ? "pending" : state);

function isSame(known: MirroredCall, row: CallRow): boolean {
  return (
    known.state === stateOf(row) &&
    known.updated_at === row.updated_at &&
    known.enriched_at === row.enriched_at &&
    known.method === row.method
  );
}

function putCall(context: WriteContext, call: WholeCall, now: number): void {
  const { row } = call;
  const digest = Buffer.from(call.digest, "hex");
  // The id may have been given to another call meanwhile.
  const namesake = context.get<KnownCall>(CALLS.byId, row.call_id);
  if (namesake && namesake.call_no !== row.call_no) drop(context, namesake);
  let known = context.get<MirroredCall>(MIRROR.known, row.call_no);
  if (known && (known.call_id !== row.call_id || known.revision !== row.revision || !known.digest.equals(digest))) {
    drop(context, known);
    known = undefined;
  }
  if (known && isSame(known, row)) return;
  if (known) change(context, row);
  else insert(context, row, digest, now);
  derive(context, call, known?.in_full_text ?? 0);
}

function change(context: WriteContext, row: CallRow): void {
  context.run(
    MIRROR.change,
    row.updated_at,
    row.agent_talk_ratio,
    row.customer_sentiment_score,
    stateOf(row),
    row.method,
    row.model,
    row.enriched_at,
    row.error,
    row.call_no,
  );
}

function insert(context: WriteContext, row: CallRow, digest: Buffer, now: number): void {
  const { call_no, start_time } = row;
  const { n: last } = context.get<{ n: number }>(ROLLUPS.lastCall) as { n: number };
  context.run(
    MIRROR.put,
    call_no,
    row.call_id,
    row.agent_id,
    row.customer_id,
    row.language,
    start_time,
    row.created_at,
    row.updated_at,
    row.duration_seconds,
    row.agent_talk_ratio,
    row.customer_sentiment_score,
    row.outcome,
    row.revision,
    stateOf(row),
    row.method,
    row.model,
    row.enriched_at,
    row.error,
    digest,
  );
  // A part begins with a call that has none behind it.
  if (call_no > last) beginPartIfDue(context, call_no, now);
  context.sums.count(1, { call_no, agent_no: context.agentNo(row.agent_id), start_time });
}

/** Text, sums, vectors and full text. */
function derive(context: WriteContext, { row, document, text, vectors }: WholeCall, in_full_text: number): void {
  const { call_no, agent_id, start_time } = row;
  const call = { call_no, agent_no: context.agentNo(agent_id), start_time };
  const { turns, insights } =
    document === null ? { turns: readTurnsText(text ?? "[]"), insights: null } : readDocument(document);
  const isSearched = insights !== null || row.state === "dead";
  const old = context.get<{ contribution: Buffer }>(INSIGHTS.contribution, call_no);
  if (old) context.sums.measure(-1, call, readContribution(old.contribution));
  if (insights) {
    const contribution = contributionOf(insights.measures);
    context.sums.measure(1, call, contribution);
    context.run(INSIGHTS.put, call_no, Buffer.alloc(0), bytes(contribution));
  } else context.run(INSIGHTS.drop, call_no);
  const plain = text ?? "[]";
  const body = document === null ? (isSearched ? pack(plain) : Buffer.from(plain)) : packDocument(document);
  if (context.run(CALLS.updateText, body, call_no) === 0) context.run(CALLS.insertText, call_no, body);
  putVectors(context, { call_no, vectors }, call);
  if (isSearched) indexTurns(context, { call_no, in_full_text }, turns);
}

function othersThan(context: WriteContext, live: readonly WholeLiveCall[]): string[] {
  const kept = new Set(live.map(({ row }) => row.call_id));
  return context
    .all<{ call_id: string }>(MIRROR.liveIds)
    .map(({ call_id }) => call_id)
    .filter((call_id) => !kept.has(call_id));
}

function dropLive(context: WriteContext, call_id: string, live_no: number): void {
  if (context.run(MIRROR.dropLive, call_id, live_no) > 0) context.erased();
}

function putLive(context: WriteContext, { row, turns }: WholeLiveCall): void {
  const { live_no, call_id } = row;
  dropLive(context, call_id, live_no);
  context.run(
    MIRROR.putLive,
    live_no,
    call_id,
    row.agent_id,
    row.customer_id,
    row.language,
    row.start_time,
    row.created_at,
    row.turns,
    row.position,
    row.scored,
    row.version,
    row.last_turn_at ?? row.created_at,
    row.last_turn_at,
    JSON.stringify(row.state),
    JSON.stringify(row.alert_state),
    JSON.stringify(row.alerts),
  );
  for (const t of turns) {
    context.run(
      MIRROR.putLiveTurn,
      live_no,
      t.turn_index,
      t.turn_id,
      t.speaker,
      t.text,
      t.start_ms,
      t.end_ms,
      t.position,
      t.at,
      t.sentiment,
      t.method,
    );
  }
}

function restartLog(context: WriteContext, seq: number): void {
  context.run(MIRROR.emptyLog);
  context.run(MIRROR.forgetHead);
  context.run(MIRROR.setHead, seq);
}

/** Saving what enrichment derived: insights, vectors, measures, sums, full text, event, and the work settled. */
import type { EnrichedCall, SaveResult } from "../../ports/calls.ts";
import { documentText } from "../../core/call-document.ts";
import { quantize } from "../../core/vector.ts";
import { bytes, packDocument } from "./codec.ts";
import type { Input } from "./commands.ts";
import { indexTurns, turnsOf } from "./full-text.ts";
import { contributionOf, readContribution } from "./sum-buckets.ts";
import { CALLS, INSIGHTS, VECTORS, WORK } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

interface HeldCall {
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly start_time: number;
  readonly revision: number;
  readonly in_full_text: number;
  readonly settled: number;
}

export function save(context: WriteContext, { batch, now }: Input<"save">): SaveResult[] {
  return batch.map((item) => saveOne(context, item, now));
}

function saveOne(context: WriteContext, item: EnrichedCall, now: number): SaveResult {
  const { call_no, revision, work_no, worker_id, insights, method } = item;
  const held = context.get<HeldCall>(INSIGHTS.held, work_no, worker_id, call_no, revision);
  if (!held) return "stale";
  const { customer_sentiment_score, agent_talk_ratio } = insights.measures;
  const state = method === "model" ? "enriched" : "degraded";
  const changed = context.run(
    INSIGHTS.enrich,
    state,
    method,
    item.model,
    now,
    now,
    customer_sentiment_score,
    agent_talk_ratio,
    call_no,
    revision,
  );
  if (changed !== 1) return "stale";
  const call = { call_no, agent_no: context.agentNo(held.agent_id), start_time: held.start_time };
  if (held.settled === 0) context.sums.count(1, call);
  const old = context.get<{ contribution: Buffer }>(INSIGHTS.contribution, call_no);
  if (old) context.sums.measure(-1, call, readContribution(old.contribution));
  const contribution = contributionOf(insights.measures);
  context.sums.measure(1, call, contribution);
  const turns = turnsOf(context, call_no);
  context.run(CALLS.updateText, packDocument(documentText({ turns, insights }, true)), call_no);
  context.run(INSIGHTS.put, call_no, Buffer.alloc(0), bytes(contribution));
  putVectors(context, item, call);
  indexTurns(context, held, turns);
  context.run(WORK.settle, work_no);
  context.event(now, {
    type: "call.enriched",
    call_no,
    call_id: held.call_id,
    agent_id: held.agent_id,
    revision,
    customer_sentiment_score,
    agent_talk_ratio,
    state,
  });
  return "saved";
}

/** Without new vectors the old ones stay: they are of the same words, or `replace` had dropped them. */
export function putVectors(
  context: WriteContext,
  { call_no, vectors }: Pick<EnrichedCall, "call_no" | "vectors">,
  { agent_no, start_time }: { agent_no: number; start_time: number },
): void {
  if (!vectors) return;
  for (const sql of VECTORS.drop) context.run(sql, call_no);
  const space_no = context.spaceNo(vectors.space_id);
  context.run(VECTORS.put, call_no, space_no, bytes(vectors.call), bytes(vectors.turns));
  context.run(VECTORS.putCode, call_no, space_no, agent_no, start_time, bytes(quantize(vectors.call)));
  for (const { first_turn, last_turn, vector } of vectors.segments) {
    context.run(VECTORS.putSegment, call_no, first_turn, last_turn, space_no, agent_no, start_time, bytes(vector));
  }
}

/** Commands on calls that go on: start, append, end, save. Each runs inside the open transaction of its group. */
import { PRIORITY } from "../../ports/calls.ts";
import type { AppendResult, EndResult, NewTurn, StartResult } from "../../ports/live-calls.ts";
import type { Input } from "./commands.ts";
import { type KnownTurn, planTurns } from "./plan-turns.ts";
import { CALLS } from "./statements.ts";
import { LIVE } from "./statements-live.ts";
import { acceptOne, type KnownCall } from "./write-calls.ts";
import type { WriteContext } from "./write-context.ts";

interface KnownLive {
  readonly live_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly turns: number;
  readonly text_bytes: number;
  readonly position: number;
  readonly active_at: number;
  readonly start_digest: Buffer;
}

export function startLive(context: WriteContext, { call, now }: Input<"startLive">): StartResult {
  const { call_id, agent_id } = call;
  if (context.get(CALLS.byId, call_id)) return { status: "conflict" };
  const digest = Buffer.from(call.digest, "hex");
  const started = context.run(
    LIVE.start,
    call_id,
    agent_id,
    call.customer_id,
    call.language,
    call.start_time,
    now,
    digest,
    now,
    JSON.stringify(call.state),
    JSON.stringify(call.alert_state),
  );
  if (started === 0) {
    const known = context.get<KnownLive>(LIVE.byId, call_id) as KnownLive;
    return { status: known.start_digest.equals(digest) ? "replayed" : "conflict" };
  }
  context.event(now, { type: "live.started", call_no: 0, call_id, agent_id, revision: 0, state: null });
  return { status: "started" };
}

/** Nothing is written before all of it is known to fit. */
export function appendLive(context: WriteContext, { call_id, turns, limits, now }: Input<"appendLive">): AppendResult {
  const live = context.get<KnownLive>(LIVE.byId, call_id);
  if (!live) return { status: context.get(CALLS.byId, call_id) ? "ended" : "not_found" };
  const { live_no } = live;
  const plan = planTurns(live, turns, limits, (turn_id) => context.get<KnownTurn>(LIVE.turnById, live_no, turn_id));
  if (plan.status !== "planned") return plan;
  let { position } = live;
  for (const [i, { turn_id, turn_index, status }] of plan.turns.entries()) {
    const { speaker, text, start_ms, end_ms } = turns[i] as NewTurn;
    if (status === "unchanged") continue;
    position++;
    if (status === "appended") {
      context.run(LIVE.insertTurn, live_no, turn_index, turn_id, speaker, text, start_ms, end_ms, position, now);
    } else context.run(LIVE.correctTurn, speaker, text, start_ms, end_ms, position, live_no, turn_index);
  }
  if (position > live.position) context.run(LIVE.grow, plan.count, plan.bytes, position, now, now, live_no);
  return { status: "appended", turns: plan.turns };
}

export function endLive(
  context: WriteContext,
  { call_id, position, row, idle_before, now }: Input<"endLive">,
): EndResult {
  const live = context.get<KnownLive>(LIVE.byId, call_id);
  if (!live) {
    const known = context.get<KnownCall>(CALLS.byId, call_id);
    return known ? { status: "replayed", call_no: known.call_no, revision: known.revision } : { status: "not_found" };
  }
  if (live.position !== position || (idle_before !== null && live.active_at >= idle_before)) return { status: "moved" };
  const { agent_id } = live;
  context.run(LIVE.remove, live.live_no);
  if (row === null) {
    context.erased();
    context.event(now, { type: "live.ended", call_no: 0, call_id, agent_id, revision: 0, state: null });
    return { status: "removed" };
  }
  // Each correction changed the text.
  const made = acceptOne(context, row, PRIORITY.live, now, 1 + position - live.turns);
  if (made.status !== "accepted") throw new Error(`a live call that ended was ${made.status}`);
  const { call_no, revision } = made;
  context.event(now, { type: "live.ended", call_no, call_id, agent_id, revision, state: "pending" });
  return { status: "ended", call_no, revision };
}

export function saveLive(context: WriteContext, { scored, now }: Input<"saveLive">): "saved" | "stale" {
  const { live_no } = scored;
  const held = context.get<{ call_id: string; agent_id: string; scored: number; alerts: string }>(
    LIVE.held,
    live_no,
    scored.version,
  );
  if (!held) return "stale";
  const placed = scored.alerts.map((alert) => ({ ...alert, position: scored.scored }));
  const alerts = JSON.stringify([...(JSON.parse(held.alerts) as unknown[]), ...placed]);
  context.run(
    LIVE.save,
    scored.scored,
    JSON.stringify(scored.state),
    JSON.stringify(scored.alert_state),
    alerts,
    live_no,
  );
  const facts = { call_no: 0, call_id: held.call_id, agent_id: held.agent_id, revision: 0, state: null };
  for (const { turn_index, position, sentiment, method, live_sentiment } of scored.scores) {
    if (context.run(LIVE.scoreTurn, sentiment, method, live_no, turn_index, position) === 0) continue;
    context.event(now, {
      type: "live.turn",
      ...facts,
      turn_index,
      position,
      turn_sentiment: sentiment,
      live_sentiment,
    });
  }
  const live_sentiment = scored.state.sentiment?.average ?? null;
  for (const { rule_id, evidence } of scored.alerts) {
    context.event(now, { type: "live.alert", ...facts, position: scored.scored, live_sentiment, rule_id, evidence });
  }
  return "saved";
}

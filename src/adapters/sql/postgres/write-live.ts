/**
 * Commands on calls that go on: start, append, end, save. Each locks the row of its call first, so that positions are dense
 * and events in order whatever the number of processes; who looks for a stored call does so after that, since one that
 * ended meanwhile has become one.
 */
import { PRIORITY } from "../../../ports/calls.ts";
import type { AppendResult, EndResult, NewTurn, StartResult } from "../../../ports/live-calls.ts";
import type { Input } from "../commands.ts";
import { type KnownTurn, madeId, planTurns } from "../plan-turns.ts";
import { LIVE } from "../statements-live.ts";
import { acceptRows, holdLive } from "./write-accept.ts";
import type { Write } from "./write.ts";

export interface LiveKey {
  readonly live_no: number;
  readonly call_id: string;
  readonly agent_id: string;
}

interface KnownLive extends LiveKey {
  readonly turns: number;
  readonly text_bytes: number;
  readonly position: number;
  readonly active_at: number;
  readonly start_digest: Buffer;
}

/** Nobody accepts a call meanwhile: hold_live_calls holds it with others. */
const HOLD_ALONE = "SELECT pg_advisory_xact_lock(20261104)";
const STORED = `SELECT call_no, revision FROM call_records WHERE call_id = $1`;
const LOCK = `${LIVE.byId} FOR UPDATE`;
const LOCK_OF_CUSTOMER = `SELECT live_no, call_id, agent_id FROM live_calls WHERE customer_id = $1 ORDER BY live_no LIMIT $2
  FOR UPDATE`;
/** Those with an id that is sent, or that an id made here could be. */
const TURNS = `SELECT turn_id, turn_index, speaker, text, start_ms, end_ms FROM live_turns
  WHERE live_no = $1 AND (turn_id = ANY($2::text[]) OR split_part(turn_id, '_', 1) = ANY($3::text[]))`;
const ADD_TURNS = `INSERT INTO live_turns (live_no, turn_index, turn_id, speaker, text, start_ms, end_ms, position, at)
  SELECT $1, turn_index, turn_id, speaker, text, start_ms, end_ms, position, $9
  FROM unnest($2::integer[], $3::text[], $4::text[], $5::bytea[], $6::integer[], $7::integer[], $8::integer[])
    AS t(turn_index, turn_id, speaker, text, start_ms, end_ms, position)`;
const SCORE_TURNS = `UPDATE live_turns AS t SET sentiment = s.sentiment, method = s.method
  FROM unnest($2::integer[], $3::integer[], $4::float8[], $5::text[]) AS s(turn_index, position, sentiment, method)
  WHERE t.live_no = $1 AND t.turn_index = s.turn_index AND t.position = s.position RETURNING t.position`;
const HELD = `${LIVE.held} FOR UPDATE`;

export function lockLive(write: Write, call_id: string): Promise<KnownLive | undefined> {
  return write.get<KnownLive>(LOCK, call_id);
}

export function lockLiveOfCustomer(write: Write, customer_id: string, limit: number): Promise<LiveKey[]> {
  return write.all<LiveKey>(LOCK_OF_CUSTOMER, customer_id, limit);
}

/** Its turns go with it. */
export async function removeLive(write: Write, live_no: number): Promise<void> {
  await write.run(LIVE.remove, live_no);
}

export async function startLive(write: Write, { call, now }: Input<"startLive">): Promise<StartResult> {
  const { call_id, agent_id } = call;
  await write.run(HOLD_ALONE);
  if (await write.get(STORED, call_id)) return { status: "conflict" };
  const digest = Buffer.from(call.digest, "hex");
  const started = await write.run(
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
    const known = await write.get<KnownLive>(LIVE.byId, call_id);
    // Erased in between.
    if (!known) return startLive(write, { call, now });
    return { status: known.start_digest.equals(digest) ? "replayed" : "conflict" };
  }
  write.event(now, { type: "live.started", call_no: 0, call_id, agent_id, revision: 0, state: null });
  return { status: "started" };
}

/** Nothing is written before all of it is known to fit. */
export async function appendLive(
  write: Write,
  { call_id, turns, limits, now }: Input<"appendLive">,
): Promise<AppendResult> {
  const live = await lockLive(write, call_id);
  if (!live) return { status: (await write.get(STORED, call_id)) ? "ended" : "not_found" };
  const { live_no } = live;
  const known = await knownTurns(write, live, turns);
  const plan = planTurns(live, turns, limits, (turn_id) => known.get(turn_id));
  if (plan.status !== "planned") return plan;
  let { position } = live;
  const added: (NewTurn & { readonly turn_id: string; readonly turn_index: number; readonly position: number })[] = [];
  for (const [i, { turn_id, turn_index, status }] of plan.turns.entries()) {
    const turn = turns[i] as NewTurn;
    if (status === "unchanged") continue;
    position++;
    if (status === "appended") added.push({ ...turn, turn_id, turn_index, position });
    else {
      const { speaker, text, start_ms, end_ms } = turn;
      await write.run(LIVE.correctTurn, speaker, Buffer.from(text), start_ms, end_ms, position, live_no, turn_index);
    }
  }
  if (added.length > 0) {
    await write.run(
      ADD_TURNS,
      live_no,
      added.map((t) => t.turn_index),
      added.map((t) => t.turn_id),
      added.map((t) => t.speaker),
      added.map((t) => Buffer.from(t.text)),
      added.map((t) => t.start_ms),
      added.map((t) => t.end_ms),
      added.map((t) => t.position),
      now,
    );
  }
  if (position > live.position) await write.run(LIVE.grow, plan.count, plan.bytes, position, now, now, live_no);
  return { status: "appended", turns: plan.turns };
}

async function knownTurns(
  write: Write,
  { live_no, turns: count }: KnownLive,
  turns: readonly NewTurn[],
): Promise<ReadonlyMap<string, KnownTurn>> {
  const sent = turns.flatMap(({ turn_id }) => turn_id ?? []);
  const made = sent.length === turns.length ? [] : turns.map((_turn, i) => madeId(count + i));
  const rows = await write.all<Omit<KnownTurn, "text"> & { turn_id: string; text: Buffer }>(TURNS, live_no, sent, made);
  return new Map(rows.map(({ turn_id, text, ...turn }) => [turn_id, { ...turn, text: text.toString("utf8") }]));
}

export async function endLive(
  write: Write,
  { call_id, position, row, idle_before, now }: Input<"endLive">,
): Promise<EndResult> {
  // Before the row: whoever starts a call holds this and waits for the row.
  if (row !== null) await holdLive(write, []);
  const live = await lockLive(write, call_id);
  if (!live) {
    const known = await write.get<{ call_no: number; revision: number }>(STORED, call_id);
    return known ? { status: "replayed", ...known } : { status: "not_found" };
  }
  if (live.position !== position || (idle_before !== null && live.active_at >= idle_before)) return { status: "moved" };
  const { agent_id } = live;
  await removeLive(write, live.live_no);
  if (row === null) {
    write.event(now, { type: "live.ended", call_no: 0, call_id, agent_id, revision: 0, state: null });
    return { status: "removed" };
  }
  // Each correction changed the text.
  const revision = 1 + position - live.turns;
  const [made] = await acceptRows(write, [{ row, priority: PRIORITY.live, now, revision }]);
  if (made?.status !== "accepted") throw new Error(`a live call that ended was ${made?.status}`);
  const { call_no } = made;
  write.event(now, { type: "live.ended", call_no, call_id, agent_id, revision, state: "pending" });
  return { status: "ended", call_no, revision };
}

export async function saveLive(write: Write, { scored, now }: Input<"saveLive">): Promise<"saved" | "stale"> {
  const { live_no, scores } = scored;
  const held = await write.get<{ call_id: string; agent_id: string; alerts: string }>(HELD, live_no, scored.version);
  if (!held) return "stale";
  const placed = scored.alerts.map((alert) => ({ ...alert, position: scored.scored }));
  const alerts = JSON.stringify([...(JSON.parse(held.alerts) as unknown[]), ...placed]);
  const [state, alert_state] = [JSON.stringify(scored.state), JSON.stringify(scored.alert_state)];
  await write.run(LIVE.save, scored.scored, state, alert_state, alerts, live_no);
  const standing = await write.all<{ position: number }>(
    SCORE_TURNS,
    live_no,
    scores.map((s) => s.turn_index),
    scores.map((s) => s.position),
    scores.map((s) => s.sentiment),
    scores.map((s) => s.method),
  );
  const stands = new Set(standing.map(({ position }) => position));
  const facts = { call_no: 0, call_id: held.call_id, agent_id: held.agent_id, revision: 0, state: null };
  for (const { turn_index, position, sentiment, live_sentiment } of scores) {
    if (!stands.has(position)) continue;
    write.event(now, {
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
    write.event(now, { type: "live.alert", ...facts, position: scored.scored, live_sentiment, rule_id, evidence });
  }
  return "saved";
}

/** Calls that go on: started, told turn by turn, ended, and looked at meanwhile. */
import { type Outcome, type Scope, EVERYTHING } from "../core/call.ts";
import { MAX_TRANSCRIPT_BYTES, MAX_TURNS } from "../core/check-turns.ts";
import { type LiveMeasures, liveMeasures } from "../core/live-measures.ts";
import { type CallMeasures, measureCall } from "../core/measure-call.ts";
import { hasWords } from "../core/words.ts";
import { AppError, invalid } from "../errors.ts";
import type { Events } from "../ports/events.ts";
import type { KeyedWrites } from "../ports/idempotency.ts";
import type {
  AppendedTurn,
  EndResult,
  LiveCallRow,
  LiveCalls,
  LiveStart,
  LiveTurnRow,
  NewTurn,
} from "../ports/live-calls.ts";
import { durationOf, isId, sealCall } from "./accept.ts";

const LIMITS = { turns: MAX_TURNS, text_bytes: MAX_TRANSCRIPT_BYTES };
/** Calls that a list shows. */
const LISTED = 1_000;
/** Turns may come while a call is being ended. */
const TRIES = 50;

type Writes = Pick<KeyedWrites, "live">;

/** @throws AppError conflict */
export async function startCall({ live }: Writes, call: LiveStart): Promise<{ call_id: string; replayed: boolean }> {
  const result = await live.start(call);
  if (result.status === "conflict") {
    throw new AppError("conflict", "This call_id is taken by another call");
  }
  return { call_id: result.call_id ?? call.call_id, replayed: result.status === "replayed" };
}

/** What is on disk now, turn by turn. @throws AppError call_not_found, call_ended, validation */
export async function appendTurns(
  { live }: Writes,
  input: { call_id: string; turns: readonly NewTurn[] },
): Promise<readonly AppendedTurn[]> {
  const { call_id, turns } = input;
  const result = isId(call_id) ? await live.append(call_id, turns, LIMITS) : ({ status: "not_found" } as const);
  switch (result.status) {
    case "appended":
      return result.turns;
    case "not_found":
      throw new AppError("call_not_found", "No call with this id goes on; POST /api/v1/live starts one");
    case "ended":
      throw new AppError("call_ended", "The call has ended: PUT /api/v1/calls/{call_id} replaces its text");
    case "too_many":
      throw tooMuch("makes more turns than a call may have", `at most ${LIMITS.turns} turns in the call`);
    case "too_long":
      throw tooMuch("makes more text than a call may have", `at most ${LIMITS.text_bytes} bytes of text in the call`);
  }
}

function tooMuch(message: string, expected: string): AppError {
  return invalid([{ pointer: "/turns", message, expected, received: "more" }]);
}

export type Ended = Exclude<EndResult, { status: "moved" | "not_found" }>;

/**
 * Makes a stored call of a live one, which enrichment then takes before all others; one on which no word was said is
 * removed. @throws AppError call_not_found
 */
export async function endCall(
  deps: { live: Pick<LiveCalls, "get">; writes: Writes },
  input: { call_id: string; outcome: Outcome | null },
): Promise<Ended> {
  const ended = isId(input.call_id) ? await endNow(deps, input) : null;
  if (ended === null) throw new AppError("call_not_found");
  return ended;
}

/** Null: no such call, or (where `idle_before` is given) not idle. */
export async function endNow(
  { live, writes }: { live: Pick<LiveCalls, "get">; writes: Writes },
  input: { call_id: string; outcome: Outcome | null; idle_before?: number },
): Promise<Ended | null> {
  const { call_id, outcome, idle_before } = input;
  for (let i = 0; i < TRIES; i++) {
    const found = await live.get(call_id, EVERYTHING);
    const result = await writes.live.end({
      call_id,
      position: found?.row.position ?? 0,
      call: found && storedCall(found, outcome),
      ...(idle_before !== undefined && { idle_before }),
    });
    if (result.status === "not_found") return null;
    if (result.status !== "moved") return result;
    if (idle_before !== undefined) return null;
  }
  throw new AppError("overloaded", "Turns come faster than the call can be ended; try again", { retryAfter: 1 });
}

/** The very call that posting all of it at once would have made. */
function storedCall({ row, turns }: FoundCall, outcome: Outcome | null) {
  if (!turns.some((turn) => hasWords(turn.text))) return null;
  const { call_id, agent_id, customer_id, language, start_time } = row;
  const said = turns.map(({ turn_id, speaker, text, start_ms, end_ms }) => ({
    turn_id,
    speaker,
    text,
    start_ms,
    end_ms,
  }));
  const head = { call_id, agent_id, customer_id, language, start_time };
  return sealCall({ ...head, duration_seconds: durationOf(said), outcome, turns: said }, start_time);
}

interface FoundCall {
  readonly row: LiveCallRow;
  readonly turns: readonly LiveTurnRow[];
}

export interface LiveOverview {
  readonly row: LiveCallRow;
  readonly measures: LiveMeasures;
}

/** Calls that go on, newest first, at most 1,000. */
export async function listLive(
  { live, now }: { live: Pick<LiveCalls, "list">; now: () => number },
  scope: Scope,
): Promise<LiveOverview[]> {
  const rows = await live.list(scope, LISTED);
  return rows.map((row) => ({ row, measures: liveMeasures(row.state, now()) }));
}

export interface LiveView extends LiveOverview {
  readonly turns: readonly LiveTurnRow[];
  /** As enrichment would measure the call if it ended now. */
  readonly soFar: CallMeasures;
  /** The log up to here is in it, at the least. */
  readonly seq: number;
}

/** @throws AppError call_not_found */
export async function viewLive(
  deps: { live: Pick<LiveCalls, "get">; events: Pick<Events, "head">; now: () => number },
  input: { call_id: string; scope: Scope },
): Promise<LiveView> {
  // Before the call: what is written in between is seen twice rather than never.
  const seq = await deps.events.head();
  const found = isId(input.call_id) ? await deps.live.get(input.call_id, input.scope) : null;
  if (found === null) throw new AppError("call_not_found", "No call with this id goes on");
  const { row, turns } = found;
  const turnSentiment = turns.map((turn) => turn.sentiment);
  const { language } = row;
  const soFar = measureCall({ turns, language, duration_seconds: durationOf(turns), turnSentiment });
  return { row, turns, seq, soFar, measures: liveMeasures(row.state, deps.now()) };
}

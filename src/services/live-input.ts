/** What a sender says about a call that goes on -> a start, turns, an end; or every field that is wrong. */
import { hash, randomUUID } from "node:crypto";
import type { Outcome } from "../core/call.ts";
import { readTurns } from "../core/check-turns.ts";
import { NO_ALERTS } from "../core/live-alerts.ts";
import { startLive } from "../core/live-measures.ts";
import { typeName } from "../core/received.ts";
import { type FieldError, invalid } from "../errors.ts";
import type { LiveStart, NewTurn } from "../ports/live-calls.ts";
import { checkFields, checkTurnFields, DEFAULT_AGENT, DEFAULT_LANGUAGE, readHead, readOutcome } from "./accept.ts";

/** Turns in one message. */
export const MAX_LIVE_TURNS = 1_000;

const START_FIELDS = new Set(["call_id", "agent_id", "customer_id", "language", "start_time"]);
const APPEND_FIELDS = new Set(["turns"]);
const END_FIELDS = new Set(["outcome"]);

/** @param alpha weight of the customer's newest turn in the live sentiment. @throws AppError validation */
export function readStart(input: unknown, context: { now: number; alpha: number }): LiveStart {
  const errors: FieldError[] = [];
  const given = fields(input, START_FIELDS, errors);
  const head = readHead(given, errors);
  if (errors.length > 0) throw invalid(errors);
  const { customer_id, start_time } = head;
  const call_id = head.call_id ?? randomUUID();
  const agent_id = head.agent_id ?? DEFAULT_AGENT;
  const language = head.language ?? DEFAULT_LANGUAGE;
  const said = JSON.stringify([call_id, agent_id, customer_id, language, start_time]);
  return {
    call_id,
    agent_id,
    customer_id,
    language,
    start_time: start_time ?? context.now,
    digest: hash("sha256", said, "hex"),
    state: startLive(language, context.alpha),
    alert_state: NO_ALERTS,
  };
}

/** @throws AppError validation */
export function readAppend(input: unknown): NewTurn[] {
  const errors: FieldError[] = [];
  const { turns } = fields(input, APPEND_FIELDS, errors);
  if (Array.isArray(turns)) {
    if (turns.length === 0 || turns.length > MAX_LIVE_TURNS) {
      throw invalid([
        {
          pointer: "/turns",
          message: turns.length === 0 ? "is empty" : "has more turns than one message may have",
          expected: `1 to ${MAX_LIVE_TURNS} turns`,
          received: String(turns.length),
        },
      ]);
    }
    checkTurnFields(turns, errors);
  }
  const read = readTurns(turns);
  if (!read.ok) errors.push(...read.errors);
  if (errors.length > 0 || !read.ok) throw invalid(errors);
  return read.turns.map((turn) => ({ ...turn, turn_id: turn.turn_id === "" ? null : turn.turn_id }));
}

/** An end may come without a body. @throws AppError validation */
export function readEnd(input: unknown): { outcome: Outcome | null } {
  const errors: FieldError[] = [];
  const outcome = readOutcome(fields(input ?? {}, END_FIELDS, errors), errors);
  if (errors.length > 0) throw invalid(errors);
  return { outcome };
}

function fields(input: unknown, known: ReadonlySet<string>, errors: FieldError[]): Readonly<Record<string, unknown>> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid([{ pointer: "", message: "must be an object", expected: "an object", received: typeName(input) }]);
  }
  const given = input as Readonly<Record<string, unknown>>;
  checkFields(given, known, errors);
  return given;
}

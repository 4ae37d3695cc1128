/** What a sender says about a call -> an AcceptedCall, or every field that is wrong with it. */
import { hash, randomUUID } from "node:crypto";
import type { AcceptedCall, Outcome, PackedCall, Turn } from "../core/call.ts";
import { pointer } from "../core/field-error.ts";
import { typeName } from "../core/received.ts";
import { parseInstant } from "../core/time.ts";
import { checkTurns } from "../core/check-turns.ts";
import type { SpeakerMap } from "../core/speaker-labels.ts";
import { parseTranscript } from "../core/transcript.ts";
import { turnsText } from "../core/turns-text.ts";
import type { FieldError } from "../errors.ts";
import type { AcceptResult, Calls, Priority } from "../ports/calls.ts";

export const OUTCOMES = ["won", "lost", "open"] as const satisfies readonly Outcome[];
export const DEFAULT_AGENT = "unassigned";
export const DEFAULT_LANGUAGE = "en";
export const MAX_ID = 128;
export const MAX_DURATION_SECONDS = 7 * 86_400;
const MAX_LABELS = 1_000;
const MAX_ERRORS = 100;

export type Normalized =
  | { readonly ok: true; readonly call: AcceptedCall & { readonly turns_text: string } }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

const FIELDS = new Set([
  "call_id",
  "agent_id",
  "customer_id",
  "language",
  "start_time",
  "duration_seconds",
  "outcome",
  "transcript",
  "turns",
  "speaker_map",
]);
const TURN_FIELDS = new Set(["turn_id", "speaker", "text", "start_ms", "end_ms"]);
// A path of its own ("." and ".." are eaten by clients) and printable; a lone surrogate cannot be stored.
const ID = /^(?!\.{1,2}$)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;

/** True if `text` can be a call_id, agent_id or customer_id: 1 to 128 printable characters, no blank at either end. */
export function isId(text: string): boolean {
  return text.length <= MAX_ID && ID.test(text) && text.trim() === text;
}

/**
 * Checks one call from the wire (any JSON value is safe) and fills what may be left out: call_id (made), agent_id
 * "unassigned", language "en", start_time now, duration from the last end_ms. null counts as left out.
 * Errors carry JSON pointers from the call ("/start_time"), at most 100.
 */
export function normalizeCall(input: unknown, context: { now: number }): Normalized {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return {
      ok: false,
      errors: [{ pointer: "", message: "must be an object", expected: "an object", received: typeName(input) }],
    };
  }
  const given = input as Readonly<Record<string, unknown>>;
  const errors: FieldError[] = [];
  checkFields(given, FIELDS, errors);
  if (errors.length >= MAX_ERRORS) return { ok: false, errors };
  const { own, bad } = fieldsOf(given, errors);
  const { call_id, agent_id, customer_id, language, start_time } = readHead(given, errors);
  const duration = readDuration(own("duration_seconds"), bad);
  const outcome = readOutcome(given, errors);
  const turns = readTurns(own, errors);
  if (errors.length > 0 || turns === null) return { ok: false, errors: errors.slice(0, MAX_ERRORS) };

  const call = {
    call_id: call_id ?? randomUUID(),
    agent_id: agent_id ?? DEFAULT_AGENT,
    customer_id,
    language: language ?? DEFAULT_LANGUAGE,
    start_time: start_time ?? context.now,
    duration_seconds: duration ?? durationOf(turns),
    outcome,
    turns,
  };
  return { ok: true, call: sealCall(call, start_time) };
}

/**
 * Adds the text of the turns, and the digest of what was said of the call.
 * @param startTime as the sender said it; null where it was not said
 */
export function sealCall(
  call: Omit<AcceptedCall, "digest" | "turns_text">,
  startTime: number | null,
): AcceptedCall & { readonly turns_text: string } {
  // In a fixed order, defaults left out: the same content sent again is known whatever its form.
  const said = [
    call.call_id,
    call.agent_id === DEFAULT_AGENT ? null : call.agent_id,
    call.customer_id,
    call.language === DEFAULT_LANGUAGE ? null : call.language,
    startTime,
    call.duration_seconds === durationOf(call.turns) ? null : call.duration_seconds,
    call.outcome,
  ];
  const turns_text = turnsText(call.turns);
  // Put together as text: the turns are most of it, and the store wants them as text too.
  const all = `${JSON.stringify(said).slice(0, -1)},${turns_text}]`;
  return { ...call, turns_text, digest: hash("sha256", all, "hex") };
}

/** What may be known of a call before a word is said; null: not said. */
export interface CallHead {
  readonly call_id: string | null;
  readonly agent_id: string | null;
  readonly customer_id: string | null;
  readonly language: string | null;
  readonly start_time: number | null;
}

/** Checks these fields alone; what is wrong goes to `errors`. */
export function readHead(given: Readonly<Record<string, unknown>>, errors: FieldError[]): CallHead {
  const { own, bad } = fieldsOf(given, errors);
  const id = (name: string): string | null => {
    const value = own(name);
    if (value === undefined) return null;
    if (typeof value === "string" && isId(value)) return value;
    const form = `1 to ${MAX_ID} characters, no control characters, no blank at either end`;
    return bad(name, typeof value === "string" ? "is no id" : "must be a string", form, value);
  };
  return {
    call_id: id("call_id"),
    agent_id: id("agent_id"),
    customer_id: id("customer_id"),
    language: readLanguage(own("language"), bad),
    start_time: readStart(own("start_time"), bad),
  };
}

/** Refuses fields that nobody would read. */
export function checkFields(
  given: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  errors: FieldError[],
): void {
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    errors.push({
      pointer: pointer(name.slice(0, 100)),
      message: "unknown field",
      expected: `one of ${[...known].join(", ")}`,
      received: typeName(given[name]),
    });
    if (errors.length >= MAX_ERRORS) return;
  }
}

function fieldsOf(
  given: Readonly<Record<string, unknown>>,
  errors: FieldError[],
): { own: (name: string) => unknown; bad: Bad } {
  return {
    own: (name) => (Object.hasOwn(given, name) ? (given[name] ?? undefined) : undefined),
    bad(name, message, expected, value) {
      errors.push({ pointer: pointer(name), message, expected, received: shown(value) });
      return null;
    },
  };
}

/** Stores calls in one durable transaction; result i is of call i. */
export function acceptCalls(
  deps: { calls: Pick<Calls, "accept"> },
  calls: readonly (AcceptedCall | PackedCall)[],
  priority: Priority,
): Promise<AcceptResult[]> {
  return calls.length === 0 ? Promise.resolve([]) : deps.calls.accept(calls, priority);
}

type Bad = (name: string, message: string, expected: string, value: unknown) => null;

function readLanguage(value: unknown, bad: Bad): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && LANGUAGE.test(value)) return value.toLowerCase();
  return bad("language", "is no language tag", 'a tag such as "en" or "pt-BR"', value);
}

function readStart(value: unknown, bad: Bad): number | null {
  if (value === undefined) return null;
  const at = typeof value === "string" ? parseInstant(value) : null;
  return (
    at ?? bad("start_time", "is no date and time", 'RFC 3339 with an offset, such as "2026-03-01T09:30:00Z"', value)
  );
}

function readDuration(value: unknown, bad: Bad): number | null {
  if (value === undefined) return null;
  if (typeof value === "number" && value >= 0 && value <= MAX_DURATION_SECONDS) {
    // Whole milliseconds, as offsets are.
    return Math.round(value * 1000) / 1000;
  }
  return bad("duration_seconds", "is no duration", `a number from 0 to ${MAX_DURATION_SECONDS} (seven days)`, value);
}

export function readOutcome(given: Readonly<Record<string, unknown>>, errors: FieldError[]): Outcome | null {
  const { own, bad } = fieldsOf(given, errors);
  const value = own("outcome");
  if (value === undefined) return null;
  return OUTCOMES.find((o) => o === value) ?? bad("outcome", "is no outcome", `one of ${OUTCOMES.join(", ")}`, value);
}

function readTurns(own: (name: string) => unknown, errors: FieldError[]): readonly Turn[] | null {
  const transcript = own("transcript");
  const turns = own("turns");
  const map = readSpeakerMap(own("speaker_map"), errors);
  if (transcript === undefined && turns === undefined) {
    errors.push({
      pointer: pointer("transcript"),
      message: "is missing",
      expected: "transcript (speaker lines) or turns (a list)",
      received: "nothing",
    });
    return null;
  }
  if (transcript !== undefined && turns !== undefined) {
    errors.push({
      pointer: pointer("turns"),
      message: "stands beside transcript",
      expected: "one of the two",
      received: "both",
    });
    return null;
  }
  if (transcript !== undefined && typeof transcript !== "string") {
    errors.push({
      pointer: pointer("transcript"),
      message: "must be a string",
      expected: "a string",
      received: typeName(transcript),
    });
    return null;
  }
  if (map === null) return null;
  if (Array.isArray(turns)) checkTurnFields(turns, errors);
  const checked = typeof transcript === "string" ? parseTranscript(transcript, map) : checkTurns(turns, map);
  if (checked.ok) return checked.turns;
  errors.push(...checked.errors);
  return null;
}

/** Likewise in each turn. */
export function checkTurnFields(turns: readonly unknown[], errors: FieldError[]): void {
  for (const [i, turn] of turns.entries()) {
    if (typeof turn !== "object" || turn === null || Array.isArray(turn)) continue;
    for (const name of Object.keys(turn)) {
      if (TURN_FIELDS.has(name)) continue;
      const expected = `one of ${[...TURN_FIELDS].join(", ")}`;
      errors.push({
        pointer: pointer("turns", i, name.slice(0, 100)),
        message: "unknown field",
        expected,
        received: typeName((turn as Record<string, unknown>)[name]),
      });
      if (errors.length >= MAX_ERRORS) return;
    }
  }
}

function readSpeakerMap(value: unknown, errors: FieldError[]): SpeakerMap | null {
  if (value === undefined) return {};
  const error = (message: string): null => {
    const expected = 'an object from labels to "agent" or "customer"';
    errors.push({ pointer: pointer("speaker_map"), message, expected, received: typeName(value) });
    return null;
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return error("must be an object");
  // The values are checked where they are used; any JSON value is safe there.
  return Object.keys(value).length > MAX_LABELS ? error("has too many labels") : (value as SpeakerMap);
}

/** Seconds up to the last known end; null without timings. */
export function durationOf(turns: readonly Turn[]): number | null {
  let last: number | null = null;
  for (const t of turns) if (t.end_ms !== null && t.end_ms > (last ?? -1)) last = t.end_ms;
  return last === null ? null : last / 1000;
}

/** Short values as they are, anything longer by its type: what was said on a call never gets into an error. */
function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.length <= 40 ? JSON.stringify(value) : typeName(value);
}

/** A list of turns from the wire becomes checked turns. */
import type { Turn } from "./call.ts";
import { type FieldError, pointer } from "./field-error.ts";
import { shown, typeName } from "./received.ts";
import {
  countLabel,
  knownLabels,
  labelKey,
  SPEAKERS,
  type SpeakerMap,
  type UnknownLabel,
  unknownError,
} from "./speaker-labels.ts";
import { hasWords } from "./words.ts";

export const MAX_TURNS = 20_000;
/** UTF-8 bytes of all text of one call. */
export const MAX_TRANSCRIPT_BYTES = 2 * 1024 * 1024;
/** Seven days: a larger offset is most likely a clock time. */
export const MAX_OFFSET_MS = 7 * 86_400_000;
const MAX_ERRORS = 100;
const MAX_ID = 128;

const OFFSET = `a number from 0 to ${MAX_OFFSET_MS} (seven days)`;
export const NO_WORDS = {
  message: "has no words",
  expected: "at least one turn with a word in it",
  received: "no words",
};

/** Turns as they were given: turn_id is "" where there was none. */
export type GivenTurns =
  | {
      readonly ok: true;
      readonly turns: Turn[];
      /** Given ids, each with the index of its turn. */
      readonly ids: ReadonlyMap<string, number>;
      /** Whether there is a word in any of them. */
      readonly spoken: boolean;
    }
  | { readonly ok: false; readonly errors: FieldError[] };

export type CheckedTurns =
  | { readonly ok: true; readonly turns: Turn[] }
  | { readonly ok: false; readonly errors: FieldError[] };

/** A turn from the wire: nothing is known of its fields. */
export interface TurnInput {
  speaker: unknown;
  text: unknown;
  start_ms?: unknown;
  end_ms?: unknown;
  turn_id?: unknown;
}

/**
 * Checks and normalises `turns: [{speaker, text, start_ms?, end_ms?, turn_id?}]` from the wire (any JSON value is
 * safe). Errors carry pointers such as /turns/3/end_ms, at most 100 of them. Offsets are rounded to whole
 * milliseconds; an end needs a start; turns keep their order. A turn without turn_id gets t1, t2, … by position
 * (`t3_2` where t3 is taken). NUL is refused, a lone surrogate becomes U+FFFD.
 */
export function checkTurns(input: unknown, speakerMap: SpeakerMap = {}): CheckedTurns {
  const given = readTurns(input, speakerMap);
  if (!given.ok) return given;
  if (!given.spoken) return { ok: false, errors: [{ pointer: pointer("turns"), ...NO_WORDS }] };
  return { ok: true, turns: withIds(given.turns, given.ids) };
}

/** The same for turns that are part of a call: ids are not made, and none of them needs words. */
export function readTurns(input: unknown, speakerMap: SpeakerMap = {}): GivenTurns {
  const { known, errors } = knownLabels(speakerMap);
  const at = pointer("turns");
  const fail = (error: FieldError): GivenTurns => ({ ok: false, errors: [...errors, error] });
  if (!Array.isArray(input))
    return fail({ pointer: at, message: "must be a list of turns", expected: "a list", received: typeName(input) });
  if (input.length > MAX_TURNS) {
    const message = `has more turns than a call may have`;
    return fail({ pointer: at, message, expected: `at most ${MAX_TURNS}`, received: String(input.length) });
  }
  const items: readonly unknown[] = input;
  if (tooLong(items.map((t) => (isRecord(t) && typeof t["text"] === "string" ? t["text"] : "")))) {
    return fail(tooLongError(at));
  }

  const turns: Turn[] = [];
  const unknown = new Map<string, UnknownLabel>();
  const firstWith = new Map<string, number>();
  let spoken = false;
  for (const [i, item] of items.entries()) {
    if (!isRecord(item)) {
      errors.push({
        pointer: pointer("turns", i),
        message: "must be an object",
        expected: "an object",
        received: typeName(item),
      });
      continue;
    }
    const turn = item as unknown as TurnInput;
    const bad = (field: string, message: string, expected: string, received: string): void => {
      errors.push({ pointer: pointer("turns", i, field), message, expected, received });
    };
    const speaker = typeof turn.speaker === "string" ? known.get(labelKey(turn.speaker)) : undefined;
    if (typeof turn.speaker !== "string") bad("speaker", "must be a string", SPEAKERS, typeName(turn.speaker));
    else if (!speaker) countLabel(unknown, turn.speaker.trim(), labelKey(turn.speaker), i);

    const text = typeof turn.text === "string" ? turn.text.toWellFormed().trim() : "";
    if (typeof turn.text !== "string") bad("text", "must be a string", "a string", typeName(turn.text));
    else if (text.includes("\0")) bad("text", "holds a NUL character", "text", "NUL");
    spoken ||= hasWords(text);

    const start = offset(turn.start_ms);
    const end = offset(turn.end_ms);
    if (start === undefined) bad("start_ms", "is no offset in milliseconds", OFFSET, shown(turn.start_ms));
    if (end === undefined) bad("end_ms", "is no offset in milliseconds", OFFSET, shown(turn.end_ms));
    if (start === null && typeof end === "number")
      bad("end_ms", "stands without start_ms", "start_ms as well", String(end));
    if (typeof start === "number" && typeof end === "number" && end < start) {
      bad("end_ms", "is before start_ms", `at least ${start}`, String(end));
    }

    const id = turn.turn_id ?? null;
    if (id !== null && !isId(id)) {
      bad("turn_id", "is no turn id", `1 to ${MAX_ID} characters, no control characters`, shown(id));
    } else if (id !== null) {
      const other = firstWith.get(id as string);
      if (other === undefined) firstWith.set(id as string, i);
      else bad("turn_id", `is also the id of turn ${other}`, "ids that are unique within the call", shown(id));
    }
    turns.push({
      turn_id: (id as string | null) ?? "",
      speaker: speaker ?? "customer",
      text,
      start_ms: start ?? null,
      end_ms: end ?? null,
    });
    if (errors.length >= MAX_ERRORS) break;
  }
  if (unknown.size > 0) {
    const labels = [...unknown.values()];
    errors.unshift(unknownError(pointer("turns", labels[0]?.first ?? 0, "speaker"), labels));
  }
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, MAX_ERRORS) };
  return { ok: true, turns, ids: firstWith, spoken };
}

function withIds(turns: readonly Turn[], taken: ReadonlyMap<string, number>): Turn[] {
  return turns.map((turn, i) => {
    if (turn.turn_id !== "") return turn;
    let id = `t${i + 1}`;
    // Given ids may look like ours; made ones differ among themselves by position.
    for (let k = 2; taken.has(id); k++) id = `t${i + 1}_${k}`;
    return { ...turn, turn_id: id };
  });
}

/** Whole milliseconds; null where absent, undefined where wrong. */
function offset(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_OFFSET_MS)) return undefined;
  return Math.round(value);
}

function isId(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_ID && /^[^\p{Cc}\p{Cs}]+$/u.test(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the texts of a call are more than it may have, in UTF-8. */
export function tooLong(texts: readonly string[]): boolean {
  let bytes = 0;
  for (const t of texts) {
    bytes += t.length;
    // Only text beyond ASCII needs the exact count.
    if (bytes * 3 > MAX_TRANSCRIPT_BYTES) break;
  }
  if (bytes * 3 <= MAX_TRANSCRIPT_BYTES) return false;
  const encoder = new TextEncoder();
  return texts.reduce((sum, t) => sum + encoder.encode(t).length, 0) > MAX_TRANSCRIPT_BYTES;
}

export function tooLongError(at: string): FieldError {
  return {
    pointer: at,
    message: "is too long",
    expected: `at most ${MAX_TRANSCRIPT_BYTES} bytes of text`,
    received: "more",
  };
}

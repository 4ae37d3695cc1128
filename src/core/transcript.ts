/**
 * Transcripts in and out: speaker lines or a list of turns become checked turns.
 *
 * Speaker lines: `Agent: …` and `Customer: …`, labels in any case, plus the labels of a speaker map. A line without
 * a label continues the turn before it. A time before the label (`[00:01:23] Agent: …`, `00:12 Agent: …`, a range
 * `[00:12-00:15] …`) or in brackets after it (`Agent (00:12): …`) is the turn's start (and end).
 *
 * Is `Note: …` a speaker? An unknown head counts as a label when it looks like a name (at most 40 characters and five
 * words, at least one letter, no sentence punctuation, not a link) AND either stands before the first known label or
 * heads two lines or more. All other colons are text: "10:30", "Note: call back" once within a turn.
 */
import type { Speaker, Turn } from "./call.ts";
import { type FieldError, pointer } from "./field-error.ts";
import { hasWords } from "./words.ts";

export const MAX_TURNS = 20_000;
/** UTF-8 bytes of all text of one call. */
const MAX_TRANSCRIPT_BYTES = 2 * 1024 * 1024;
/** Seven days: a larger offset is most likely a clock time. */
export const MAX_OFFSET_MS = 7 * 86_400_000;
const MAX_ERRORS = 100;
const MAX_ID = 128;

/** Labels of the sender's own to a speaker: `{"Rep": "agent", "Client": "customer"}`. Case does not matter. */
export type SpeakerMap = Readonly<Record<string, string>>;

export type CheckedTurns =
  | { readonly ok: true; readonly turns: Turn[] }
  | { readonly ok: false; readonly errors: FieldError[] };

/**
 * Turns from speaker lines. Errors point to /transcript (or /speaker_map/…) and name the line; they are: no words,
 * too long, NUL characters, a first line without a label, unknown labels (listed with counts and how to map them).
 * Lone surrogates become U+FFFD. Continuation lines are joined by a space; ids are t1, t2, …
 */
export function parseTranscript(text: string, speakerMap: SpeakerMap = {}): CheckedTurns {
  const { known, errors } = knownLabels(speakerMap);
  const at = pointer("transcript");
  if (tooLong([text])) errors.push(tooLongError(at));
  if (errors.length > 0) return { ok: false, errors };
  if (!hasWords(text)) return { ok: false, errors: [{ pointer: at, ...NO_WORDS }] };
  const lines = text.split(/\r\n|\r|\n/);
  const nul = lines.findIndex((l) => l.includes("\0"));
  if (nul >= 0)
    return {
      ok: false,
      errors: [{ pointer: at, message: `line ${nul + 1} holds a NUL character`, expected: "text", received: "NUL" }],
    };

  const heads = lines.map((l) => splitHead(l, known));
  const unknown = unknownLabels(heads);
  const first = lines.findIndex((l) => l.trim() !== "" && l.trim() !== "\uFEFF");
  const opening = heads[first];
  if (!opening?.speaker && !(opening && unknown.has(opening.key))) {
    errors.push({
      pointer: at,
      message: `line ${first + 1} has no speaker label, and there is no turn before it that it could continue`,
      expected: '"Agent: …" or "Customer: …"',
      received: clip(lines[first] ?? ""),
    });
  }
  if (unknown.size > 0) errors.push(unknownError(at, [...unknown.values()]));
  if (errors.length > 0) return { ok: false, errors };

  const turns: TurnInput[] = [];
  let parts: string[] = [];
  const close = (): void => {
    const last = turns.at(-1);
    if (last) last.text = parts.filter((p) => p !== "").join(" ");
  };
  for (const [i, head] of heads.entries()) {
    if (head?.speaker) {
      close();
      parts = [head.text];
      turns.push({ speaker: head.speaker, text: "", start_ms: head.start_ms, end_ms: head.end_ms });
    } else {
      parts.push((lines[i] as string).trim());
    }
  }
  close();
  const checked = checkTurns(turns);
  if (checked.ok) return checked;
  return { ok: false, errors: checked.errors.map((e) => inLines(e, heads)) };
}

interface TurnInput {
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
  const { known, errors } = knownLabels(speakerMap);
  const at = pointer("turns");
  const fail = (error: FieldError): CheckedTurns => ({ ok: false, errors: [...errors, error] });
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
    else if (!speaker) count(unknown, turn.speaker.trim(), labelKey(turn.speaker), i);

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
  if (errors.length === 0 && !spoken) errors.push({ pointer: at, ...NO_WORDS });
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, MAX_ERRORS) };
  return { ok: true, turns: withIds(turns, firstWith) };
}

/**
 * Speaker lines of turns, one line a turn with its times where it has them. The inverse of parseTranscript but for
 * turn ids, and line breaks within a text, which become spaces.
 */
export function formatTranscript(turns: readonly Turn[]): string {
  return turns
    .map(({ speaker, text, start_ms, end_ms }) => {
      const end = end_ms === null ? "" : `-${clock(end_ms)}`;
      const range = start_ms === null ? "" : `[${clock(start_ms)}${end}] `;
      return `${range}${speaker === "agent" ? "Agent" : "Customer"}: ${oneLine(text)}`;
    })
    .join("\n");
}

function oneLine(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}

// ---- labels ------------------------------------------------------------------------------------------------------

const SPEAKERS = '"agent" or "customer"';
const OFFSET = `a number from 0 to ${MAX_OFFSET_MS} (seven days)`;
const NO_WORDS = {
  message: "has no words",
  expected: "at least one turn with a word in it",
  received: "no words",
};

function labelKey(label: string): string {
  return label.normalize("NFKC").trim().replaceAll(/\s+/g, " ").toLowerCase();
}

function knownLabels(map: SpeakerMap): { known: Map<string, Speaker>; errors: FieldError[] } {
  const known = new Map<string, Speaker>([
    ["agent", "agent"],
    ["customer", "customer"],
  ]);
  const errors: FieldError[] = [];
  for (const [label, speaker] of Object.entries(map)) {
    if (speaker === "agent" || speaker === "customer") known.set(labelKey(label), speaker);
    else {
      const message = "maps to no speaker";
      errors.push({ pointer: pointer("speaker_map", label), message, expected: SPEAKERS, received: shown(speaker) });
    }
  }
  return { known, errors };
}

interface UnknownLabel {
  readonly label: string;
  n: number;
  readonly first: number;
}

function count(found: Map<string, UnknownLabel>, label: string, key: string, index: number): void {
  const seen = found.get(key);
  if (seen) seen.n++;
  else found.set(key, { label, n: 1, first: index });
}

function unknownError(at: string, labels: readonly UnknownLabel[]): FieldError {
  const sorted = labels.toSorted((a, b) => b.n - a.n || a.first - b.first);
  const listed = sorted.slice(0, 10).map((l) => `${JSON.stringify(clip(l.label))} (${l.n})`);
  const rest = sorted.length - listed.length;
  // An example to copy: the label that sounds like the seller, else the one that speaks first, as the agent.
  const two = sorted.slice(0, 2).toSorted((a, b) => a.first - b.first);
  const seller = two.find((l) => /agent|rep\b|sales|sell|advis|consult|host|staff|support/i.test(l.label)) ?? two[0];
  const example = Object.fromEntries(two.map((l) => [clip(l.label), l === seller ? "agent" : "customer"]));
  return {
    pointer: at,
    message:
      `unknown speaker labels: ${listed.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}. ` +
      `Say who they are with speaker_map, for example "speaker_map": ${JSON.stringify(example)}`,
    expected: `${SPEAKERS}, or a label of speaker_map`,
    received: sorted
      .slice(0, 10)
      .map((l) => clip(l.label))
      .join(", "),
  };
}

// ---- lines -------------------------------------------------------------------------------------------------------

interface Head {
  /** undefined: looks like a label, but is none we know. */
  readonly speaker: Speaker | undefined;
  readonly label: string;
  readonly key: string;
  readonly text: string;
  readonly start_ms: number | null;
  readonly end_ms: number | null;
}

const TIME = String.raw`(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?`;
const RANGE = String.raw`(${TIME})(?:\s*(?:-->|[-–])\s*(${TIME}))?`;
const LEADING = new RegExp(String.raw`^(?:\[\s*${RANGE}\s*\]|\(\s*${RANGE}\s*\)|${RANGE}(?=[\s-]))[\s-]*`);
const TRAILING = new RegExp(String.raw`(?:\[\s*${RANGE}\s*\]|\(\s*${RANGE}\s*\))$`);

/** The head of a line: its label and times; null where the line can only be text. */
function splitHead(raw: string, known: ReadonlyMap<string, Speaker>): Head | null {
  const line = raw.replace(/^\uFEFF/, "").trim();
  const lead = LEADING.exec(line);
  const rest = lead ? line.slice(lead[0].length) : line;
  const open = /[:：]/.exec(rest);
  if (!open) return null;
  // A time after the label holds colons of its own, so look there first.
  const timed = /^([^:：([]{1,200})([([][^)\]]{3,40}[)\]])\s*[:：]/.exec(rest);
  const trail = timed ? TRAILING.exec((timed[2] as string).trim()) : null;
  const label = (timed && trail ? (timed[1] as string) : rest.slice(0, open.index)).trim();
  const text = rest.slice(timed && trail ? timed[0].length : open.index + 1);
  const key = labelKey(label);
  const speaker = known.get(key);
  if (!speaker && !looksLikeLabel(label, text)) return null;
  const times = (lead ?? trail)?.slice(1).filter((t) => t !== undefined) ?? [];
  return { speaker, label, key, text: text.trim(), start_ms: milliseconds(times[0]), end_ms: milliseconds(times[1]) };
}

function looksLikeLabel(label: string, text: string): boolean {
  if (label.length === 0 || label.length > 40 || text.startsWith("//")) return false;
  if (!/\p{L}/u.test(label) || /[,;!?…"“”]/.test(label)) return false;
  // A full stop is for initials and titles only: "J. Smith", "Dr. Jones".
  if (/\./.test(label.replaceAll(/\b(?:\p{L}|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr)\./giu, ""))) return false;
  return label.split(/\s+/).length <= 5;
}

function unknownLabels(heads: readonly (Head | null)[]): Map<string, UnknownLabel> {
  const all = new Map<string, UnknownLabel>();
  const firstKnown = heads.findIndex((h) => h?.speaker);
  for (const [i, h] of heads.entries()) if (h && !h.speaker) count(all, h.label, h.key, i);
  for (const [key, l] of all) if (l.n < 2 && firstKnown >= 0 && l.first > firstKnown) all.delete(key);
  return all;
}

function milliseconds(time: string | undefined): number | null {
  if (time === undefined) return null;
  const seconds = time
    .replace(",", ".")
    .split(":")
    .reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round(seconds * 1000);
}

function clock(ms: number): string {
  const s = Math.floor(ms / 1000);
  const [hours, minutes, seconds] = [s / 3600, (s / 60) % 60, s % 60].map((n) =>
    String(Math.floor(n)).padStart(2, "0"),
  );
  const fraction = ms % 1000 === 0 ? "" : `.${String(ms % 1000).padStart(3, "0")}`;
  return `${hours}:${minutes}:${seconds}${fraction}`;
}

/** An error of checkTurns in terms of lines: the sender of speaker lines has seen no turn numbers. */
function inLines(error: FieldError, heads: readonly (Head | null)[]): FieldError {
  const [, , index, field] = error.pointer.split("/");
  const at = pointer("transcript");
  if (index === undefined) return Object.assign({}, error, { pointer: at });
  let turn = -1;
  const line = heads.findIndex((h) => h?.speaker && ++turn === Number(index));
  const what = field === "end_ms" ? "the end time" : field === "start_ms" ? "the start time" : (field ?? "the turn");
  return Object.assign({}, error, { pointer: at, message: `line ${line + 1}: ${what} ${error.message}` });
}

// ---- values ------------------------------------------------------------------------------------------------------

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

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : value === undefined ? "nothing" : typeof value;
}

function shown(value: unknown): string {
  return typeof value === "number" || typeof value === "string" ? clip(String(value)) : typeName(value);
}

function clip(text: string): string {
  const line = text
    .toWellFormed()
    .trim()
    .replaceAll(/\p{Cc}/gu, " ");
  return line.length <= 60 ? line : `${line.slice(0, 59).toWellFormed()}…`;
}

function tooLong(texts: readonly string[]): boolean {
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

function tooLongError(at: string): FieldError {
  return {
    pointer: at,
    message: "is too long",
    expected: `at most ${MAX_TRANSCRIPT_BYTES} bytes of text`,
    received: "more",
  };
}

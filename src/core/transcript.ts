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
import type { Turn } from "./call.ts";
import { type CheckedTurns, checkTurns, NO_WORDS, tooLong, tooLongError, type TurnInput } from "./check-turns.ts";
import { type FieldError, pointer } from "./field-error.ts";
import { readPlainLines } from "./plain-lines.ts";
import { clip } from "./received.ts";
import { knownLabels, type SpeakerMap, unknownError } from "./speaker-labels.ts";
import { type Head, splitHead, unknownLabels } from "./transcript-lines.ts";
import { hasWords } from "./words.ts";

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
  const plain = readPlainLines(text, known);
  if (plain) return { ok: true, turns: plain };
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

function clock(ms: number): string {
  const s = Math.floor(ms / 1000);
  const [hours, minutes, seconds] = [s / 3600, (s / 60) % 60, s % 60].map((n) =>
    String(Math.floor(n)).padStart(2, "0"),
  );
  const fraction = ms % 1000 === 0 ? "" : `.${String(ms % 1000).padStart(3, "0")}`;
  return `${hours}:${minutes}:${seconds}${fraction}`;
}

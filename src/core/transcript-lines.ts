/** One line of a transcript: times, label, words. */
import type { Speaker } from "./call.ts";
import { type UnknownLabel, countLabel, labelKey } from "./speaker-labels.ts";

export interface Head {
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
export function splitHead(raw: string, known: ReadonlyMap<string, Speaker>): Head | null {
  // A byte order mark is blank to trim.
  const line = raw.trim();
  const lead = /^[[(\d]/.test(line) ? LEADING.exec(line) : null;
  const rest = lead ? line.slice(lead[0].length) : line;
  const open = /[:：]/.exec(rest);
  if (!open) return null;
  // A time after the label holds colons of its own, so look there first.
  const timed = /[([]/.test(rest.slice(0, open.index))
    ? /^([^:：([]{1,200})([([][^)\]]{3,40}[)\]])\s*[:：]/.exec(rest)
    : null;
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

/** Heads that count as labels of speakers we do not know (the rule is in transcript.ts), by key. */
export function unknownLabels(heads: readonly (Head | null)[]): Map<string, UnknownLabel> {
  const all = new Map<string, UnknownLabel>();
  const firstKnown = heads.findIndex((h) => h?.speaker);
  for (const [i, h] of heads.entries()) if (h && !h.speaker) countLabel(all, h.label, h.key, i);
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

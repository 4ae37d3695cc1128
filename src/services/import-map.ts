/** How a file's columns become fields: `call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1`. */
import { type AppError, invalid } from "../errors.ts";

/** Fields of a call that a file may carry. */
export const CALL_FIELDS = [
  "call_id",
  "agent_id",
  "customer_id",
  "language",
  "start_time",
  "duration_seconds",
  "outcome",
] as const;
/** Fields of a turn, for files with one row a turn; `turn` is the number to sort by. */
const TURN_FIELDS = ["turn", "turn_id", "speaker", "text", "start_ms", "end_ms"] as const;
const TEXT_FIELDS = ["transcript", "turns"] as const;
const SPEAKERS = ["agent", "customer"] as const;
const DEFAULT_FIELDS = ["agent_id", "customer_id", "language", "start_time", "outcome", "duration_seconds"] as const;

export type MappedField = (typeof CALL_FIELDS)[number] | (typeof TURN_FIELDS)[number] | (typeof TEXT_FIELDS)[number];

export interface ImportMap {
  /** Field -> column. */
  readonly columns: Readonly<Partial<Record<MappedField, string>>>;
  /** Speaker labels of the file -> agent or customer. */
  readonly speakers: Readonly<Record<string, "agent" | "customer">>;
}

export const NO_MAP: ImportMap = { columns: {}, speakers: {} };

/** Reads `field=column,…`; `agent=` and `customer=` name the labels of the speakers. @throws AppError validation */
export function parseMap(text: string): ImportMap {
  const columns: Partial<Record<MappedField, string>> = {};
  const speakers: Record<string, "agent" | "customer"> = {};
  const fields: readonly string[] = [...CALL_FIELDS, ...TURN_FIELDS, ...TEXT_FIELDS];
  for (const [name, value] of pairs(text, "?map")) {
    const speaker = SPEAKERS.find((s) => s === name);
    if (speaker !== undefined) speakers[value] = speaker;
    else if (fields.includes(name)) columns[name as MappedField] = value;
    else throw wrong("?map", `"${name}" is no field`, `one of ${[...fields, ...SPEAKERS].join(", ")}`, name);
  }
  return { columns, speakers };
}

/** Reads `field=value,…`: what a file lacks. @throws AppError validation */
export function parseDefaults(text: string): Record<string, string | number> {
  const out: Record<string, string | number> = {};
  const fields: readonly string[] = DEFAULT_FIELDS;
  for (const [name, value] of pairs(text, "?default")) {
    if (!fields.includes(name))
      throw wrong("?default", `"${name}" has no default`, `one of ${fields.join(", ")}`, name);
    out[name] = name === "duration_seconds" ? Number(value) : value;
  }
  return out;
}

/** Reads `Rep=agent,Client=customer` or a JSON object. @throws AppError validation */
export function parseSpeakers(text: string): Record<string, "agent" | "customer"> {
  const out: Record<string, "agent" | "customer"> = {};
  for (const [label, value] of pairs(text, "?speaker_map")) {
    const speaker = SPEAKERS.find((s) => s === value);
    if (speaker === undefined)
      throw wrong("?speaker_map", `"${label}" maps to no speaker`, '"agent" or "customer"', value);
    out[label] = speaker;
  }
  return out;
}

function pairs(text: string, pointer: string): [string, string][] {
  if (text.trim() === "") return [];
  if (text.trimStart().startsWith("{")) {
    try {
      return Object.entries(JSON.parse(text) as Record<string, unknown>).map(([k, v]) => [k, String(v)]);
    } catch {
      throw wrong(pointer, "is not valid JSON", '{"field": "value"} or field=value,…', "other text");
    }
  }
  return text.split(",").map((part) => {
    const at = part.indexOf("=");
    if (at < 1) throw wrong(pointer, `"${part}" is no pair`, "field=value,…", part);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function wrong(pointer: string, message: string, expected: string, received: string): AppError {
  return invalid([{ pointer, message, expected, received: received.slice(0, 60).toWellFormed() }]);
}

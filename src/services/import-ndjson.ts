/** NDJSON: one body of POST /api/v1/calls a line. */
import type { Entry } from "./import-entry.ts";
import type { ImportMap } from "./import-map.ts";
import { type CutOptions, cutRecords } from "./import-records.ts";

/** Every line becomes an entry; `map` renames the sender's fields. */
export async function* readNdjson(
  source: AsyncIterable<Uint8Array>,
  options: { map: ImportMap; from?: CutOptions["from"] },
): AsyncGenerator<Entry> {
  const renamed = new Map(Object.entries(options.map.columns).map(([field, column]) => [column, field]));
  const { speakers } = options.map;
  for await (const piece of cutRecords(source, { quotes: false, ...(options.from && { from: options.from }) })) {
    const { line, end, nextLine, bytes } = piece;
    const bad = (message: string): Entry => ({ line, end, nextLine, bytes, problems: [{ line, message }] });
    if (!piece.ok) {
      yield bad(piece.message);
      continue;
    }
    const value = parse(piece.text);
    if ("problem" in value) yield bad(value.problem);
    else yield { line, end, nextLine, bytes, body: withSpeakers(rename(value.body, renamed), speakers) };
  }
}

function parse(text: string): { body: Record<string, unknown> } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 may quote the text around the fault, which can be somebody's words: only the place goes out.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    return { problem: at === undefined ? "is not valid JSON" : `is not valid JSON at column ${Number(at) + 1}` };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { body: value as Record<string, unknown> };
  }
  return {
    problem: `must be a JSON object, is ${value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`}`,
  };
}

function rename(body: Record<string, unknown>, names: ReadonlyMap<string, string>): Record<string, unknown> {
  if (names.size === 0) return body;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** A speaker map of the import joins the call's own, which goes first. */
export function withSpeakers(body: Record<string, unknown>, speakers: ImportMap["speakers"]): Record<string, unknown> {
  if (Object.keys(speakers).length === 0) return body;
  const own = body["speaker_map"] ?? {};
  if (typeof own !== "object" || Array.isArray(own)) return body;
  return { ...body, speaker_map: { ...speakers, ...own } };
}

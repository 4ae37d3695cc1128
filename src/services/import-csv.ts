/** CSV (RFC 4180, UTF-8, first record = column names): one row a call, or one row a turn. */
import { invalid } from "../errors.ts";
import type { JobError } from "../ports/jobs.ts";
import type { Entry } from "./import-entry.ts";
import { CALL_FIELDS, type ImportMap, type MappedField } from "./import-map.ts";
import { withSpeakers } from "./import-ndjson.ts";
import { csvFields, cutRecords, MAX_RECORD_BYTES, type Piece } from "./import-records.ts";
import { MAX_TURNS } from "../core/check-turns.ts";

export interface CsvOptions {
  readonly map: ImportMap;
  /** Where to go on, with the column names that stood at the top of the file. */
  readonly from?: { readonly bytes: number; readonly line: number; readonly columns: readonly string[] };
  /** Called with the column names. */
  readonly onColumns?: (columns: readonly string[]) => void;
}

/** @throws AppError validation when the file has no usable columns: nothing of it can be read then. */
export async function* readCsv(source: AsyncIterable<Uint8Array>, options: CsvOptions): AsyncGenerator<Entry> {
  const pieces = cutRecords(source, { quotes: true, ...(options.from && { from: options.from }) });
  let columns = options.from?.columns;
  if (columns === undefined) {
    const first = await pieces.next();
    if (first.done) return;
    if (!first.value.ok) {
      const message = `line 1 ${first.value.message}`;
      throw invalid([{ pointer: "?map", message, expected: "a line of column names", received: "an unreadable line" }]);
    }
    columns = csvFields(first.value.text).map((name) => name.trim());
  }
  options.onColumns?.(columns);
  const at = placesOf(columns, options.map);
  yield* at.has("text")
    ? turnRows(pieces, columns.length, at, options.map)
    : callRows(pieces, columns.length, at, options.map);
}

/** Field -> index of its column: what the map says, else the column of the same name. */
function placesOf(columns: readonly string[], map: ImportMap): Map<MappedField, number> {
  const at = new Map<MappedField, number>();
  const missing: string[] = [];
  for (const [field, column] of Object.entries(map.columns) as [MappedField, string][]) {
    const index = columns.indexOf(column);
    if (index < 0) missing.push(column);
    else at.set(field, index);
  }
  const has = `the file has ${columns
    .slice(0, 50)
    .map((c) => JSON.stringify(c.slice(0, 60)))
    .join(", ")}`;
  if (missing.length > 0) {
    throw invalid([
      {
        pointer: "?map",
        message: `no column ${missing.map((m) => JSON.stringify(m)).join(", ")}; ${has}`,
        expected: "columns of the file",
        received: missing.join(", ").slice(0, 200).toWellFormed(),
      },
    ]);
  }
  for (const field of [
    ...CALL_FIELDS,
    "transcript",
    "turns",
    "turn",
    "turn_id",
    "speaker",
    "text",
    "start_ms",
    "end_ms",
  ] as const) {
    const index = columns.indexOf(field);
    if (index >= 0 && !at.has(field)) at.set(field, index);
  }
  const oneRowATurn = at.has("text");
  const needed: readonly MappedField[] = oneRowATurn ? ["call_id", "speaker"] : [];
  const lacks = needed.filter((field) => !at.has(field));
  if (lacks.length > 0 || (!oneRowATurn && !at.has("transcript") && !at.has("turns"))) {
    const what = lacks.length > 0 ? lacks.join(" and ") : "transcript, turns or text";
    throw invalid([
      {
        pointer: "?map",
        message: `no column for ${what}; ${has}`,
        expected: "a mapping such as call_id=Id,text=Words,speaker=Who,agent=rep,customer=client",
        received: columns.join(", ").slice(0, 200).toWellFormed(),
      },
    ]);
  }
  return at;
}

/** Cells by field; empty ones are left out. */
type Row = Partial<Record<MappedField, string>>;

function rowOf(text: string, width: number, at: ReadonlyMap<MappedField, number>): Row | string {
  const cells = csvFields(text);
  if (cells.length !== width) return `has ${cells.length} columns where the first line has ${width}`;
  const row: Row = {};
  for (const [field, index] of at) {
    const cell = cells[index] as string;
    if (field === "text" || cell.trim() !== "")
      row[field] = field === "text" || field === "transcript" ? cell : cell.trim();
  }
  return row;
}

/** A number where the cell is one, else the cell, for the checks of ingest to name. */
function numeric(cell: string | undefined): unknown {
  return cell === undefined ? undefined : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : cell;
}

function callFields(row: Row): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of CALL_FIELDS) {
    const cell = row[field];
    if (cell !== undefined) body[field] = field === "duration_seconds" ? numeric(cell) : cell;
  }
  return body;
}

async function* callRows(
  pieces: AsyncGenerator<Piece>,
  width: number,
  at: ReadonlyMap<MappedField, number>,
  map: ImportMap,
): AsyncGenerator<Entry> {
  for await (const piece of pieces) {
    const { line, end, nextLine, bytes } = piece;
    const bad = (message: string): Entry => ({ line, end, nextLine, bytes, problems: [{ line, message }] });
    const row = piece.ok ? rowOf(piece.text, width, at) : piece.message;
    if (typeof row === "string") {
      yield bad(row);
      continue;
    }
    const body = callFields(row);
    if (row.transcript !== undefined) body["transcript"] = row.transcript;
    if (row.turns !== undefined) {
      try {
        body["turns"] = JSON.parse(row.turns);
      } catch {
        yield bad("/turns: is not valid JSON");
        continue;
      }
    }
    yield { line, end, nextLine, bytes, body: withSpeakers(body, map.speakers) };
  }
}

// ---- one row a turn ----------------------------------------------------------------------------------------------

interface Group {
  readonly call_id: string;
  readonly line: number;
  end: number;
  nextLine: number;
  bytes: number;
  rows: { row: Row; line: number }[];
  problems: JobError[];
}

/** So many names of finished calls are remembered, to tell a call whose rows lie apart from one stored earlier. */
const REMEMBERED = 200_000;

async function* turnRows(
  pieces: AsyncGenerator<Piece>,
  width: number,
  at: ReadonlyMap<MappedField, number>,
  map: ImportMap,
): AsyncGenerator<Entry> {
  const finished = new Map<string, number>();
  let group: Group | null = null;
  /** A line that could not be read: whose call it belongs to shows only when the next row comes. */
  let unread: JobError | null = null;

  const close = (g: Group): Entry => {
    const place = { line: g.line, end: g.end, nextLine: g.nextLine, bytes: g.bytes };
    const before = finished.get(g.call_id);
    if (before !== undefined) {
      const message = `call ${JSON.stringify(g.call_id)} has rows apart from its others, which begin in line ${before}: the rows of a call must follow one another`;
      return { ...place, problems: [{ line: g.line, message }] };
    }
    if (finished.size < REMEMBERED) finished.set(g.call_id, g.line);
    if (g.problems.length > 0) return { ...place, problems: g.problems };
    return { ...place, ...bodyOf(g, map) };
  };

  for await (const piece of pieces) {
    const { line } = piece;
    const row = piece.ok ? rowOf(piece.text, width, at) : piece.message;
    const call_id = typeof row === "string" ? undefined : row.call_id;
    if (typeof row === "string" || call_id === undefined) {
      const problem = { line, message: typeof row === "string" ? row : "/call_id: is missing" };
      if (group !== null && unread !== null) {
        yield close(group);
        group = null;
      }
      unread = problem;
      if (group === null)
        yield { line, end: piece.end, nextLine: piece.nextLine, bytes: piece.bytes, problems: [problem] };
      else {
        group.problems.push(problem);
        extend(group, piece);
      }
      continue;
    }
    if (group === null || group.call_id !== call_id) {
      if (group !== null) yield close(group);
      group = { call_id, line, end: piece.end, nextLine: piece.nextLine, bytes: piece.bytes, rows: [], problems: [] };
      if (unread !== null) {
        // Half a call is worse than none: the unread line may have been its first.
        const message = `call ${JSON.stringify(call_id)} is left out: line ${unread.line} before it could not be read and may belong to it`;
        group.problems.push({ line, message });
      }
    } else extend(group, piece);
    unread = null;
    if (group.rows.length > MAX_TURNS || group.bytes > MAX_RECORD_BYTES * 2) {
      // Held no longer; the check of ingest would refuse it anyway.
      if (group.problems.length === 0) {
        const message = `call ${JSON.stringify(call_id)} is too long (at most ${MAX_TURNS} turns and ${MAX_RECORD_BYTES} bytes of text)`;
        group.problems.push({ line: group.line, message });
      }
      group.rows = [];
    } else if (group.problems.length === 0) group.rows.push({ row, line });
  }
  if (group !== null) yield close(group);
}

function extend(group: Group, piece: Piece): void {
  group.end = piece.end;
  group.nextLine = piece.nextLine;
  group.bytes += piece.bytes;
}

/** Rows by turn, then in the order of the file; the fields of the call are those of its first row that has them. */
function bodyOf(
  group: Group,
  map: ImportMap,
): { body: Record<string, unknown>; turnLines: number[] } | { problems: JobError[] } {
  const rows = group.rows.map(({ row, line }) => ({
    row,
    line,
    order: row.turn === undefined ? 0 : numeric(row.turn),
  }));
  const lost = rows.find(({ order }) => typeof order !== "number");
  if (lost !== undefined) return { problems: [{ line: lost.line, message: "/turn: is no number" }] };
  const sorted = rows.toSorted((a, b) => (a.order as number) - (b.order as number));
  const body: Record<string, unknown> = {};
  for (const { row } of group.rows) {
    for (const [field, value] of Object.entries(callFields(row))) body[field] ??= value;
  }
  body["turns"] = sorted.map(({ row }) => ({
    speaker: row.speaker ?? "",
    text: row.text ?? "",
    ...(row.turn_id !== undefined && { turn_id: row.turn_id }),
    ...(row.start_ms !== undefined && { start_ms: numeric(row.start_ms) }),
    ...(row.end_ms !== undefined && { end_ms: numeric(row.end_ms) }),
  }));
  return { body: withSpeakers(body, map.speakers), turnLines: sorted.map(({ line }) => line) };
}

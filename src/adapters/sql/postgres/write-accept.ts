/** Accepting calls: one statement for all rows that are new, a look at those that were there. */
import type { AcceptResult } from "../../../ports/calls.ts";
import type { AcceptedRow, Input } from "../commands.ts";
import { markAfter, MARKS } from "../write-accept-from.ts";
import { storeFault } from "./fault.ts";
import type { Write } from "./write.ts";

export interface AcceptItem {
  readonly row: AcceptedRow;
  readonly priority: number;
  readonly now: number;
  /** 1, or higher where the words were corrected before. */
  readonly revision?: number;
}

/**
 * Row, words and work of every call that is not there; call_no in the order given. NOT EXISTS spares a number for each
 * call that is sent again; ON CONFLICT is for those who send the same at the same moment.
 */
const ACCEPT = `WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::text[],
      $8::bytea[], $9::bytea[], $10::integer[], $11::bigint[], $12::integer[]) WITH ORDINALITY
      AS i(call_id, agent_id, customer_id, language, start_time, duration, outcome, digest, body, priority, now, revision, n)
  ), fresh AS (
    INSERT INTO call_records (call_id, agent_id, customer_id, language, start_time, created_at, updated_at,
        duration_seconds, outcome, digest, revision)
      SELECT call_id, agent_id, customer_id, language, start_time, now, now, duration, outcome, digest, revision FROM input AS i
      WHERE NOT EXISTS (SELECT 1 FROM call_records AS c WHERE c.call_id = i.call_id) ORDER BY n
      ON CONFLICT (call_id) DO NOTHING RETURNING call_no, call_id
  ), texts AS (
    INSERT INTO call_texts (call_no, created_at, body) SELECT call_no, now, body FROM fresh JOIN input USING (call_id)
  ), works AS (
    INSERT INTO work (call_no, revision, priority, created_at, run_after)
      SELECT call_no, revision, priority, now, now FROM fresh JOIN input USING (call_id) ORDER BY n
  )
  SELECT call_no, call_id FROM fresh`;

const HOLD_LIVE = `SELECT call_id FROM hold_live_calls($1::text[]) AS call_id`;
const KNOWN = `SELECT call_no, call_id, revision, digest FROM call_records WHERE call_id = ANY($1::text[])`;

interface KnownCall {
  readonly call_no: number;
  readonly call_id: string;
  readonly revision: number;
  readonly digest: Buffer;
}

/** Stored as it came: enrichment packs what is not packed yet, so that nobody waits here for compression. */
export function bodyOf({ text }: AcceptedRow): Buffer {
  return typeof text === "string"
    ? Buffer.from(text, "utf8")
    : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
}

/**
 * All rows or none: one that the database refuses ends the transaction. A call_id that comes twice is told apart here, and a
 * call that goes on has its id until it ends.
 */
export async function acceptRows(write: Write, items: readonly AcceptItem[]): Promise<AcceptResult[]> {
  const live = await holdLive(write, [...new Set(items.map(({ row }) => row.call_id))]);
  const first = new Map<string, AcceptItem>();
  for (const item of items) {
    const { call_id } = item.row;
    if (!live.has(call_id) && !first.has(call_id)) first.set(call_id, item);
  }
  const made = await insert(write, [...first.values()]);
  const others = items
    .filter(({ row }) => !live.has(row.call_id))
    .filter((item) => first.get(item.row.call_id) !== item || !made.has(item.row.call_id));
  const known = await lookUp(
    write,
    others.map(({ row }) => row.call_id),
  );
  // They were there for NOT EXISTS or ON CONFLICT, and have been erased since.
  const gone = others.filter(({ row }) => !known.has(row.call_id));
  const again = gone.length === 0 ? [] : await acceptRows(write, gone);
  return items.map((item): AcceptResult => {
    const { call_id, digest } = item.row;
    if (live.has(call_id)) return { status: "conflict" };
    const call_no = made.get(call_id);
    if (call_no !== undefined && first.get(call_id) === item)
      return { status: "accepted", call_no, revision: item.revision ?? 1 };
    const found = known.get(call_id);
    if (!found) return again[gone.indexOf(item)] as AcceptResult;
    if (found.digest.toString("hex") !== digest.toLowerCase()) return { status: "conflict" };
    return { status: "replayed", call_no: found.call_no, revision: found.revision };
  });
}

/** Those of the ids that calls have which go on. Until the transaction ends no other call begins with any of them. */
export async function holdLive(write: Write, call_ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await write.all<{ call_id: string }>(HOLD_LIVE, call_ids);
  return new Set(rows.map(({ call_id }) => call_id));
}

/** Bytes of words in one statement: its text takes several times as many. */
const STATEMENT_BYTES = 4_000_000;

/** call_id -> call_no of those that were not there. */
async function insert(write: Write, items: readonly AcceptItem[]): Promise<Map<string, number>> {
  const made = new Map<string, number>();
  let some: PreparedItem[] = [];
  let size = 0;
  for (const item of items) {
    const body = bodyOf(item.row);
    some.push({ ...item, body });
    size += body.byteLength;
    if (size < STATEMENT_BYTES && item !== items.at(-1)) continue;
    for (const { call_id, call_no } of await insertSome(write, some)) made.set(call_id, call_no);
    some = [];
    size = 0;
  }
  for (const { row, now, revision = 1 } of items) {
    const { call_id, agent_id, start_time } = row;
    const call_no = made.get(call_id);
    if (call_no === undefined) continue;
    write.sums.count(1, { call_no, agent_id, start_time });
    write.event(now, { type: "call.accepted", call_no, call_id, agent_id, revision, state: "pending" });
  }
  return made;
}

interface PreparedItem extends AcceptItem {
  readonly body: Buffer;
}

function insertSome(write: Write, items: readonly PreparedItem[]): Promise<{ call_no: number; call_id: string }[]> {
  const rows = items.map(({ row }) => row);
  return write.all(
    ACCEPT,
    rows.map((r) => r.call_id),
    rows.map((r) => r.agent_id),
    rows.map((r) => r.customer_id),
    rows.map((r) => r.language),
    rows.map((r) => r.start_time),
    rows.map((r) => r.duration_seconds),
    rows.map((r) => r.outcome),
    rows.map((r) => Buffer.from(r.digest, "hex")),
    items.map((i) => i.body),
    items.map((i) => i.priority),
    items.map((i) => i.now),
    items.map((i) => i.revision ?? 1),
  );
}

async function lookUp(write: Write, call_ids: readonly string[]): Promise<Map<string, KnownCall>> {
  if (call_ids.length === 0) return new Map();
  const rows = await write.all<KnownCall>(KNOWN, call_ids);
  return new Map(rows.map((row) => [row.call_id, row]));
}

/** Rows stand or fall alone: the second try, after one of them ended the first. */
export async function acceptOneByOne(write: Write, { rows, priority, now }: Input<"accept">): Promise<AcceptResult[]> {
  const results: AcceptResult[] = [];
  for (const row of rows) {
    try {
      const [result] = await write.savepoint(() => acceptRows(write, [{ row, priority, now }]));
      results.push(result as AcceptResult);
    } catch (cause) {
      if (storeFault(cause)) throw cause;
      results.push({ status: "failed", reason: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  return results;
}

/** The mark first: whoever stores the same at the same moment waits for it, and then finds it moved. */
export async function acceptFrom(write: Write, input: Input<"acceptFrom">): Promise<AcceptResult[] | null> {
  const { rows, priority, mark, now } = input;
  const { name, from, to } = mark;
  const moved = from === null ? await write.run(MARKS.begin, name, to) : await write.run(MARKS.move, to, name, from);
  if (moved !== 1) return null;
  const items = rows.map((row) => ({ row, priority, now }));
  const results = await write
    .savepoint(() => acceptRows(write, items))
    .catch((cause: unknown) => {
      if (storeFault(cause)) throw cause;
      return acceptOneByOne(write, input);
    });
  const value = markAfter(mark, results);
  if (value !== to) await write.run(MARKS.put, value, name);
  return results;
}

/** A thread that copies parts, one at a time: a reading connection to the file, and one to the server. */
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { parentPort, workerData } from "node:worker_threads";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { MovePart, PartSums } from "../../../ports/move.ts";
import { openForReading } from "../connection.ts";
import { storeFault as serverFault } from "../postgres/fault.ts";
import { searchWordsOf } from "../search-words.ts";
import { CopyRows } from "./encode.ts";
import { readPart } from "./rows.ts";
import { MOVED, type MovedTable } from "./tables.ts";
import { writeSums } from "./target.ts";

export interface CopySettings {
  readonly path: string;
  readonly url: string;
}
export interface CopyRequest {
  readonly id: number;
  readonly part: MovePart;
}
export type CopyReply =
  | { readonly id: number; readonly sums: PartSums; readonly bytes: number }
  | { readonly id: number; readonly message: string; readonly store: boolean };

/** Nothing is lost: the position is in the same transaction, and the last one of all is waited for. */
const BEGIN = "BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 0";
const PUT_PART = "INSERT INTO store_move_parts (kind, from_key, to_key, sums) VALUES ($1, $2, $3, $4)";

if (!parentPort) throw new Error("thread.ts runs as a worker thread");
const port = parentPort;
const { path, url } = workerData as CopySettings;
const db = openForReading(path);
const words = searchWordsOf(db);
const client = new pg.Client({ connectionString: url, keepAlive: true, application_name: "earshot move" });
// What ends the connection is told by the statement that was under way.
client.on("error", () => undefined);
const connected = client.connect();
connected.catch(() => undefined);

port.on("message", (request: CopyRequest | null) => {
  if (request) void answer(request);
  else void close();
});

async function close(): Promise<void> {
  await client.end().catch(() => undefined);
  db.close();
  port.close();
}

/** One after the other on the connection; while one is sent, the next is read. */
let sending: Promise<unknown> = connected;

async function answer({ id, part }: CopyRequest): Promise<void> {
  let reply: CopyReply;
  try {
    const tables = read(part);
    const sent = sending.then(() => send(part, tables));
    sending = sent.catch(() => undefined);
    reply = { id, ...(await sent) };
  } catch (cause) {
    const fault = serverFault(cause);
    const message = fault?.message ?? (cause instanceof Error ? cause.message : String(cause));
    reply = { id, message, store: fault !== null };
  }
  port.postMessage(reply);
}

type Tables = ReadonlyMap<MovedTable, CopyRows>;

function read(part: MovePart): Tables {
  const tables = new Map<MovedTable, CopyRows>(MOVED[part.kind].map((table) => [table, new CopyRows(table)]));
  db.transaction(() => readPart(db, words, part, (table, row) => tables.get(table)?.add(row)))();
  return tables;
}

async function send(part: MovePart, tables: Tables): Promise<{ sums: PartSums; bytes: number }> {
  const bounds = [part.from, part.to];
  let bytes = 0;
  await client.query(BEGIN);
  try {
    for (const [{ name, columns }, rows] of tables) {
      if (rows.sum.rows === 0) continue;
      const list = columns.map(([column]) => `"${column}"`).join(", ");
      const data = rows.end();
      const into = client.query(copyFrom(`COPY ${name} (${list}) FROM STDIN (FORMAT binary)`));
      await pipeline(Readable.from([data]), into);
      bytes += data.byteLength;
    }
    const sums = Object.fromEntries([...tables].map(([{ name }, rows]) => [name, rows.sum]));
    await client.query(PUT_PART, [part.kind, ...bounds, writeSums(sums)]);
    await client.query("COMMIT");
    return { sums, bytes };
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw cause;
  }
}

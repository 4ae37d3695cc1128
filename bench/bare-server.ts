/**
 * The reference for "one call by id": node:http and one prepared statement over Earshot's own file.
 *   node bench/bare-server.ts DATABASE         the same answer, byte for byte, by the product's own presentation
 *   node bench/bare-server.ts DATABASE stored  words and insights passed on as they are stored: nothing parsed, no
 *                                              transcript, two thirds of the bytes; the least a server can do
 * Neither has access control, a router, ETags, metrics or headers of its own.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { unpack } from "../src/adapters/sql/codec.ts";
import { openForReading } from "../src/adapters/sql/connection.ts";
import type { RawRow } from "../src/adapters/sql/read-row.ts";
import { ROW_COLUMNS, rowOf } from "../src/adapters/sql/read-row.ts";
import type { Insights, Turn } from "../src/core/call.ts";
import { callText } from "../src/http/call-text.ts";

const PREFIX = "/api/v1/calls/";
const db = openForReading(process.argv[2] as string);
const WORDS = ROW_COLUMNS.length;
const asStored = process.argv[3] === "stored";
const find = db
  .prepare<[string], RawRow>(
    `SELECT ${ROW_COLUMNS.join(", ")}, (SELECT body FROM call_texts AS t WHERE t.call_no = c.call_no),
     (SELECT body FROM call_insights AS i WHERE i.call_no = c.call_no) FROM call_records AS c WHERE call_id = ?`,
  )
  .raw();

function answer(found: RawRow): string {
  const row = rowOf(found);
  const turns_json = unpack(found[WORDS] as Buffer);
  const insights_json = unpack(found[WORDS + 1] as Buffer);
  if (asStored) return `${JSON.stringify(row).slice(0, -1)},"turns":${turns_json},"insights":${insights_json}}`;
  const turns = JSON.parse(turns_json) as Turn[];
  const insights = JSON.parse(insights_json) as Insights;
  return callText({ row, turns, insights, turns_json, insights_json }, true, {});
}

const server = createServer((request, response) => {
  const found = find.get(decodeURIComponent((request.url as string).slice(PREFIX.length)));
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  const body = Buffer.from(answer(found));
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

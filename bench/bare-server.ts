/**
 * The reference for "one call by id": node:http and one prepared statement over Earshot's own file.
 *   node bench/bare-server.ts DATABASE
 * The same answer, byte for byte, by the product's own presentation; without access control, a router, ETags, metrics
 * or headers of its own.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { unpackDocument } from "../src/adapters/sql/codec.ts";
import { openForReading } from "../src/adapters/sql/connection.ts";
import type { RawRow } from "../src/adapters/sql/read-row.ts";
import { ROW_COLUMNS, rowOf } from "../src/adapters/sql/read-row.ts";
import { callBytes } from "../src/http/call-bytes.ts";

const PREFIX = "/api/v1/calls/";
const db = openForReading(process.argv[2] as string);
const find = db
  .prepare<[string], RawRow>(
    `SELECT ${ROW_COLUMNS.join(", ")}, (SELECT body FROM call_texts AS t WHERE t.call_no = c.call_no)
     FROM call_records AS c WHERE call_id = ?`,
  )
  .raw();

function answer(found: RawRow): Buffer {
  const document = unpackDocument(found[ROW_COLUMNS.length] as Buffer);
  if (document === null) throw new Error("a call without a document");
  return callBytes({ row: rowOf(found), document, turns: [], insights: null }, true, {});
}

const server = createServer((request, response) => {
  const found = find.get(decodeURIComponent((request.url as string).slice(PREFIX.length)));
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  const body = answer(found);
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

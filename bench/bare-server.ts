/**
 * The reference for "one call by id": node:http and one prepared statement over Earshot's own file, its words and insights
 * unpacked and passed on as they are stored. No access control, no router, no ETag, no metrics, no transcript, nothing
 * parsed: the least a Node server can do for this answer. Usage: node bench/bare-server.ts DATABASE
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { unpack } from "../src/adapters/sql/codec.ts";
import { openForReading } from "../src/adapters/sql/connection.ts";
import { ROW_COLUMNS } from "../src/adapters/sql/read-row.ts";

const PREFIX = "/api/v1/calls/";
const db = openForReading(process.argv[2] as string);
const find = db.prepare<[string], Record<string, unknown> & { words: Buffer; derived: Buffer }>(
  `SELECT ${ROW_COLUMNS.join(", ")}, (SELECT body FROM call_texts AS t WHERE t.call_no = c.call_no) AS words,
     (SELECT body FROM call_insights AS i WHERE i.call_no = c.call_no) AS derived
   FROM call_records AS c WHERE call_id = ?`,
);

const server = createServer((request, response) => {
  const found = find.get(decodeURIComponent((request.url as string).slice(PREFIX.length)));
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  const { words, derived, ...row } = found;
  const head = JSON.stringify(row).slice(0, -1);
  const body = Buffer.from(`${head},"turns":${unpack(words)},"insights":${unpack(derived)}}`);
  response
    .writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length })
    .end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

/** A file of the first schema is brought up to date with what it holds. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { pack } from "../../src/adapters/sql/codec.ts";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { openQuiet, temporary } from "../support/sqlite-store.ts";

const FIRST = new URL("../../src/adapters/sql/migrations/0001-start.sqlite.sql", import.meta.url);

it("finds the same turns after words have become hashes, and none of the words is left", async () => {
  const place = temporary();
  mkdirSync(dirname(place.path), { recursive: true });
  const old = new Database(place.path);
  old.pragma("auto_vacuum = INCREMENTAL");
  old.exec(readFileSync(FIRST, "utf8"));
  old.pragma("user_version = 1");
  const texts = ["Zebras want discounts", "no zebrafish here"];
  old.exec(`INSERT INTO call_records (call_no, call_id, agent_id, language, start_time, created_at, updated_at, digest, in_full_text)
    VALUES (1, 'a', 'ann', 'en', 0, 0, 0, x'00', 1), (2, 'b', 'ann', 'en', 0, 0, 0, x'00', 0)`);
  const put = old.prepare("INSERT INTO call_texts (call_no, body) VALUES (?, ?)");
  for (const call_no of [1, 2]) put.run(call_no, pack(JSON.stringify(texts.map((text) => ({ text })))));
  const index = old.prepare("INSERT INTO turn_search (rowid, text) VALUES (?, ?)");
  for (const [i, text] of texts.entries()) index.run(32_768 + i, text);
  old.close();

  const store = await openQuiet(place.path);
  const search = (text: string) => store.reads.keyword({ scope: EVERYTHING, filter: {}, text, limit: 9 });
  expect(await search("zebra discount")).toMatchObject([{ call_no: 1, turn_index: 0 }]);
  expect(await search("zebrafish")).toMatchObject([{ call_no: 1, turn_index: 1 }]);
  await store.close();
  expect(readFileSync(place.path, "latin1")).not.toMatch(/zebra/i);
  const db = openForWriting(place.path);
  db.exec("INSERT INTO turn_search (turn_search, rank) VALUES ('integrity-check', 1)");
  db.close();
  place.remove();
});

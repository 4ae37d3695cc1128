/** A file of the first schema is brought up to date with what it holds. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { pack } from "../../src/adapters/sql/codec.ts";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

const FOLDER = new URL("../../src/adapters/sql/migrations/", import.meta.url);
const FIRST = new URL("0001-start.sqlite.sql", FOLDER);

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

it("counts each call once after counts have moved, those that had not settled too", async () => {
  const place = temporary();
  await (await openQuiet(place.path)).close();
  const db = openForWriting(place.path);
  // As schema 7 had it: counted when accepted, beside the measures.
  db.exec(`INSERT INTO agents (agent_no, agent_id) VALUES (1, 'ann');
    INSERT INTO call_records (call_no, call_id, agent_id, language, start_time, created_at, updated_at, digest, settled)
    VALUES (1, 'a', 'ann', 'en', 0, 0, 0, x'00', 1), (2, 'b', 'ann', 'en', 0, 0, 0, x'00', 0);
    INSERT INTO rollups VALUES (1, 0, 0, 1, -1, 2, 0, 0, 0), (1, 2, 0, 1, -1, 2, 0, 0, 0)`);
  const last = readdirSync(FOLDER).find((name) => name.startsWith("0008-")) as string;
  db.exec(readFileSync(new URL(last, FOLDER), "utf8"));
  db.close();
  const store = await openQuiet(place.path);
  const total = async (days: object) =>
    (await store.rollups.agents({ scope: EVERYTHING, measures: [], ...days }))[0]?.total_calls;
  expect(await total({})).toBe(2);
  expect(await total({ from_day: "1970-01-01", to_day: "1970-01-01" })).toBe(2);
  expect(await store.rollups.rebuild(() => undefined)).toEqual({ days: 1, drifted: 0, differences: [] });
  await store.calls.accept([aCall("c", { agent_id: "ann" })], 1);
  expect(await total({})).toBe(3);
  await store.close();
  place.remove();
});

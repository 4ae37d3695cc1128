/** What has been erased is in no byte of any file of an SQLite store, large enough for b-trees to have inner pages. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { partTable } from "../../src/adapters/sql/full-text-parts.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { random } from "../support/call-rows.ts";
import { partsOf } from "../support/full-text.ts";
import { aCall, enriched, openQuiet, temporary } from "../support/sqlite-store.ts";

const CALLS = 1_500;
const TURNS = 4;
const WORDS = 8;

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
beforeEach(async () => {
  place = temporary();
  store = await openQuiet(place.path, { now: () => 1_000, part_calls: 400 });
});
afterEach(async () => {
  await store.close();
  place.remove();
});

/** Every run of ASCII letters in the store's files, each followed by a space. */
function lettersOnDisk(): string {
  const folder = dirname(place.path);
  const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
  return (bytes.join("\n").match(/[a-z]{3,}/g) ?? []).join(" ");
}

/** All pieces of 3 to 8 letters of what `lettersOnDisk` says. */
function pieces(letters: string): Set<string> {
  const found = new Set<string>();
  for (const run of new Set(letters.split(" "))) {
    for (let from = 0; from + 3 <= run.length; from++) {
      for (let size = 3; size <= 8 && from + size <= run.length; size++) found.add(run.slice(from, from + size));
    }
  }
  return found;
}

async function enrichSome(n: number): Promise<void> {
  const items = await store.work.take(n, "w", 60_000);
  await store.calls.saveEnrichment(items.map((item) => enriched(item, "w")));
}

it("leaves no word of erased calls, short ones included, in any file", { timeout: 60_000 }, async () => {
  await store.calls.accept(
    Array.from({ length: 40 }, (_, i) => aCall(`kept${i}`, { customer_id: "dora" }, ["we stay here", "of course"])),
    1,
  );
  await enrichSome(40);
  // What the log says of every call, so that it is not taken for a trace.
  await store.calls.replace(aCall("kept0", { customer_id: "dora" }, ["we stay here", "of course"]), 1);
  await enrichSome(1);
  await store.calls.accept([aCall("gone"), aCall("erased", { customer_id: "eve" })], 1);
  await store.calls.remove("gone", EVERYTHING);
  await store.calls.erase("eve");
  const kept = pieces(lettersOnDisk());
  const next = random(7);
  const letter = () => String.fromCharCode(97 + Math.floor(next() * 26));
  const secrets = new Set<string>();
  const word = (): string => {
    const size = 3 + Math.floor(next() * 6);
    const made = Array.from({ length: size }, letter).join("");
    if (kept.has(made)) return word();
    secrets.add(made);
    return made;
  };
  const turn = () => Array.from({ length: WORDS }, word).join(" ");
  const secretCall = (id: string, customer_id: string) =>
    aCall(id, { customer_id }, Array.from({ length: TURNS }, turn));

  const calls = Array.from({ length: CALLS }, (_, i) => secretCall(String(i), i % 10 === 0 ? "9" : "8"));
  for (let i = 0; i < CALLS; i += 100) {
    await store.calls.accept(calls.slice(i, i + 100), 1);
    // Some are erased before they are enriched, with their text not packed yet.
    await enrichSome(i < CALLS / 2 ? 100 : 60);
  }
  expect(secrets.size).toBeGreaterThan(20_000);
  await store.calls.replace(secretCall("1", "8"), 1);
  await store.calls.remove("2", EVERYTHING);
  await store.calls.erase("9");
  // Both customers had unlike words: half of the check while the other one's calls are still there.
  const ofNine = new Set(
    calls.flatMap((c) => (c.customer_id === "9" ? c.turns.flatMap((t) => t.text.split(" ")) : [])),
  );
  for (const c of calls)
    if (c.customer_id === "8") for (const t of c.turns) for (const w of t.text.split(" ")) ofNine.delete(w);
  const between = lettersOnDisk();
  const long = [...ofNine].filter((w) => w.length >= 8);
  expect(long.length).toBeGreaterThan(200);
  expect(long.filter((w) => between.includes(w))).toEqual([]);

  expect(await store.calls.erase("8")).toBe(CALLS - CALLS / 10 - 1);
  const left = pieces(lettersOnDisk());
  expect([...secrets].filter((w) => left.has(w))).toEqual([]);
  const eye = openForReading(place.path);
  const parts = partsOf(eye).map((part) => partTable(part.from_call_no));
  expect(parts.length).toBeGreaterThan(2);
  const turns = parts.map((part) => eye.prepare<[], number>(`SELECT count(*) FROM ${part}_docsize`).pluck().get() ?? 0);
  expect(turns.reduce((sum, n) => sum + n, 0)).toBe(80);
  eye.close();
});

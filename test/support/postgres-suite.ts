/** The write side's contract suites against PostgreSQL: each store in a database of its own. */
import { expect } from "vitest";
import { queryText } from "../../src/adapters/sql/postgres/full-text.ts";
import { openPostgres, type PostgresOptions } from "../../src/adapters/sql/postgres/open.ts";
import { SearchWords } from "../../src/adapters/sql/search-words.ts";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { ask, freshDatabase } from "./postgres-server.ts";
import type { MakeStore } from "./sqlite-store.ts";
import { silent } from "./sqlite-store.ts";

/** Opens a store in quiet defaults. */
export function openQuietPostgres(url: string, more: Partial<PostgresOptions> = {}): Promise<Store> {
  return openPostgres({ url, pool: 10, timezone: "UTC", log: silent, ...more });
}

/** A store in a database of its own; `remove` closes the one and drops the other. */
export async function freshPostgres(more: Partial<PostgresOptions> = {}) {
  const { url, drop } = await freshDatabase();
  const store = await openQuietPostgres(url, more);
  return {
    store,
    url,
    async remove() {
      await store.close();
      await drop();
    },
  };
}

/** Tables whose rows belong to a call. */
const PARTS = ["call_texts", "turn_search", "call_vectors", "call_codes", "segment_codes", "call_insights", "work"];
const ORPHANS = PARTS.map(
  (table) => `SELECT '${table}' AS part, call_no FROM ${table} WHERE call_no NOT IN (SELECT call_no FROM call_records)`,
).join(" UNION ALL ");

/** Whatever a test did: nothing is there without its call, and every call has its words, in full text as it says. */
export async function expectWhole(url: string): Promise<void> {
  expect(await ask(url, ORPHANS)).toEqual([]);
  const wordless = `SELECT call_no FROM call_records AS c WHERE NOT EXISTS
      (SELECT 1 FROM call_texts AS t WHERE t.call_no = c.call_no AND t.created_at = c.created_at)
    UNION ALL SELECT call_no FROM call_records AS c WHERE in_full_text IS DISTINCT FROM EXISTS
      (SELECT 1 FROM turn_search AS t WHERE t.call_no = c.call_no AND t.created_at = c.created_at)`;
  expect(await ask(url, wordless)).toEqual([]);
}

export const makePostgres: MakeStore = (options) => makeThrough((url) => url, options);

/** `through`: the address of a server -> the one that the store is given, such as a pooler's. */
export async function makeThrough(
  through: (url: string) => string,
  options: { timezone?: string } = {},
): ReturnType<MakeStore> {
  const { url, drop } = await freshDatabase();
  const clock = { now: Date.UTC(2026, 5, 1) };
  const store = await openQuietPostgres(through(url), { timezone: options.timezone ?? "UTC", now: () => clock.now });
  return {
    calls: store.calls,
    work: store.work,
    events: store.events,
    rollups: store.rollups,
    vectorRows: store.vectorRows,
    jobs: store.jobs,
    idempotency: store.idempotency,
    live: store.live,
    clock,
    async state(call_id) {
      const row = await store.reads.row(call_id, EVERYTHING);
      return row && { state: row.state, revision: row.revision, call_no: row.call_no, error: row.error };
    },
    async words(call_id) {
      return ((await store.reads.get(call_id, EVERYTHING))?.turns ?? []).map((turn) => turn.text);
    },
    async turnsWith(word) {
      const [row] = await ask<{ key: Buffer }>(url, "SELECT key FROM full_text_key");
      const query = queryText(new SearchWords((row as { key: Buffer }).key), word);
      const sql = "SELECT count(*)::int AS n FROM turn_search WHERE words @@ $1::tsquery";
      return (await ask<{ n: number }>(url, sql, [query]))[0]?.n ?? 0;
    },
    async setTeam(agent_id, team) {
      await ask(url, "UPDATE agents SET team = $2 WHERE agent_id = $1", [agent_id, team]);
    },
    async close() {
      await store.close();
      await expectWhole(url);
      await drop();
    },
  };
}

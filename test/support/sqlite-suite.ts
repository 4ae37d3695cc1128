/** The write side's contract suites against SQLite: each store in a fresh file. */
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { checkFullText, indexedTurns } from "./full-text.ts";
import { type MakeStore, openQuiet, temporary } from "./sqlite-store.ts";

export const makeSqlite: MakeStore = async (options = {}) => {
  const { path, remove } = temporary();
  const clock = { now: Date.UTC(2026, 5, 1) };
  const store = await openQuiet(path, {
    timezone: options.timezone ?? "UTC",
    now: () => clock.now,
    ...(options.part_calls !== undefined && { part_calls: options.part_calls }),
  });
  const eye = openForReading(path);
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
      const row = eye
        .prepare("SELECT state, revision, call_no, error FROM call_records WHERE call_id = ?")
        .get(call_id);
      return (row ?? null) as Awaited<ReturnType<Awaited<ReturnType<MakeStore>>["state"]>>;
    },
    async words(call_id) {
      return ((await store.reads.get(call_id, EVERYTHING))?.turns ?? []).map((turn) => turn.text);
    },
    async turnsWith(word) {
      return indexedTurns(eye, word);
    },
    async setTeam(agent_id, team) {
      const db = openForWriting(path);
      db.prepare("UPDATE agents SET team = ? WHERE agent_id = ?").run(team, agent_id);
      db.close();
    },
    async close() {
      // Whatever a test did, the index holds exactly the turns of the calls that are there.
      eye.close();
      await store.close();
      const db = openForWriting(path);
      try {
        checkFullText(db);
        const broken = db.pragma("integrity_check", { simple: true });
        const orphans = db.pragma("foreign_key_check") as unknown[];
        if (broken !== "ok" || orphans.length > 0) throw new Error(`the database is broken: ${String(broken)}`);
      } finally {
        db.close();
        remove();
      }
    },
  };
};

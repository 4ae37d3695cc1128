/** Looking at a database file without changing what is in it. */
import { existsSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import type { DatabaseState } from "../../ports/copies.ts";
import { newestSchema } from "./migrate.ts";

const WAIT_MS = 2_000;

const SQL = {
  lastEvent: "SELECT at FROM events ORDER BY seq DESC LIMIT 1",
  dead: "SELECT count(*) FROM work WHERE state = 'dead'",
  oldest: "SELECT min(created_at) FROM work WHERE state = 'ready'",
  timezone: "SELECT timezone FROM rollup_state",
} as const;

/** Reads the whole file once (`PRAGMA quick_check`). Null where there is no file. Never throws. */
export function examineDatabase(path: string): DatabaseState | null {
  if (!existsSync(path)) return null;
  const state: DatabaseState = {
    bytes: sizeOf(path),
    log_bytes: sizeOf(`${path}-wal`),
    schema: null,
    newest_schema: newestSchema(),
    problem: null,
    last_event_at: null,
    dead: 0,
    oldest_work_at: null,
    timezone: null,
  };
  let db: Database.Database | null = null;
  try {
    // Not read-only: as the last to leave it takes its -wal and -shm away again.
    db = new Database(path, { fileMustExist: true, timeout: WAIT_MS });
    db.pragma("query_only = ON");
    const schema = db.pragma("user_version", { simple: true }) as number;
    const found = db.pragma("quick_check(1)", { simple: true }) as string;
    const known = { ...state, schema, problem: found === "ok" ? null : found };
    // Tables of another schema may be others.
    if (schema !== state.newest_schema) return known;
    const one = (sql: string): unknown => db?.prepare(sql).pluck().get() ?? null;
    return {
      ...known,
      last_event_at: one(SQL.lastEvent) as number | null,
      dead: one(SQL.dead) as number,
      oldest_work_at: one(SQL.oldest) as number | null,
      timezone: one(SQL.timezone) as string | null,
    };
  } catch (error) {
    return { ...state, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    db?.close();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Of the SQLite that is built in. */
export function sqliteVersion(): string {
  const db = new Database(":memory:");
  try {
    return db.prepare("SELECT sqlite_version()").pluck().get() as string;
  } finally {
    db.close();
  }
}

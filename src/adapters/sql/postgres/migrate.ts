/** Schema versions: migrations/NNNN-name.sql in order, the numbers kept in a table. */
import { readdirSync, readFileSync } from "node:fs";
import { AppError } from "../../../errors.ts";
import type { Database } from "./database.ts";
import { holdLock } from "./hold-lock.ts";

const FOLDER = new URL("./migrations/", import.meta.url);

/** One process migrates at a time, whoever starts. */
const LOCK = 20_261_100;
/** A migration that meets a long transaction gives up instead of making everybody behind it wait too. */
const BEGIN =
  "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0; SET LOCAL client_min_messages = warning";
/** First line of a migration whose statements run one by one without a transaction, as CREATE INDEX CONCURRENTLY must. */
const ONE_BY_ONE = "-- one by one";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The migrations of this program, in order. */
export function migrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .map((name) => ({
      version: Number.parseInt(name, 10),
      name,
      sql: readFileSync(new URL(name, FOLDER), "utf8"),
    }))
    .toSorted((a, b) => a.version - b.version);
}

/**
 * Brings the schema up to date; the number of migrations applied. Others go on meanwhile, as far as a migration lets
 * them. Rejects with store_unavailable for a schema newer than this program, and where a lock does not come within five
 * seconds: then nothing of that migration has happened, and it can be tried again.
 */
export async function migrate(
  db: Pick<Database, "session">,
  all: readonly Migration[] = migrations(),
): Promise<number> {
  const newest = all.at(-1)?.version ?? 0;
  const there = await db.session(schemaVersion);
  if (there > newest) {
    throw new AppError(
      "store_unavailable",
      `The database has schema ${there}, made by a newer Earshot; this one knows ${newest}. Upgrade Earshot or restore a backup made before.`,
    );
  }
  if (there === newest) return 0;
  const applied = await holdLock(db, LOCK, { patient: true }, () => db.session((query) => applyAll(query, all)));
  return applied ?? 0;
}

type Query = Parameters<Parameters<Database["session"]>[0]>[0];

/** 0 where nothing has been made yet. */
export async function schemaVersion(query: Query): Promise<number> {
  const { rows: looked } = await query(
    "SELECT to_regclass('schema_versions') IS NOT NULL AS made, current_setting('server_encoding') AS encoding",
  );
  const { made, encoding } = looked[0] as { made: boolean; encoding: string };
  if (encoding !== "UTF8") {
    throw new AppError(
      "store_unavailable",
      `The database must be UTF8, not ${encoding}: make one with ENCODING 'UTF8'`,
    );
  }
  if (!made) return 0;
  const { rows } = await query("SELECT coalesce(max(version), 0) AS version FROM schema_versions");
  return (rows[0] as { version: number }).version;
}

async function applyAll(query: Query, all: readonly Migration[]): Promise<number> {
  await query(
    "CREATE TABLE IF NOT EXISTS schema_versions (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  // Others may have been here before the lock was ours.
  const there = await schemaVersion(query);
  const due = all.filter(({ version }) => version > there);
  for (const { version, name, sql } of due) {
    const note = `INSERT INTO schema_versions (version, name) VALUES (${version}, '${name.replaceAll("'", "''")}')`;
    if (sql.startsWith(ONE_BY_ONE)) {
      for (const statement of [...statementsOf(sql), note]) await query(statement);
      continue;
    }
    try {
      await query(BEGIN);
      await query(sql);
      await query(note);
      await query("COMMIT");
    } catch (cause) {
      await query("ROLLBACK").catch(() => undefined);
      throw cause;
    }
  }
  return due.length;
}

/** The statements of a migration that runs them one by one: each ends with a semicolon at the end of a line. */
function statementsOf(sql: string): string[] {
  return sql
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.replaceAll(/^\s*--.*$/gm, "").trim())
    .filter((statement) => statement !== "");
}

/** Schema versions: migrations/NNNN-name.sqlite.sql in order, the number kept in PRAGMA user_version. */
import { readdirSync, readFileSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { AppError } from "../../errors.ts";

const FOLDER = new URL("./migrations/", import.meta.url);

interface Migration {
  readonly version: number;
  readonly name: string;
}

/** The migrations of one engine, in order. */
function migrations(engine: "sqlite"): Migration[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(`.${engine}.sql`))
    .map((name) => ({ version: Number.parseInt(name, 10), name }))
    .toSorted((a, b) => a.version - b.version);
}

/** The schema this program brings a file to. */
export function newestSchema(): number {
  return migrations("sqlite").at(-1)?.version ?? 0;
}

/**
 * Brings the schema up to date, each migration in one transaction; the number applied. Two processes may start at
 * once: the version is read again under the write lock. Throws store_unavailable for a schema newer than this program.
 */
export function migrate(db: Database): number {
  const all = migrations("sqlite");
  const newest = newestSchema();
  const version = () => db.pragma("user_version", { simple: true }) as number;
  if (version() > newest) {
    throw new AppError(
      "store_unavailable",
      `The database ${db.name} has schema ${version()}, made by a newer Earshot; this one knows ${newest}. Upgrade Earshot or restore a backup made before.`,
    );
  }
  let applied = 0;
  for (const migration of all) {
    const apply = db.transaction(() => {
      if (version() >= migration.version) return;
      db.exec(readFileSync(new URL(migration.name, FOLDER), "utf8"));
      db.pragma(`user_version = ${migration.version}`);
      applied++;
    });
    if (version() < migration.version) apply.immediate();
  }
  return applied;
}

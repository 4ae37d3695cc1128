/** The store of the settings, served or for one command. */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { whileAlone } from "../adapters/sql/alone.ts";
import { copyProblem } from "../adapters/sql/copy-facts.ts";
import { examineDatabase } from "../adapters/sql/examine.ts";
import { newestSchema } from "../adapters/sql/migrate.ts";
import { openSqlite } from "../adapters/sql/open.ts";
import type { SqliteOptions } from "../adapters/sql/open.ts";
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import { createLog } from "../observe/logger.ts";
import type { Log } from "../observe/logger.ts";
import type { DatabaseState } from "../ports/copies.ts";
import { makeBackup } from "../services/backups.ts";
import type { BackupDeps, Manifest } from "../services/backups.ts";
import { moveStore } from "../services/move.ts";
import type { MoveInput, MoveReport } from "../services/move.ts";
import { refuseCopies } from "../services/read-only.ts";
import type { RestoreDeps } from "../services/restore.ts";
import { VERSION } from "./version.ts";

export { sqliteVersion } from "../adapters/sql/examine.ts";

/** Names the log of this store wherever logs of others may be. */
const LOG_BOOKMARK = "events.log";

export async function openStore(
  config: Config,
  log: Log,
  onBreaker: SqliteOptions["onBreaker"] = () => {},
): Promise<Store> {
  const { storePath: path, timezone, readerThreads: readers, postgres } = config;
  if (postgres !== null) {
    // Its driver takes a while to load: only who uses it waits for that.
    const { openPostgres } = await import("../adapters/sql/postgres/open.ts");
    return openPostgres({ ...postgres, pgvector: config.vectors === "pgvector", timezone, log });
  }
  return openSqlite({ path, timezone, readers, log, onBreaker });
}

export async function logName({ jobs }: Store): Promise<string> {
  await jobs.moveBookmark(LOG_BOOKMARK, null, randomUUID());
  return (await jobs.bookmark(LOG_BOOKMARK)) as string;
}

/** What there is to know about the database without changing it; null where it is not there yet. */
export async function databaseState(config: Config): Promise<DatabaseState | null> {
  if (config.postgres === null) return examineDatabase(config.storePath);
  const { examinePostgres } = await import("../adapters/sql/postgres/examine.ts");
  return examinePostgres(config.postgres.url);
}

/** Where the calls are, without whose name and password open it. */
export function storeName({ postgres, storePath }: Config): string {
  return postgres === null ? storePath : serverName(postgres.url);
}

function serverName(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL ${host}${pathname}`;
}

/** `promote`: false where the database is a store of its own already. */
export async function promoteStore(config: Config): Promise<boolean> {
  const store = await openStore(config, createLog("warn"));
  try {
    return (await store.mirror?.release()) ?? false;
  } finally {
    await store.close();
  }
}

/** Opens the store for one command and closes it whatever happens. */
export async function withStore<T>(config: Config, use: (store: Store, log: Log) => Promise<T>): Promise<T> {
  const log = createLog(config.logLevel === "info" ? "warn" : config.logLevel);
  const store = await openStore(config, log);
  try {
    await refuseCopies(store);
    return await use(store, log);
  } finally {
    await store.close();
  }
}

export function backupDeps(store: Store): BackupDeps {
  return { copies: store, version: VERSION, now: Date.now };
}

/** Whether any process has the database open. */
export function storeInUse(path: string): boolean {
  return !whileAlone(path, () => undefined);
}

/** A backup of a database that no server has open. */
export function makeBackupHere(
  config: Config,
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<Manifest> {
  return withStore(config, (store) => makeBackup(backupDeps(store), { folder, onProgress }));
}

/** Copies parts side by side: reading and packing them keeps a core busy, the server another. */
const MOST_MOVERS = 8;

/** Moves the SQLite store to the PostgreSQL database at `url`; `name` of the input is made of that. */
export async function moveStoreTo(config: Config, url: string, input: Omit<MoveInput, "name">): Promise<MoveReport> {
  const { openMove } = await import("../adapters/sql/move/open.ts");
  const lanes = Math.min(MOST_MOVERS, Math.max(2, availableParallelism()));
  const deps = openMove({ path: config.storePath, url, lanes, now: Date.now });
  try {
    return await moveStore(deps, { ...input, name: serverName(url) });
  } finally {
    await deps.close();
  }
}

/** Lets the SQLite store be written to again that was moved, or was to be; false where it was not. */
export async function undoMoveOf(config: Config): Promise<boolean> {
  const { undoMove } = await import("../adapters/sql/move/source.ts");
  return undoMove(config.storePath);
}

/** What restoring needs of the store. */
export function restoreParts(): RestoreDeps {
  return { newestSchema: newestSchema(), problem: copyProblem, inUse: storeInUse };
}

/** Brings the database file to this version's schema. */
export async function migrateStore(config: Config): Promise<void> {
  // Opening a store is what migrates it.
  const store = await openStore(config, createLog("warn"));
  await store.close();
}

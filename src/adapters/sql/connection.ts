/** Opening SQLite files: every connection of the process comes from here. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Turn } from "../../core/call.ts";
import { unpackWords } from "./codec.ts";
import { migrate } from "./migrate.ts";
import { SearchWords } from "./search-words.ts";

export type Connection = Database.Database;

/** Pages in the log after which it is copied into the file: 64 MB. Checkpoints does that; see there. */
export const CHECKPOINT_PAGES = 16_000;
/** Should that thread fail, the commit that passes this does it. */
const LAST_RESORT_PAGES = 4 * CHECKPOINT_PAGES;

/** Makes the folder (0700) and the file (0600) if they are not there; -wal and -shm inherit the file's mode. */
function prepare(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) return;
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

/**
 * The one writing connection of a process, migrated to the newest schema. Blocks up to `wait_ms` for a foreign lock,
 * so it belongs into the writer thread, tests and tools. Throws store errors and a clear sentence for a newer schema.
 */
export function openForWriting(path: string, wait_ms = 10_000): Connection {
  prepare(path);
  const db = new Database(path, { timeout: wait_ms });
  try {
    // Before the first table, or it has no effect until VACUUM.
    if (db.pragma("page_count", { simple: true }) === 0) db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = WAL");
    // In WAL files the default is NORMAL, which may lose acknowledged rows on a power cut.
    db.pragma("synchronous = FULL");
    if (process.platform === "darwin") db.pragma("fullfsync = ON");
    db.pragma("secure_delete = ON");
    db.pragma("foreign_keys = ON");
    db.pragma("cache_size = -65536");
    db.pragma("temp_store = MEMORY");
    db.pragma(`wal_autocheckpoint = ${LAST_RESORT_PAGES}`);
    addFunctions(db);
    migrate(db);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** A read-only connection to a file that `openForWriting` has made. Never waits longer than 25 ms for a lock. */
export function openForReading(path: string): Connection {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 25 });
  // 64 MB: the inner pages of a file of some gigabytes, which every lookup passes. No mapped pages: they count as memory of
  // the process once a connection, and reading them is no faster.
  db.pragma("cache_size = -65536");
  db.pragma("temp_store = MEMORY");
  addFunctions(db);
  return db;
}

/** A connection that copies the log into the file and nothing else. */
export function openForCheckpoints(path: string): Connection {
  const db = new Database(path, { fileMustExist: true, timeout: 0 });
  db.pragma("synchronous = FULL");
  if (process.platform === "darwin") db.pragma("fullfsync = ON");
  db.pragma("wal_autocheckpoint = 0");
  return db;
}

/** What the view turn_texts needs: turn_count(body), turn_words(key, body, index); asked of one call many times in a row. */
function addFunctions(db: Connection): void {
  let last: { body: Buffer; turns: readonly Turn[] } = { body: Buffer.alloc(0), turns: [] };
  const turnsOf = (body: unknown): readonly Turn[] => {
    if (!Buffer.isBuffer(body)) return [];
    if (!last.body.equals(body)) last = { body, turns: unpackWords(body).turns };
    return last.turns;
  };
  db.function("turn_count", { deterministic: true }, (body: unknown) => turnsOf(body).length);
  let words: SearchWords | null = null;
  db.function("turn_words", { deterministic: true }, (key: unknown, body: unknown, i: unknown) => {
    const turn = turnsOf(body)[Number(i)];
    if (!turn || !Buffer.isBuffer(key)) return null;
    words = words?.key.equals(key) ? words : new SearchWords(Buffer.from(key));
    return words.indexed(turn.text);
  });
}

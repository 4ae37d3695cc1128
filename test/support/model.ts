/** The real model for tests: set up once on a machine, shared by all test processes. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { hasModel } from "../../src/adapters/models/model-folder.ts";
import { pinnedFolder } from "../../src/adapters/models/pinned-model.ts";
import { pullModel } from "../../src/adapters/models/pull-model.ts";

/** Longer than any set-up: a lock this old belongs to a process that was killed. */
const STALE_MS = 15 * 60_000;

/** The folder of the real model: EARSHOT_TEST_MODEL_DIR, or the pinned one under .cache, pulled by the first who asks. */
export async function modelDir(): Promise<string> {
  const given = process.env["EARSHOT_TEST_MODEL_DIR"];
  if (given) return resolve(given);
  const dataDir = modelDataDir();
  const folder = pinnedFolder(dataDir);
  const lock = join(dataDir, "models.lock");
  mkdirSync(dataDir, { recursive: true });
  while (!isPulled(folder)) {
    if (!take(lock)) {
      // Another process is pulling: there is nothing to listen to but the file system.
      await pause(200);
      continue;
    }
    try {
      await pullModel({ dataDir, onProgress: () => undefined });
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return folder;
}

/** The data folder whose models/ the pulled model is in. */
export function modelDataDir(): string {
  return resolve(import.meta.dirname, "../../.cache");
}

function isPulled(folder: string): boolean {
  return hasModel(folder) && existsSync(join(folder, "graph.json"));
}

function take(lock: string): boolean {
  try {
    const file = openSync(lock, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    const gone = existsSync(lock) && (isDead(lock) || Date.now() - statSync(lock).mtimeMs > STALE_MS);
    if (gone) rmSync(lock, { force: true });
    return false;
  }
}

function isDead(lock: string): boolean {
  const pid = Number(readFileSync(lock, "utf8"));
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

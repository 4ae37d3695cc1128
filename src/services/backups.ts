/** Backups: a folder with a copy of the database and a manifest, whole or not at all, made while writes go on. */
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../errors.ts";
import type { Copies } from "../ports/copies.ts";
import type { Job, Jobs } from "../ports/jobs.ts";
import { newJob, tellJob } from "./running-job.ts";

/** The files of a backup. */
export const MANIFEST = "manifest.json";
export const DATABASE = "earshot.db";

export interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1;
  /** Version of the Earshot that made it. */
  readonly earshot: string;
  /** RFC 3339; every call acknowledged before this is in it. */
  readonly begun_at: string;
  readonly made_at: string;
  /** Version of the database schema. */
  readonly schema: number;
  /** Rows by table. */
  readonly counts: Readonly<Record<string, number>>;
  readonly files: readonly BackupFile[];
}

export interface BackupDeps {
  readonly copies: Copies;
  readonly version: string;
  readonly now: () => number;
}

/**
 * Makes the backup `folder` (0700, files 0600), which must not be there yet. It appears under its name when all of it
 * is on disk. Progress in pages, copied and then read again for their hash.
 */
export async function makeBackup(
  { copies, version, now }: BackupDeps,
  input: { folder: string; onProgress?: (done: number, total: number) => void },
): Promise<Manifest> {
  const { folder, onProgress = () => undefined } = input;
  if (existsSync(folder)) throw new AppError("conflict", `${folder} is there already; a backup overwrites nothing`);
  const partial = join(dirname(folder), `.partial-${basename(folder)}`);
  const begun_at = new Date(now()).toISOString();
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    const path = join(partial, DATABASE);
    let pages = 0;
    await copies.backup(path, (done, total) => {
      pages = total;
      onProgress(done, 2 * total);
    });
    const { schema, counts, bytes, sha256 } = await copies.describeCopy(path, (done, total) =>
      onProgress(Math.floor(pages * (1 + done / total)), 2 * pages),
    );
    const manifest: Manifest = {
      format: 1,
      earshot: version,
      begun_at,
      made_at: new Date(now()).toISOString(),
      schema,
      counts,
      files: [{ name: DATABASE, bytes, sha256 }],
    };
    await writeManifest(partial, manifest);
    await rename(partial, folder);
    await syncFolder(dirname(folder));
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Puts the manifest into the folder, replacing one that is there, and waits until it is on disk. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const half = join(folder, `.${MANIFEST}`);
  const file = await open(half, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(half, join(folder, MANIFEST));
  await syncFolder(folder);
}

/** Names in a folder are on disk afterwards. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and keeps their names by itself.
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** A name for a backup made at this time: sorts by time, fits every file system. */
export function backupName(now: number): string {
  return `earshot-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

export interface Backups {
  /** Starts one under the server's own folder for them, or joins the one that runs. `done` resolves when it has ended. */
  start(name?: string): Promise<{ job: Job; done: Promise<void> }>;
}

const PROGRESS_MS = 500;

/** Backups as jobs, one at a time in this process. They go into `folder` alone: a request names no other place. */
export function createBackups(
  deps: BackupDeps & { jobs: Pick<Jobs, "put">; folder: string; onError: (error: unknown) => void },
): Backups {
  const { jobs, now, folder, onError } = deps;
  let running: Promise<{ job: Job; done: Promise<void> }> | null = null;

  async function run(started: Job, name: string): Promise<void> {
    const news = tellJob(deps, started, PROGRESS_MS);
    try {
      const manifest = await makeBackup(deps, {
        folder: join(folder, name),
        onProgress: (done, total) => news.progress({ done, total }),
      });
      await news.end((job) => ({ state: "done", report: { ...job.report, manifest } }));
    } catch (error) {
      onError(error);
      const detail = error instanceof AppError ? error.message : "The backup failed. The log says why.";
      await news.end(() => ({ state: "failed", detail })).catch(onError);
    } finally {
      running = null;
    }
  }

  return {
    start(name = backupName(now())) {
      running ??= (async () => {
        const job = newJob("backup", now(), { report: { folder: join(folder, name) } });
        try {
          await jobs.put(job);
        } catch (error) {
          running = null;
          throw error;
        }
        return { job, done: run(job, name) };
      })();
      return running;
    },
  };
}

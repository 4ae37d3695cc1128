/** Restoring a backup: everything is verified before anything that is there is touched, and that is kept aside. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { chmod, copyFile, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../errors.ts";
import { type BackupFile, DATABASE, type Manifest, MANIFEST, syncFolder } from "./backups.ts";

/** Secrets that a backup may hold, in the data folder. */
export const SECRETS = ["admin.key", "jwt.secret"] as const;

export interface RestoreDeps {
  /** The newest schema this program knows. */
  readonly newestSchema: number;
  /** What is wrong with a database file; null when it is whole. */
  readonly problem: (path: string) => string | null;
  /** Whether any process has the file open. */
  readonly inUse: (path: string) => boolean;
}

/**
 * Puts the backup in `folder` at `storePath`, and its secrets, if it has any, into `dataDir`.
 * @returns the manifest, and where what was there before is now
 * @throws AppError conflict where it would overwrite; validation for what is no backup; store_unavailable for a damaged one
 */
export async function restoreBackup(
  deps: RestoreDeps,
  input: {
    folder: string;
    storePath: string;
    dataDir: string;
    force: boolean;
    stamp: string;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<{ manifest: Manifest; aside: readonly string[] }> {
  const { folder, storePath, dataDir, force, stamp, onProgress = () => undefined } = input;
  const manifest = await readManifest(folder);
  if (manifest.schema > deps.newestSchema) {
    const known = `this one knows ${deps.newestSchema}`;
    throw new AppError("conflict", `The backup has schema ${manifest.schema}, made by a newer Earshot; ${known}`);
  }
  refuseOverwriting(deps, storePath, force);
  const half = `${storePath}.restoring`;
  await mkdir(dirname(storePath), { recursive: true, mode: 0o700 });
  try {
    await verifyFiles(folder, manifest, onProgress);
    await copyFile(join(folder, DATABASE), half);
    await chmod(half, 0o600);
    await sync(half);
    const problem = deps.problem(half);
    if (problem !== null) throw new AppError("store_unavailable", `The database of the backup is damaged: ${problem}`);
    // Verifying may have taken long.
    refuseOverwriting(deps, storePath, force);
    const aside = await putAside(storePath, stamp);
    // A log beside the old database would be taken for the new one's.
    for (const end of ["-wal", "-shm"]) await putAside(storePath, stamp, end);
    await rename(half, storePath);
    for (const { name } of manifest.files) {
      if (name === DATABASE) continue;
      const place = join(dataDir, name);
      aside.push(...(await putAside(place, stamp)));
      await copyFile(join(folder, name), place);
      await chmod(place, 0o600);
      await sync(place);
    }
    for (const changed of new Set([dirname(storePath), dataDir])) await syncFolder(changed);
    return { manifest, aside };
  } finally {
    await rm(half, { force: true });
  }
}

function refuseOverwriting(deps: RestoreDeps, path: string, force: boolean): void {
  if (!existsSync(path)) return;
  if (deps.inUse(path)) throw new AppError("conflict", `${path} is in use: stop the server and other commands first`);
  if (!force) throw new AppError("conflict", `${path} is there already; with --force it is kept aside and replaced`);
}

/** `end` stays at the end, so that a database and its log still belong together. */
async function putAside(path: string, stamp: string, end = ""): Promise<string[]> {
  if (!existsSync(path + end)) return [];
  const place = `${path}.before-${stamp}${end}`;
  await rename(path + end, place);
  return [place];
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync();
  await file.close();
}

/** The manifest of a backup folder. @throws AppError validation where there is none that this program can read */
async function readManifest(folder: string): Promise<Manifest> {
  const refuse = (why: string): AppError => new AppError("validation", `${folder} is no backup of Earshot: ${why}`);
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), "utf8");
  } catch (cause) {
    throw refuse(`it has no ${MANIFEST} (${(cause as NodeJS.ErrnoException).code})`);
  }
  let found: Partial<Manifest>;
  try {
    found = JSON.parse(text) as Partial<Manifest>;
  } catch {
    throw refuse(`its ${MANIFEST} is damaged`);
  }
  if (found?.format !== 1) throw refuse(`this program reads format 1, not ${JSON.stringify(found?.format ?? null)}`);
  const files = Array.isArray(found.files) ? found.files : [];
  const names: readonly string[] = [DATABASE, ...SECRETS];
  // A name is a place that is written to.
  if (!files.some((f) => f.name === DATABASE) || files.some((f) => !names.includes(f.name)))
    throw refuse(`its ${MANIFEST} lists other files than ${names.join(", ")}`);
  if (!Number.isInteger(found.schema)) throw refuse(`its ${MANIFEST} does not say which schema it has`);
  return found as Manifest;
}

/** Compares size and SHA-256 of every file with the manifest. @throws AppError store_unavailable naming the file */
export async function verifyFiles(
  folder: string,
  manifest: Manifest,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<void> {
  const total = manifest.files.reduce((n, f) => n + f.bytes, 0);
  let before = 0;
  for (const file of manifest.files) {
    const found = await describeFile(join(folder, file.name), (done) => onProgress(before + done, total));
    if (found === null) throw new AppError("store_unavailable", `The backup lacks its ${file.name}`);
    if (found.bytes !== file.bytes || found.sha256 !== file.sha256) {
      const detail = `${file.name} of the backup is damaged: it has ${found.bytes} bytes and SHA-256 ${found.sha256}, the manifest says ${file.bytes} and ${file.sha256}`;
      throw new AppError("store_unavailable", detail);
    }
    before += file.bytes;
  }
}

/** Size and hash of a file; null where it is not there. */
export async function describeFile(
  path: string,
  onProgress: (done: number) => void = () => undefined,
): Promise<Omit<BackupFile, "name"> | null> {
  if (!existsSync(path)) return null;
  const hash = createHash("sha256");
  let done = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
    done += (chunk as Buffer).length;
    onProgress(done);
  }
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { makeBackupHere, restoreParts, storeInUse } from "../app/store.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { backupName, type Manifest, syncFolder, writeManifest } from "../services/backups.ts";
import { describeFile, restoreBackup, SECRETS, verifyFiles } from "../services/restore.ts";
import { bar, type Context, progressLine } from "./context.ts";
import { findServer } from "./server-file.ts";

const POLL_MS = 250;

interface BackupOptions {
  withSecrets?: boolean;
  url?: string;
  key?: string;
}

/** `backup` and `restore`. */
export function backupCommands(program: Command, context: Context): void {
  program
    .command("backup")
    .description("a whole copy of the database with a manifest, while the server goes on")
    .argument("[path]", "a new folder (default: DATA_DIR/backups/earshot-TIME)")
    .option("--with-secrets", "also admin.key and jwt.secret: whoever has them can sign in to the running server")
    .option("--url <url>", "the server that has the database open (default: it is found)")
    .option("--key <key>", "an admin API key of that server (EARSHOT_ADMIN_KEY, or DATA_DIR/admin.key)")
    .action(async (path: string | undefined, options: BackupOptions) => {
      const config = context.config();
      const folder = resolve(path ?? join(config.dataDir, "backups", backupName(Date.now())));
      if (existsSync(folder)) throw new AppError("conflict", `${folder} is there already; a backup overwrites nothing`);
      refuseServer(config);
      if (!existsSync(config.storePath)) throw new AppError("not_found", `There is no database at ${config.storePath}`);
      const line = progressLine();
      const show = (done: number, total: number): void => line.show(`backing up ${bar(done / Math.max(1, total))}`);
      const made = storeInUse(config.storePath)
        ? await byServer(config, options, folder, show)
        : await makeBackupHere(config, folder, show);
      const manifest = options.withSecrets === true ? await addSecrets(config, folder, made) : made;
      const bytes = manifest.files.reduce((n, f) => n + f.bytes, 0);
      line.end(`${manifest.counts["call_records"]} calls, ${(bytes / 1e6).toFixed(1)} MB in ${folder}`);
      console.log(folder);
    });
  program
    .command("restore")
    .description("verify a backup and put it in place; the server must not run")
    .argument("<path>", "the folder that `backup` made")
    .option("--into <data_dir>", "another data folder (EARSHOT_DATA_DIR)")
    .option("--force", "replace a database that is there; it is kept aside")
    .action(async (path: string, options: { into?: string; force?: boolean }) => {
      // Who names a folder means the database in it.
      const overrides = { EARSHOT_DATA_DIR: options.into ?? "", EARSHOT_STORE_URL: "" };
      const config = context.config(options.into === undefined ? {} : overrides);
      refuseServer(config);
      const line = progressLine();
      const { manifest, aside } = await restoreBackup(restoreParts(), {
        folder: resolve(path),
        storePath: config.storePath,
        dataDir: config.dataDir,
        force: options.force === true,
        stamp: backupName(Date.now()),
        onProgress: (done, total) => line.show(`verifying ${bar(done / Math.max(1, total))}`),
      });
      line.end(`${manifest.counts["call_records"]} calls of ${manifest.made_at} are in ${config.storePath}`);
      for (const place of aside) console.error(`What was there before is in ${place}`);
      console.error("Calls that were erased since that day are back: erase them again.");
    });
}

/** Copies of a PostgreSQL are its own affair. */
function refuseServer({ postgres }: Config): void {
  if (postgres === null) return;
  throw new AppError(
    "not_found",
    "The calls are in PostgreSQL: use pg_dump and pg_restore, or pg_basebackup (docs/operations.md)",
  );
}

/** Asks the server that has the database open, and takes the backup from its folder to where it is wanted. */
async function byServer(
  config: Config,
  options: BackupOptions,
  folder: string,
  show: (done: number, total: number) => void,
): Promise<Manifest> {
  const url = options.url ?? (await findServer(config));
  if (url === null) {
    const todo = "Say --url, or stop it: a copy made beside a process that writes would never end";
    throw new AppError("store_unavailable", `${config.storePath} is in use, but no server answers. ${todo}`);
  }
  const key = options.key ?? config.adminKey ?? (await readFile(join(config.dataDir, "admin.key"), "utf8")).trim();
  const ask = (path: string, init: RequestInit = {}): Promise<JobAnswer> => askJob(url, key, path, init);
  let job = await ask("/api/v1/backups", { method: "POST" });
  while (job.state === "running") {
    await wait(POLL_MS);
    job = await ask(`/api/v1/jobs/${job.job_id}`);
    show(job.counts["done"] ?? 0, job.counts["total"] ?? 1);
  }
  const { folder: made, manifest } = job.report ?? {};
  if (job.state === "failed" || made === undefined || manifest === undefined) {
    throw new AppError("internal", `${url} made no backup: ${job.detail ?? "no reason given"}`);
  }
  if (!existsSync(made)) throw new AppError("not_found", `${url} made ${made}, which is not on this machine`);
  await moveFolder(made, folder, manifest);
  return manifest;
}

interface JobAnswer {
  readonly job_id: string;
  readonly state: "running" | "done" | "failed";
  readonly counts: Readonly<Record<string, number>>;
  readonly detail: string | null;
  readonly report: { readonly folder?: string; readonly manifest?: Manifest } | null;
}

async function askJob(url: string, key: string, path: string, init: RequestInit): Promise<JobAnswer> {
  const answer = await fetch(url + path, { ...init, headers: { authorization: `Bearer ${key}` } });
  const body = (await answer.json()) as JobAnswer;
  if (answer.ok) return body;
  throw new AppError("internal", `${url} answered ${answer.status}: ${body.detail ?? "no reason given"}`);
}

/** By name where that is possible; to another disk as a copy that is verified before the first one goes. */
async function moveFolder(from: string, to: string, manifest: Manifest): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const half = join(dirname(to), `.partial-${basename(to)}`);
    await rm(half, { recursive: true, force: true });
    try {
      await cp(from, half, { recursive: true });
      await verifyFiles(half, manifest);
      await rename(half, to);
    } finally {
      await rm(half, { recursive: true, force: true });
    }
    await rm(from, { recursive: true });
  }
  await syncFolder(dirname(to));
}

async function addSecrets(config: Config, folder: string, manifest: Manifest): Promise<Manifest> {
  const files = [...manifest.files];
  for (const name of SECRETS) {
    const from = join(config.dataDir, name);
    // One that the settings give is not in a file.
    if (!existsSync(from)) continue;
    await cp(from, join(folder, name));
    const found = await describeFile(join(folder, name));
    if (found !== null) files.push({ name, ...found });
  }
  const whole = { ...manifest, files };
  await writeManifest(folder, whole);
  return whole;
}

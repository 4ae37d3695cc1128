/** The servers under measurement, each a process of its own on a free port. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../test/support/free-port.ts";
import { modelDir } from "../test/support/model.ts";
import { PYTHON } from "./peer-python.ts";

const CACHE = resolve(import.meta.dirname, "../.cache/bench");
const KEY = "bench-admin-key-0123456789";
const START_MS = 600_000;
/** Stops a server that hangs. */
const STOP_MS = 20_000;

export interface Server {
  /** Name of the driver's map. */
  readonly name: "earshot" | "fastapi" | "bare";
  readonly url: string;
  readonly pid: number;
  readonly key: string | null;
  stop(): Promise<void>;
}

export interface EarshotOptions {
  /** Where its source lies: another checkout is measured against this one. */
  readonly root?: string;
  /** Enrich what comes in (role all); otherwise the API alone. */
  readonly work?: boolean;
  /** node flags, for profiles. */
  readonly nodeFlags?: readonly string[];
  /** Settings of its own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Earshot over `database`; over a copy of it where `writes` is set. */
export async function startEarshot(database: string, writes: boolean, options: EarshotOptions = {}): Promise<Server> {
  const { root = resolve(import.meta.dirname, ".."), work = false, nodeFlags = [] } = options;
  const place = placeFor(database, writes);
  const data = mkdtempSync(join(CACHE, "data-"));
  const env = {
    ...process.env,
    EARSHOT_DATA_DIR: data,
    EARSHOT_STORE_URL: `sqlite:${place.path}`,
    EARSHOT_MODEL_DIR: await modelDir(),
    EARSHOT_ADMIN_KEY: KEY,
    EARSHOT_PORT: "0",
    EARSHOT_LOG_LEVEL: "warn",
    // The load generator is one account.
    EARSHOT_RATE_LIMIT: "0",
    EARSHOT_RATE_LIMIT_ADDRESS: "0",
    ...options.env,
  };
  const entry = join(root, "bin/earshot.mjs");
  const args = [...nodeFlags, entry, "serve", "--role", work ? "all" : "api,realtime,relay"];
  const child = spawn(process.execPath, args, { env, cwd: data, stdio: ["ignore", "pipe", "inherit"] });
  const url = await firstUrl(child);
  await answers(`${url}/health/ready`, child);
  const end = async (): Promise<void> => {
    place.drop();
    rmSync(data, { recursive: true, force: true });
  };
  return { name: "earshot", url, pid: child.pid as number, key: KEY, stop: () => stop(child).then(end) };
}

/** The peer with two workers; `cached` keeps the embeddings in each worker's memory. */
export async function startPeer(database: string, writes: boolean, cached: boolean): Promise<Server> {
  const place = placeFor(database, writes);
  const port = await freePort();
  const flags = ["--workers", "2", "--loop", "uvloop", "--http", "httptools", "--ws", "auto", "--no-access-log"];
  const child = spawn(
    PYTHON,
    ["-m", "uvicorn", "app.main:app", "--port", `${port}`, ...flags, "--log-level", "warning"],
    {
      cwd: join(import.meta.dirname, "peer"),
      env: {
        ...process.env,
        PEER_DB: place.path,
        PEER_EMBED_CACHE: cached ? "1" : "0",
        OPENBLAS_NUM_THREADS: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      stdio: ["ignore", "inherit", "ignore"],
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/health`, child);
  // The second worker may still be reading its embeddings.
  await pause(cached ? 10_000 : 1_000);
  const end = (): void => place.drop();
  return { name: "fastapi", url, pid: child.pid as number, key: null, stop: () => stop(child).then(end) };
}

/** node:http and one prepared statement over Earshot's file. */
export async function startBare(database: string): Promise<Server> {
  const script = join(import.meta.dirname, "bare-server.ts");
  const child = spawn(process.execPath, [script, database], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { name: "bare", url: await firstUrl(child), pid: child.pid as number, key: null, stop: () => stop(child) };
}

/** The database itself, or a copy to write to. */
export function placeFor(database: string, writes: boolean): { path: string; drop: () => void } {
  if (!writes) return { path: database, drop: () => {} };
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "copy-"));
  const path = join(folder, "calls.db");
  copyFileSync(database, path);
  // Or the system writes gigabytes to the disk beside the first rounds.
  const copy = openSync(path, "r+");
  fsyncSync(copy);
  closeSync(copy);
  return { path, drop: () => rmSync(folder, { recursive: true, force: true }) };
}

async function firstUrl(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (s: string) => {
      text += s;
      const found = /http:\/\/\S+:\d+/.exec(text);
      if (found) done(found[0]);
    });
    child.once("exit", (code) => fail(new Error(`the server ended with ${code} before it listened`)));
  });
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(url, { headers: { authorization: `Bearer ${KEY}` } }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await pause(200);
  }
  throw new Error(`${url} did not answer`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, "exit");
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await closed;
  clearTimeout(hard);
}

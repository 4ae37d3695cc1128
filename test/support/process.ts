/** The real product as a child process. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const entry = join(import.meta.dirname, "../../bin/earshot.mjs");
export const ADMIN_KEY = "test-admin-key-0123456789";

export interface Earshot {
  readonly url: string;
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Authorised request; the body is sent as JSON unless it is a string. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  /** Sends the signal and resolves with [exit code, signal]. */
  stop(signal?: NodeJS.Signals): Promise<[number | null, NodeJS.Signals | null]>;
}

/** A folder that `cleanup` removes. */
export async function temporaryFolder(): Promise<{ path: string; cleanup: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "earshot-"));
  return { path, cleanup: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

function environment(env: Record<string, string>): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("EARSHOT_")));
  return { ...clean, EARSHOT_ADMIN_KEY: ADMIN_KEY, EARSHOT_PORT: "0", ...env };
}

export interface Command {
  readonly pid: number;
  /** Sends the signal. */
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts a command of the command line; `script` stands in for the entry. */
export function startCli(args: readonly string[], env: Record<string, string>, input = "", script = entry): Command {
  const child = spawn(process.execPath, [script, ...args], { env: environment(env), stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (s: string) => (stdout += s));
  child.stderr.setEncoding("utf8").on("data", (s: string) => (stderr += s));
  child.stdin.end(input);
  const closed = once(child, "close") as Promise<[number | null]>;
  return {
    pid: child.pid as number,
    kill: (signal) => child.kill(signal),
    ended: closed.then(([code]) => ({ code, stdout, stderr })),
  };
}

/** Runs a command of the command line to its end. */
export function runCli(...command: Parameters<typeof startCli>): Command["ended"] {
  return startCli(...command).ended;
}

/**
 * Starts `earshot serve` (or another command that serves) and resolves when it listens, or works. `under`: a program
 * and its arguments that run it; `script` stands in for the entry.
 */
export async function startEarshot(
  env: Record<string, string>,
  args: readonly string[] = ["serve"],
  under: readonly string[] = [],
  script = entry,
): Promise<Earshot> {
  const [program = "", ...rest] = [...under, process.execPath, script, ...args];
  const child: ChildProcess = spawn(program, rest, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  let stdout = "";
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (s: string) => (stderr += s));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (s: string) => {
      stdout += s;
      const found = /http:\/\/\S+:\d+|Earshot works/.exec(stdout);
      if (found) resolve(found[0]);
    });
    closed.then(
      ([code]) => reject(new Error(`earshot ended with ${code} before it listened:\n${stdout}${stderr}`)),
      reject,
    );
  });
  const call: Earshot["call"] = (method, path, body, headers = {}) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return {
    url,
    pid: child.pid as number,
    stdout: () => stdout,
    stderr: () => stderr,
    call,
    async get<T>(path: string) {
      const response = await call("GET", path);
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return closed;
    },
  };
}

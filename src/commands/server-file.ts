/** Where a running server says how to reach it, beside its database: commands on the same machine ask it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import type { Readiness } from "../services/readiness.ts";

interface Announced {
  readonly pid: number;
  readonly url: string;
}

function pathOf(config: Config): string {
  return `${config.storePath}.server.json`;
}

/** Says where this process listens. Returns what takes it back, unless another server has said so since. */
export function announce(config: Config, url: string): () => void {
  const path = pathOf(config);
  // With the database on a server nobody may have made the folder.
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify({ pid: process.pid, url } satisfies Announced)}\n`, { mode: 0o600 });
  return () => {
    if (read(path)?.pid === process.pid) rmSync(path, { force: true });
  };
}

function read(path: string): Announced | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Announced;
  } catch {
    return null;
  }
}

/** The address of the server on this database, if one answers there: as it said, else as the settings have it. */
export async function findServer(config: Config): Promise<string | null> {
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  const urls = [read(pathOf(config))?.url, `http://${host.includes(":") ? `[${host}]` : host}:${config.port}`];
  for (const url of urls) if (url !== undefined && (await answers(url))) return url;
  return null;
}

/** What the server there says of its parts; null where it says nothing. */
export async function readinessAt(url: string): Promise<Readiness | null> {
  const answer = await ask(`${url}/health/ready`, 5_000);
  return answer && (answer.body as Readiness);
}

/** Whether Earshot answers there. */
async function answers(url: string): Promise<boolean> {
  const answer = await ask(`${url}/health`, 3_000);
  return answer !== null && answer.ok && (answer.body as { status?: string } | null)?.status === "ok";
}

/** The JSON that is answered there within `patience_ms`; null where nobody does, or not in JSON. */
async function ask(url: string, patience_ms: number): Promise<{ ok: boolean; body: unknown } | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patience_ms) });
    return { ok: answer.ok, body: await answer.json() };
  } catch {
    return null;
  }
}

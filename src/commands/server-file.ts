/** Where a running server says how to reach it, beside its database: commands on the same machine ask it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
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
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
    return (await answer.json()) as Readiness;
  } catch {
    return null;
  }
}

/** Whether Earshot answers there. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) });
    return answer.ok && ((await answer.json()) as { status?: string }).status === "ok";
  } catch {
    return false;
  }
}

/** What the bench `scale` compares: processes of Earshot, and what they stand on and behind, each on a free port. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNginx } from "../test/support/nginx.ts";
import { ask, startPostgres, stopPostgres } from "../test/support/postgres-server.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { requirement } from "../test/support/requirements.ts";
import type { Driven } from "./drive-server.ts";
import { earshotDatabase, fillPostgres } from "./fill-stores.ts";
import type { Server } from "./servers.ts";
import { placeFor, startEarshot } from "./servers.ts";

export interface Setup {
  readonly label: string;
  /** Where requests go, with the processes of Earshot. */
  readonly driven: Driven;
  /** What works beside them, by name. */
  readonly parts: Readonly<Record<string, readonly number[]>>;
  close(): Promise<void>;
}

interface Size {
  readonly calls: number;
  readonly processes: number;
}

/** Each embeds one query at a time: more threads than cores help nobody. */
const ALIKE = { EARSHOT_MODEL_THREADS: "1", EARSHOT_TRUST_PROXY: "127.0.0.1" };

/** One file, its own copy; behind nginx where there are several processes. */
export async function onSqlite({ calls, processes }: Size): Promise<Setup> {
  const place = placeFor(await earshotDatabase({ calls }), true);
  const label = processes === 1 ? "1 process, SQLite" : `${processes} processes, SQLite, nginx`;
  return behindNginx(label, { processes, env: { EARSHOT_STORE_URL: `sqlite:${place.path}` } }, {}, [
    async () => place.drop(),
  ]);
}

/** A server with its own disk, syncs on, and a Redis for events, work and figures. */
export async function onPostgres({ calls, processes }: Size): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-scale-"));
  chmodSync(folder, 0o755);
  const place = join(folder, "postgres");
  const ends: (() => Promise<void>)[] = [
    async () => {
      stopPostgres(place);
      rmSync(folder, { recursive: true, force: true });
    },
  ];
  try {
    const postgres = await startPostgres(place);
    await ask(postgres.url("postgres"), "CREATE DATABASE earshot");
    const url = postgres.url("earshot");
    await fillPostgres(url, { calls });
    await ask(url, "VACUUM ANALYZE");
    const redis = await startRedis(needed("redis"));
    ends.push(() => redis.close());
    const env = {
      EARSHOT_STORE_URL: url,
      EARSHOT_STORE_POOL: "20",
      EARSHOT_STREAM_URL: redis.url,
      EARSHOT_DISPATCH_URL: redis.url,
      EARSHOT_CACHE_URL: redis.url,
      EARSHOT_JWT_SECRET: "of all processes of this bench 0123456789",
    };
    const pid = Number(readFileSync(join(place, "data/postmaster.pid"), "utf8").split("\n")[0]);
    const parts = { postgres: [pid], redis: [redis.pid()] };
    return await behindNginx(`${processes} processes, PostgreSQL, Redis, nginx`, { processes, env }, parts, ends);
  } catch (error) {
    for (const end of ends.toReversed()) await end();
    throw error;
  }
}

async function behindNginx(
  label: string,
  { processes, env }: { processes: number; env: Readonly<Record<string, string>> },
  parts: Setup["parts"],
  ends: (() => Promise<void>)[],
): Promise<Setup> {
  const servers: Server[] = [];
  // Alone for the first: it may have a schema to bring up to date.
  for (let i = 0; i < processes; i++) {
    const server = await startEarshot("", false, { env: { ...ALIKE, ...env } });
    servers.push(server);
    ends.push(() => server.stop());
  }
  const [first] = servers as [Server, ...Server[]];
  const pid = servers.map((server) => server.pid).join(",");
  const close = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  if (processes === 1) return { label, driven: { ...first, pid }, parts, close };
  const ports = servers.map((server) => Number(new URL(server.url).port));
  const nginx = await startNginx(needed("nginx"), ports);
  ends.push(() => nginx.close());
  return { label, driven: { ...first, url: nginx.url, pid }, parts: { ...parts, nginx: [nginx.pid] }, close };
}

function needed(name: "redis" | "nginx"): string {
  const program = requirement(name);
  if (program === null) throw new Error(`${name} is needed`);
  return program;
}

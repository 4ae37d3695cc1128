/** What can be wrong with an installation, each finding with what to do about it. Looks; changes nothing. */
import { existsSync, statSync } from "node:fs";
import { rm, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { DatabaseState } from "../ports/copies.ts";
import type { RedisState } from "../ports/dispatch.ts";
import { LOW_DISK_BYTES, type Readiness } from "./readiness.ts";

export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warn" | "fail";
  readonly says: string;
  /** What to do; null where all is well. */
  readonly todo: string | null;
}

/** A log is moved into the file at 64 MB; one that is much larger cannot be. */
const LARGE_LOG_BYTES = 256 * 1024 * 1024;
const LATE_WORK_MS = 5 * 60_000;
const AHEAD_MS = 60_000;
/** No Earshot was made before: a clock that says so was not set. */
const FIRST_DAY = Date.UTC(2026, 0, 1);
const NODE_MAJOR = 26;

function ok(check: string, says: string): Finding {
  return { check, state: "ok", says, todo: null };
}

function warn(check: string, says: string, todo: string): Finding {
  return { check, state: "warn", says, todo };
}

function fail(check: string, says: string, todo: string): Finding {
  return { check, state: "fail", says, todo };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

export function examineVersions(input: { earshot: string; node: string; sqlite: string }): Finding {
  const { earshot, node, sqlite } = input;
  const says = `Earshot ${earshot}, Node ${node}, SQLite ${sqlite}`;
  if (Number.parseInt(node.replace(/^v/, ""), 10) >= NODE_MAJOR) return ok("versions", says);
  return fail("versions", says, `Run it with Node ${NODE_MAJOR} or newer: in a checkout \`npm ci\` brings it.`);
}

/** Bad settings fail, unknown names warn. */
export function examineSettings(input: { problems: readonly string[]; warnings: readonly string[] }): Finding[] {
  const { problems, warnings } = input;
  if (problems.length + warnings.length === 0) return [ok("settings", "all are understood")];
  return [
    ...problems.map((p) => fail("settings", p, "Correct it; README.md lists the settings.")),
    ...warnings.map((w) => warn("settings", w, "Correct its name, or unset it.")),
  ];
}

/** Whether the folder of the database can be written to, by writing to it, and has room. */
export async function examineDisk(input: { folder: string; database_bytes: number }): Promise<Finding[]> {
  const { folder, database_bytes } = input;
  if (!existsSync(folder)) return [ok("folder", `${folder} is not there yet; the first start makes it`)];
  const probe = join(folder, `.doctor-${process.pid}`);
  const found: Finding[] = [];
  try {
    await writeFile(probe, "x".repeat(4_096), { mode: 0o600, flush: true });
    found.push(ok("folder", `${folder} can be written to`));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    found.push(fail("folder", `${folder} cannot be written to (${why})`, "Give this user the folder, or make room."));
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const says = `${megabytes(free)} free beside a database of ${megabytes(database_bytes)}`;
  if (free < LOW_DISK_BYTES) {
    found.push(fail("disk", says, "Make room, or keep fewer days (EARSHOT_RETENTION_DAYS): writes end at 0."));
  } else if (free < database_bytes) {
    found.push(warn("disk", says, "A backup on this disk will not fit: give `earshot backup` a path on another one."));
  } else found.push(ok("disk", says));
  return found;
}

/** Files that hold calls or secrets must be their owner's alone. */
export function examinePermissions(input: { dataDir: string; storePath: string }): Finding[] {
  if (process.platform === "win32") return [];
  const { dataDir, storePath } = input;
  const secrets = ["admin.key", "jwt.secret"].map((name) => join(dataDir, name));
  const files = ["", "-wal", "-shm"].map((end) => storePath + end);
  const found: Finding[] = [];
  for (const path of new Set([dataDir, dirname(storePath), ...files, ...secrets])) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || (stat.mode & 0o077) === 0) continue;
    const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
    // A file of ours that is 0600 is safe in an open folder.
    if (stat.isDirectory()) {
      found.push(warn("permissions", `${path} has mode ${mode}: others may look in`, `chmod 0700 '${path}'`));
    } else found.push(fail("permissions", `${path} has mode ${mode}: others may read it`, `chmod 0600 '${path}'`));
  }
  return found.length > 0 ? found : [ok("permissions", "data and secrets are for this user only")];
}

/** `onServer`: the database is not a file of ours but one of a server, at `path`. */
export function examineStore(
  state: DatabaseState | null,
  input: { path: string; timezone: string; now: number; onServer?: boolean },
): Finding[] {
  const { path, timezone, now, onServer = false } = input;
  if (state === null) return [ok("database", `${path} is not there yet; the first start makes it`)];
  if (state.problem !== null && onServer) {
    const todo = "Start the server, or correct EARSHOT_STORE_URL; the log of the server says more.";
    return [fail("database", `${path} cannot be used: ${state.problem}`, todo)];
  }
  if (state.problem !== null) {
    const todo = "Stop Earshot, keep the files, and restore the last backup: `earshot restore PATH --force`.";
    return [fail("database", `${path} is damaged or no database: ${state.problem}`, todo)];
  }
  const found = [ok("database", `${megabytes(state.bytes)}, ${onServer ? `at ${path}` : "whole"}`)];
  if ((state.schema ?? 0) > state.newest_schema) {
    const says = `${state.schema}, made by a newer Earshot; this one knows ${state.newest_schema}`;
    found.push(fail("schema", says, "Upgrade Earshot, or restore a backup made before."));
  } else if (state.schema !== state.newest_schema) {
    const says = `${state.schema}; this Earshot wants ${state.newest_schema}`;
    found.push(warn("schema", says, "The next start brings it up to date, or `earshot migrate` now. Back up first."));
  } else found.push(ok("schema", `${state.schema}`));
  const log = `${megabytes(state.log_bytes)} wait to be moved into the file`;
  // A server minds its log itself.
  if (!onServer && state.log_bytes > LARGE_LOG_BYTES) {
    found.push(warn("log", log, "Another program reads the database without end: find it (`fuser`) and stop it."));
  } else if (!onServer) found.push(ok("log", log));
  if (state.dead > 0) {
    const todo = "`earshot dead list` says why; `earshot dead redrive` tries them again.";
    found.push(warn("dead letters", `${state.dead} calls could not be enriched`, todo));
  } else found.push(ok("dead letters", "none"));
  const waits = state.oldest_work_at === null ? 0 : Math.max(0, now - state.oldest_work_at);
  if (waits > LATE_WORK_MS) {
    const says = `the oldest has waited ${Math.round(waits / 60_000)} minutes for its enrichment`;
    found.push(
      warn("work", says, "Start `earshot serve` or a worker; if one runs, it does not keep up: give it cores."),
    );
  } else found.push(ok("work", waits === 0 ? "nothing waits" : "what waits is fresh"));
  if (state.timezone !== null && state.timezone !== timezone) {
    const says = `daily figures are in ${state.timezone}, the settings say ${timezone}`;
    found.push(warn("time zone", says, "The next start counts them again; or set EARSHOT_TIMEZONE as it was."));
  } else found.push(ok("time zone", timezone));
  return found;
}

/** `settings`: those that name it; `asCluster`: they name it as a cluster. Whatever is wrong with it, nothing is lost. */
export function examineRedis(
  state: RedisState,
  input: { name: string; settings: readonly string[]; asCluster: boolean },
): Finding {
  const { problem, version, cluster, misses_slots } = state;
  const place = `${input.name} (${input.settings.join(", ")})`;
  if (problem !== null) {
    const todo = "Start it, or correct the setting; until then the database does its work.";
    return warn("redis", `${place} cannot be used: ${problem}`, todo);
  }
  const says = `${version} at ${place}`;
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 2)) return warn("redis", says, "Upgrade it: 6.2 or newer is needed.");
  if (cluster && !input.asCluster) {
    return warn("redis", `${says} is one node of a cluster`, "Name it as redis+cluster://: it has not all keys.");
  }
  if (misses_slots)
    return warn("redis", `${says} misses slots`, "Start the masters that are down, or let replicas take over.");
  return ok("redis", says);
}

/** Whether the clock was set, and whether it has gone back behind what was already written. */
export function examineClock(now: number, last_event_at: number | null): Finding {
  const says = new Date(now).toISOString();
  if (now < FIRST_DAY) return fail("clock", `${says}: it was not set`, "Set it, and let it be kept (NTP).");
  const ahead = (last_event_at ?? 0) - now;
  if (ahead <= AHEAD_MS) return ok("clock", says);
  const behind = `${says}: the last event was ${Math.round(ahead / 60_000)} minutes later than that`;
  return warn("clock", behind, "The clock went back, or was ahead before: see that it is kept (NTP).");
}

/** Whether the port is free, or ours. */
export async function examinePort(input: {
  host: string;
  port: number;
  /** Where a server on this database answers; null: none does. */
  server: string | null;
}): Promise<Finding> {
  const { host, port, server } = input;
  if (server !== null) return ok("server", `answers at ${server}`);
  if (port === 0) return ok("server", "none runs; it will take any free port");
  const taken = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
  if (taken === null) return ok("server", `none runs; ${host}:${port} is free`);
  return fail(
    "server",
    `none runs, and ${host}:${port} cannot be listened on (${taken})`,
    "Stop what has it, or set EARSHOT_PORT.",
  );
}

/** What a running server says of its vector index; nothing where it says nothing. */
export function examineIndex(ready: Pick<Readiness, "checks"> | null): Finding[] {
  const index = ready?.checks["index"];
  if (index === undefined) return [];
  const { call = 0 } = (index["rows"] ?? {}) as { call?: number };
  if (index.ok) return [ok("index", `${call} calls in it`)];
  const todo = "The server loads it again by itself; if it is still away in a minute, its log says why.";
  return [warn("index", "away: search goes by words alone, and no similar calls are shown", todo)];
}

/** `check` is what `models check` found; null: there is to be no model. */
export function examineModel(check: { ok: boolean; problem: string | null; there: boolean } | null): Finding {
  if (check === null) return ok("model", "none, as the settings say: the word list does its work");
  if (check.ok) return ok("model", "whole, and runs");
  const todo =
    "`earshot models pull` sets it up; until then calls are enriched by the word list, and again afterwards.";
  return check.there
    ? fail("model", check.problem ?? "it does not run", todo)
    : warn("model", "it is not set up yet", todo);
}

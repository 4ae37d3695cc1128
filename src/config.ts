/**
 * One table of settings -> one frozen Config. Every problem is reported at once, by the name of its setting.
 */
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { LIVE_ALPHA } from "./core/sentiment.ts";
import { type KafkaConfig, readKafka } from "./kafka-config.ts";
import { type LakePlace, readLakePlace } from "./lake-place.ts";
import { SETTINGS } from "./settings.ts";

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Whether the settings name the port. */
  readonly portChosen: boolean;
  /** Seconds in which a process that was told to end still takes what comes. */
  readonly drainDelay: number;
  readonly dataDir: string;
  /** Path of the SQLite file; with PostgreSQL nothing is there. */
  readonly storePath: string;
  /** The PostgreSQL store; null: the store is the SQLite file. */
  readonly postgres: { readonly url: string; readonly pool: number; readonly replicas: readonly string[] } | null;
  /** The primary whose calls are copied into the SQLite file; null: the store is its own. */
  readonly replica: { readonly of: string; readonly key: string } | null;
  /** The Redis that spreads events between processes; null: the log itself does. */
  readonly streamUrl: string | null;
  /** The Redis that tells workers of work; null: they look into the store. */
  readonly dispatchUrl: string | null;
  /** The Redis that keeps figures for all processes; null: each keeps its own. */
  readonly cacheUrl: string | null;
  /** The Kafka that events go to and calls may come from; null: none. */
  readonly kafka: KafkaConfig | null;
  /** What finds similar vectors: an index in each process, or the store's own. */
  readonly vectors: "embedded" | "pgvector";
  /** The pinned model under dataDir, a folder of the user's own, or none. */
  readonly model: { readonly kind: "pinned" | "statistical" } | { readonly kind: "folder"; readonly path: string };
  /** Null: as many as the roles of the process need. */
  readonly modelThreads: number | null;
  readonly readerThreads: number;
  readonly adminKey: string | null;
  /** First signs, all verify. Empty: one is made at first start and kept in dataDir. */
  readonly jwtSecrets: readonly string[];
  readonly timezone: string;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  readonly metricsPublic: boolean;
  readonly corsOrigins: readonly string[];
  /** Seconds for which a shared cache that goes by Authorization may keep figures; 0: not at all. */
  readonly cdnTtl: number;
  /** Whether Socket.IO clients are served. */
  readonly socketIo: boolean;
  /** Addresses, networks and names of networks whose X-Forwarded-* headers are believed; empty: nobody's. */
  readonly trustProxy: readonly string[];
  /** Requests of one account; null: no limit. */
  readonly rateLimit: Quota | null;
  /** Requests without valid credentials from one address. */
  readonly rateLimitAddress: Quota | null;
  /** Ranks are given only to agents with at least this many enriched calls. */
  readonly rankMinimum: number;
  /** Calls received longer ago are erased in the night; 0 keeps them for ever. */
  readonly retentionDays: number;
  /** Seconds without a turn after which a live call ends by itself. */
  readonly liveIdle: number;
  /** Weight of the customer's newest turn in the live sentiment, above 0, at most 1. */
  readonly liveAlpha: number;
  /** Where enriched calls are written as Parquet; null: nowhere. */
  readonly lake: {
    readonly place: LakePlace;
    /** Seconds between two looks at what is new. */
    readonly interval: number;
    /** Whether what was said is written as well. */
    readonly text: boolean;
  } | null;
  /** EARSHOT_* variables that mean nothing here. */
  readonly warnings: readonly string[];
  /** What finding the user's npm needs of the environment. */
  readonly npmEnvironment: Readonly<Record<string, string | undefined>>;
}

/** So many requests in so many seconds. */
interface Quota {
  readonly limit: number;
  readonly window_s: number;
}

export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The settings have ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n  ${problems.join("\n  ")}`,
    );
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Names of networks: 127/8 and ::1; 10/8, 172.16/12, 192.168/16 and fc00::/7; 169.254/16 and fe80::/10. */
const NETWORKS = ["loopback", "uniquelocal", "linklocal"];

/** True for an address, a network such as 10.0.0.0/8 (never all addresses at once), or the name of one. */
function isNetwork(text: string): boolean {
  if (NETWORKS.includes(text)) return true;
  const [address = "", bits, ...rest] = text.split("/");
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}

/** True for a server, with or without TLS, and for a cluster of which some nodes are named. */
function isRedis(text: string): boolean {
  const [, scheme, access = "", hosts = ""] = /^(rediss?)\+cluster:\/\/(.*@)?([^/?#]*)$/.exec(text) ?? [];
  if (scheme !== undefined) return hosts.split(",").every((host) => isRedis(`${scheme}://${access}${host.trim()}`));
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return false;
  return new URL(text).hostname !== "";
}

function isAddress(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === "";
}

/** True for postgres:// or postgresql:// with a host and the name of a database. */
export function isPostgres(text: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { hostname, pathname, searchParams } = new URL(text);
  return (hostname !== "" || searchParams.has("host")) && pathname.length > 1;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/**
 * Reads settings from `env` (name -> value; an empty value counts as unset).
 * @throws ConfigError naming every bad setting; unknown ones become warnings
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const warnings: string[] = [];
  const known = new Set<string>(SETTINGS.map((s) => s.name));
  for (const name of Object.keys(env)) {
    // Tests and benches have switches of their own.
    if (name.startsWith("EARSHOT_") && !known.has(name) && !/^EARSHOT_(TEST|DATA_SETS|BENCH)/.test(name)) {
      // Not a mistake for sure: orchestrators put variables of this form beside a service of this name.
      warnings.push(`${name} is not a setting and was passed over; there are ${[...known].join(", ")}`);
    }
  }
  const text = (name: (typeof SETTINGS)[number]["name"]): string | null => env[name]?.trim() || null;
  const integer = (name: (typeof SETTINGS)[number]["name"], fallback: number, min: number, max: number): number => {
    const value = text(name);
    if (value === null) return fallback;
    const n = Number(value);
    if (Number.isInteger(n) && n >= min && n <= max) return n;
    problems.push(`${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
    return fallback;
  };
  const list = (name: (typeof SETTINGS)[number]["name"]): string[] =>
    (text(name) ?? "")
      .split(",")
      .map((s) => s.trim())
      .filter((s) => s !== "");

  const dataDir = resolve(text("EARSHOT_DATA_DIR") ?? "./data");

  let storePath = join(dataDir, "earshot.db");
  const storeUrl = text("EARSHOT_STORE_URL");
  const onServer = storeUrl !== null && isPostgres(storeUrl);
  const pool = integer("EARSHOT_STORE_POOL", 50, 2, 1_000);
  const replicas = list("EARSHOT_STORE_REPLICA_URLS");
  if (replicas.length > 0 && (!onServer || !replicas.every(isPostgres)))
    problems.push("EARSHOT_STORE_REPLICA_URLS must list postgres:// addresses, beside a postgres store");
  if (storeUrl !== null && !onServer) {
    const path = /^sqlite:(?:\/\/)?(.+)$/.exec(storeUrl)?.[1];
    if (path === undefined)
      problems.push(
        `EARSHOT_STORE_URL must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE, not ${JSON.stringify(storeUrl.replace(/:\/\/.*@/, "://…@"))}`,
      );
    else storePath = resolve(path);
  }

  /** The address of a Redis; null: what it is without one. */
  const redis = (name: (typeof SETTINGS)[number]["name"], without: "sql:" | "memory:"): string | null => {
    const value = text(name) ?? without;
    if (value === without) return null;
    // The rest of a URL may hold a password.
    if (!isRedis(value))
      problems.push(
        `${name} must be ${without}, or redis://, rediss:// or redis+cluster:// with a host, not ${value.split(":")[0]}:…`,
      );
    return value;
  };

  const vectors = text("EARSHOT_VECTORS_URL") ?? "embedded:";
  if (vectors !== "embedded:" && vectors !== "pgvector:")
    problems.push(`EARSHOT_VECTORS_URL must be embedded: or pgvector:, not ${vectors.split(":")[0]}:`);
  else if (vectors === "pgvector:" && !onServer)
    problems.push("EARSHOT_VECTORS_URL can be pgvector: only beside a postgres store (EARSHOT_STORE_URL)");

  const replicaOf = text("EARSHOT_REPLICA_OF");
  const replicaKey = text("EARSHOT_REPLICA_KEY") ?? "";
  if (replicaOf !== null && !isAddress(replicaOf))
    problems.push("EARSHOT_REPLICA_OF must be http:// or https:// with a host, and no name, password or query");
  if (replicaOf !== null && replicaKey === "")
    problems.push(
      "EARSHOT_REPLICA_KEY must be set beside EARSHOT_REPLICA_OF: an admin key of the server that is copied",
    );
  if (replicaOf !== null && onServer)
    problems.push("EARSHOT_REPLICA_OF needs a sqlite store: PostgreSQL has replicas of its own");

  if (replicaOf !== null && redis("EARSHOT_STREAM_URL", "sql:") !== null)
    problems.push("EARSHOT_STREAM_URL must be sql: beside EARSHOT_REPLICA_OF: a replica is one process");

  const modelText = text("EARSHOT_MODEL_DIR");
  const model: Config["model"] =
    modelText === null
      ? { kind: "pinned" }
      : modelText === "statistical:"
        ? { kind: "statistical" }
        : { kind: "folder", path: resolve(modelText) };

  const adminKey = text("EARSHOT_ADMIN_KEY");
  if (adminKey !== null && adminKey.length < 16) problems.push("EARSHOT_ADMIN_KEY must have 16 characters or more");

  const jwtSecrets = list("EARSHOT_JWT_SECRET");
  if (jwtSecrets.some((s) => s.length < 32))
    problems.push("EARSHOT_JWT_SECRET: every secret must have 32 characters or more");
  // One that each process makes for itself would refuse what the others signed.
  if (onServer && jwtSecrets.length === 0)
    problems.push("EARSHOT_JWT_SECRET must be set with a postgres store: all processes sign and verify with the same");

  const timezone = text("EARSHOT_TIMEZONE") ?? "UTC";
  try {
    Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch {
    problems.push(`EARSHOT_TIMEZONE must be an IANA time zone such as Europe/Berlin, not ${JSON.stringify(timezone)}`);
  }

  const level = text("EARSHOT_LOG_LEVEL") ?? "info";
  const logLevel = LOG_LEVELS.find((l) => l === level);
  if (logLevel === undefined)
    problems.push(`EARSHOT_LOG_LEVEL must be one of ${LOG_LEVELS.join(", ")}, not ${JSON.stringify(level)}`);

  const flag = (name: (typeof SETTINGS)[number]["name"]): boolean => {
    const value = text(name) ?? "0";
    if (value !== "0" && value !== "1") problems.push(`${name} must be 0 or 1, not ${JSON.stringify(value)}`);
    return value === "1";
  };

  const corsOrigins = list("EARSHOT_CORS_ORIGINS");
  for (const origin of corsOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      problems.push(
        `EARSHOT_CORS_ORIGINS must list origins such as https://crm.example.com, not ${JSON.stringify(origin)}`,
      );
    }
  }

  const trustText = text("EARSHOT_TRUST_PROXY");
  const trustProxy = trustText === "0" ? [] : list("EARSHOT_TRUST_PROXY");
  const untold = trustProxy.find((entry) => !isNetwork(entry));
  if (untold !== undefined) {
    // Whoever trusts a number of hops, or everybody, believes what a client wrote itself.
    problems.push(
      `EARSHOT_TRUST_PROXY must list the addresses of your proxies, such as 127.0.0.1, 10.0.0.0/8 or ${NETWORKS.join(", ")}, not ${JSON.stringify(untold)}; anything wider would let clients forge theirs`,
    );
  }

  const quota = (name: (typeof SETTINGS)[number]["name"]): Quota | null => {
    const value = text(name) ?? SETTINGS.find((s) => s.name === name)?.fallback ?? "0";
    if (value === "0") return null;
    const [limit = 0, window_s = 0] = (/^(\d{1,9})\/(\d{1,5})$/.exec(value) ?? []).slice(1).map(Number);
    if (limit > 0 && window_s > 0) return { limit, window_s };
    problems.push(`${name} must be REQUESTS/SECONDS such as 60000/60, or 0, not ${JSON.stringify(value)}`);
    return null;
  };

  const readWeight = (name: (typeof SETTINGS)[number]["name"], fallback: number): number => {
    const value = text(name);
    const n = Number(value ?? fallback);
    if (n > 0 && n <= 1) return n;
    problems.push(`${name} must be a number above 0 and at most 1, not ${JSON.stringify(value)}`);
    return fallback;
  };

  const place = readLakePlace(text, problems);
  const lakeTerms = { interval: integer("EARSHOT_LAKE_INTERVAL", 60, 1, 86_400), text: flag("EARSHOT_LAKE_TEXT") };
  const config: Config = {
    host: text("EARSHOT_HOST") ?? "127.0.0.1",
    port: integer("EARSHOT_PORT", 8000, 0, 65_535),
    portChosen: text("EARSHOT_PORT") !== null,
    drainDelay: integer("EARSHOT_DRAIN_DELAY", 0, 0, 300),
    dataDir,
    storePath,
    postgres: onServer ? { url: storeUrl, pool, replicas } : null,
    replica: replicaOf === null ? null : { of: replicaOf.replace(/\/+$/, ""), key: replicaKey },
    streamUrl: redis("EARSHOT_STREAM_URL", "sql:"),
    dispatchUrl: redis("EARSHOT_DISPATCH_URL", "sql:"),
    cacheUrl: redis("EARSHOT_CACHE_URL", "memory:"),
    kafka: readKafka({ text, list, flag }, problems),
    vectors: vectors === "pgvector:" ? "pgvector" : "embedded",
    model,
    modelThreads: text("EARSHOT_MODEL_THREADS") === null ? null : integer("EARSHOT_MODEL_THREADS", 1, 1, 64),
    readerThreads: integer("EARSHOT_READER_THREADS", 1, 1, 16),
    adminKey,
    jwtSecrets,
    timezone,
    logLevel: logLevel ?? "info",
    metricsPublic: flag("EARSHOT_METRICS_PUBLIC"),
    trustProxy,
    rateLimit: quota("EARSHOT_RATE_LIMIT"),
    rateLimitAddress: quota("EARSHOT_RATE_LIMIT_ADDRESS"),
    corsOrigins,
    cdnTtl: integer("EARSHOT_CDN_TTL", 0, 0, 300),
    socketIo: flag("EARSHOT_SOCKETIO"),
    rankMinimum: integer("EARSHOT_RANK_MINIMUM", 5, 1, 1_000_000),
    retentionDays: integer("EARSHOT_RETENTION_DAYS", 730, 0, 36_500),
    liveIdle: integer("EARSHOT_LIVE_IDLE", 1_800, 10, 7 * 86_400),
    liveAlpha: readWeight("EARSHOT_LIVE_ALPHA", LIVE_ALPHA),
    lake: place && { place, ...lakeTerms },
    warnings,
    npmEnvironment: { npm_execpath: env["npm_execpath"], PATH: env["PATH"] },
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

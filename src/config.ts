/**
 * One table of settings -> one frozen Config. Every problem is reported at once, by the name of its setting.
 */
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { LIVE_ALPHA } from "./core/sentiment.ts";
import { type KafkaConfig, readKafka } from "./kafka-config.ts";

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Path of the SQLite file; with PostgreSQL nothing is there. */
  readonly storePath: string;
  /** The PostgreSQL store; null: the store is the SQLite file. */
  readonly postgres: { readonly url: string; readonly pool: number; readonly replicas: readonly string[] } | null;
  /** The Redis that spreads events between processes; null: the log itself does. */
  readonly streamUrl: string | null;
  /** The Kafka that events go to and calls may come from; null: none. */
  readonly kafka: KafkaConfig | null;
  /** The pinned model under dataDir, a folder of the user's own, or none. */
  readonly model: { readonly kind: "pinned" | "statistical" } | { readonly kind: "folder"; readonly path: string };
  readonly modelThreads: number;
  readonly readerThreads: number;
  readonly adminKey: string | null;
  /** First signs, all verify. Empty: one is made at first start and kept in dataDir. */
  readonly jwtSecrets: readonly string[];
  readonly timezone: string;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  readonly metricsPublic: boolean;
  readonly corsOrigins: readonly string[];
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

export interface Setting {
  readonly name: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** The published settings, in the order the README lists them. */
export const SETTINGS = [
  { name: "EARSHOT_HOST", fallback: "127.0.0.1", meaning: "address to listen on" },
  { name: "EARSHOT_PORT", fallback: "8000", meaning: "port to listen on (0: any free one)" },
  { name: "EARSHOT_DATA_DIR", fallback: "./data", meaning: "database, models and keys" },
  {
    name: "EARSHOT_STORE_URL",
    fallback: "sqlite:DATA_DIR/earshot.db",
    meaning: "the database: `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`",
  },
  { name: "EARSHOT_STORE_POOL", fallback: "50", meaning: "PostgreSQL connections of a process at most" },
  {
    name: "EARSHOT_STORE_REPLICA_URLS",
    fallback: "none",
    meaning: "streaming replicas of the PostgreSQL that answer reads, comma separated",
  },
  {
    name: "EARSHOT_STREAM_URL",
    fallback: "sql:",
    meaning:
      "how processes hear of each other's events: `sql:` by the database, or `redis://[USER:PASSWORD@]HOST[:PORT]`",
  },
  {
    name: "EARSHOT_KAFKA_BROKERS",
    fallback: "none",
    meaning: "`HOST:PORT` of Kafka brokers, comma separated: events go out to a topic ([docs/kafka.md](docs/kafka.md))",
  },
  { name: "EARSHOT_KAFKA_EVENTS_TOPIC", fallback: "earshot.events", meaning: "the topic events go to" },
  {
    name: "EARSHOT_KAFKA_IMPORT_TOPIC",
    fallback: "none",
    meaning: "a topic calls come in from, one as JSON a message",
  },
  {
    name: "EARSHOT_KAFKA_DEAD_TOPIC",
    fallback: "IMPORT_TOPIC.dead",
    meaning: "the topic that messages of the import topic go to which could not be stored",
  },
  { name: "EARSHOT_KAFKA_TLS", fallback: "0", meaning: "1 speaks TLS with the brokers" },
  {
    name: "EARSHOT_KAFKA_SASL",
    fallback: "none",
    meaning: "who we are to the brokers: `PLAIN:USER:PASSWORD`, or SCRAM-SHA-256 or SCRAM-SHA-512",
  },
  {
    name: "EARSHOT_MODEL_DIR",
    fallback: "DATA_DIR/models/…",
    meaning: "a model folder of your own; `statistical:` runs without a model",
  },
  { name: "EARSHOT_MODEL_THREADS", fallback: "number of cores, at most 8", meaning: "threads that run the model" },
  { name: "EARSHOT_READER_THREADS", fallback: "1", meaning: "threads for queries that can be long" },
  {
    name: "EARSHOT_ADMIN_KEY",
    fallback: "made at first start",
    meaning: "an admin API key for automation, 16 characters or more",
  },
  {
    name: "EARSHOT_JWT_SECRET",
    fallback: "made at first start; must be set with a postgres store",
    meaning: "secrets that sign log-ins, 32 characters or more, comma separated: the first signs, all verify",
  },
  { name: "EARSHOT_TIMEZONE", fallback: "UTC", meaning: "time zone of daily figures" },
  { name: "EARSHOT_LOG_LEVEL", fallback: "info", meaning: "trace, debug, info, warn, error or silent" },
  { name: "EARSHOT_METRICS_PUBLIC", fallback: "0", meaning: "1 serves /metrics without a token" },
  { name: "EARSHOT_CORS_ORIGINS", fallback: "none", meaning: "origins of other sites that may call the API" },
  { name: "EARSHOT_SOCKETIO", fallback: "0", meaning: "1 serves the streams to Socket.IO clients as well" },
  {
    name: "EARSHOT_TRUST_PROXY",
    fallback: "none",
    meaning:
      "addresses or networks of your proxies, such as `127.0.0.1,10.0.0.0/8`: X-Forwarded-For is believed of them alone",
  },
  {
    name: "EARSHOT_RATE_LIMIT",
    fallback: "60000/60",
    meaning: "requests an account may make in so many seconds; 0: no limit",
  },
  {
    name: "EARSHOT_RATE_LIMIT_ADDRESS",
    fallback: "300/60",
    meaning: "the same of an address, for requests without valid credentials",
  },
  { name: "EARSHOT_RANK_MINIMUM", fallback: "5", meaning: "calls an agent needs before a rank is given" },
  {
    name: "EARSHOT_RETENTION_DAYS",
    fallback: "730",
    meaning: "calls received longer ago are erased in the night; 0 keeps them for ever",
  },
  {
    name: "EARSHOT_LIVE_IDLE",
    fallback: "1800",
    meaning: "seconds without a turn after which a live call ends by itself",
  },
  {
    name: "EARSHOT_LIVE_ALPHA",
    fallback: "0.3",
    meaning: "weight of the customer's newest turn in the live sentiment, above 0, at most 1",
  },
] as const satisfies readonly Setting[];

/** Parts with one choice in this version: naming it is right, anything else would silently not happen. */
const ONLY_CHOICE: Readonly<Record<string, string>> = {
  EARSHOT_DISPATCH_URL: "sql:",
  EARSHOT_CACHE_URL: "memory:",
  EARSHOT_VECTORS_URL: "embedded:",
};

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

function isRedis(text: string): boolean {
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return false;
  return new URL(text).hostname !== "";
}

/** True for postgres:// or postgresql:// with a host and the name of a database. */
function isPostgres(text: string): boolean {
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
    const only = ONLY_CHOICE[name];
    if (only !== undefined) {
      const value = env[name]?.trim() || only;
      // The rest of a URL may hold a password.
      if (value !== only) problems.push(`${name} must be ${only} in this version, not ${value.split(":")[0]}:`);
      continue;
    }
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

  const streamText = text("EARSHOT_STREAM_URL") ?? "sql:";
  // The rest of a URL may hold a password.
  if (streamText !== "sql:" && !isRedis(streamText))
    problems.push(
      `EARSHOT_STREAM_URL must be sql:, or redis:// or rediss:// with a host, not ${streamText.split(":")[0]}:…`,
    );

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

  const cores = availableParallelism();
  const config: Config = {
    host: text("EARSHOT_HOST") ?? "127.0.0.1",
    port: integer("EARSHOT_PORT", 8000, 0, 65_535),
    dataDir,
    storePath,
    postgres: onServer ? { url: storeUrl, pool, replicas } : null,
    streamUrl: streamText === "sql:" ? null : streamText,
    kafka: readKafka({ text, list, flag }, problems),
    model,
    modelThreads: integer("EARSHOT_MODEL_THREADS", Math.min(cores, 8), 1, 64),
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
    socketIo: flag("EARSHOT_SOCKETIO"),
    rankMinimum: integer("EARSHOT_RANK_MINIMUM", 5, 1, 1_000_000),
    retentionDays: integer("EARSHOT_RETENTION_DAYS", 730, 0, 36_500),
    liveIdle: integer("EARSHOT_LIVE_IDLE", 1_800, 10, 7 * 86_400),
    liveAlpha: readWeight("EARSHOT_LIVE_ALPHA", LIVE_ALPHA),
    warnings,
    npmEnvironment: { npm_execpath: env["npm_execpath"], PATH: env["PATH"] },
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

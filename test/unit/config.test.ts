import { expect, test } from "vitest";
import { ConfigError, readConfig } from "../../src/config.ts";
import { SETTINGS } from "../../src/settings.ts";

test("without settings everything has a default", () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    host: "127.0.0.1",
    port: 8000,
    timezone: "UTC",
    model: { kind: "pinned" },
    adminKey: null,
  });
  expect(config.storePath).toBe(`${config.dataDir}/earshot.db`);
  expect(Object.isFrozen(config)).toBe(true);
});

test("an empty value counts as unset", () => {
  expect(readConfig({ EARSHOT_PORT: "" }).port).toBe(8000);
});

test("every problem is reported at once, by the name of its setting", () => {
  const bad = {
    EARSHOT_PORT: "http",
    EARSHOT_STORE_URL: "mysql://user:hunter2@host/db",
    EARSHOT_ADMIN_KEY: "short",
    EARSHOT_JWT_SECRET: "short",
    EARSHOT_TIMEZONE: "Mars/Olympus",
    EARSHOT_LOG_LEVEL: "loud",
    EARSHOT_METRICS_PUBLIC: "yes",
    EARSHOT_TRUST_PROXY: "true",
    EARSHOT_CORS_ORIGINS: "crm.example.com",
    EARSHOT_RATE_LIMIT: "many",
    EARSHOT_RATE_LIMIT_ADDRESS: "300/0",
    EARSHOT_RANK_MINIMUM: "0",
    EARSHOT_RETENTION_DAYS: "-1",
  };
  let error: unknown;
  try {
    readConfig(bad);
  } catch (e) {
    error = e;
  }
  if (!(error instanceof ConfigError)) throw new Error("expected a ConfigError");
  for (const name of Object.keys(bad)) expect(error.message).toContain(name);
  expect(error.problems).toHaveLength(Object.keys(bad).length);
  expect(error.message).not.toContain("hunter2");
});

test("a URL's scheme picks the store; the model can be a folder or statistical:", () => {
  expect(readConfig({ EARSHOT_STORE_URL: "sqlite:/tmp/x.db" }).storePath).toBe("/tmp/x.db");
  expect(readConfig({ EARSHOT_MODEL_DIR: "statistical:" }).model).toEqual({ kind: "statistical" });
  expect(readConfig({ EARSHOT_MODEL_DIR: "/models/mine" }).model).toEqual({ kind: "folder", path: "/models/mine" });
});

test("a postgres store takes an address with a database, and a secret that all processes share", () => {
  const secret = "s".repeat(32);
  const url = "postgres://ann:hunter2@db.example:5432/earshot";
  const config = readConfig({ EARSHOT_STORE_URL: url, EARSHOT_JWT_SECRET: secret });
  expect(config.postgres).toEqual({ url, pool: 50, replicas: [] });
  const pooled = { EARSHOT_STORE_URL: "postgresql:///earshot?host=/run/postgresql", EARSHOT_STORE_POOL: "5" };
  expect(readConfig({ ...pooled, EARSHOT_JWT_SECRET: secret }).postgres?.pool).toBe(5);
  const replicas = { EARSHOT_STORE_REPLICA_URLS: `${url}, postgres://two/earshot` };
  expect(readConfig({ ...pooled, ...replicas, EARSHOT_JWT_SECRET: secret }).postgres?.replicas).toHaveLength(2);
  expect(() => readConfig(replicas)).toThrow(/EARSHOT_STORE_REPLICA_URLS must list/);
  expect(() => readConfig({ EARSHOT_STORE_URL: url })).toThrow(/EARSHOT_JWT_SECRET must be set/);
  const nameless = { EARSHOT_STORE_URL: "postgres://ann:hunter2@db.example", EARSHOT_JWT_SECRET: secret };
  expect(() => readConfig(nameless)).toThrow(/EARSHOT_STORE_URL must be .*postgres:\/\/…@db.example/);
});

test("vectors are found by an index of our own, or by the PostgreSQL that is the store", () => {
  expect(readConfig({ EARSHOT_VECTORS_URL: "embedded:" })).toEqual(readConfig({}));
  const store = { EARSHOT_STORE_URL: "postgres://db/earshot", EARSHOT_JWT_SECRET: "s".repeat(32) };
  expect(readConfig({ ...store, EARSHOT_VECTORS_URL: "pgvector:" }).vectors).toBe("pgvector");
  expect(() => readConfig({ EARSHOT_VECTORS_URL: "pgvector:" })).toThrow(/pgvector: only beside a postgres store/);
  expect(() => readConfig({ ...store, EARSHOT_VECTORS_URL: "milvus://me:hunter2@host" })).toThrow(
    /EARSHOT_VECTORS_URL must be embedded: or pgvector:, not milvus:$/,
  );
});

test("events, notices of work and figures go by the database and memory, or by Redis; a password is not repeated", () => {
  const without = { EARSHOT_STREAM_URL: "sql:", EARSHOT_DISPATCH_URL: "sql:", EARSHOT_CACHE_URL: "memory:" };
  expect(readConfig(without)).toEqual(readConfig({}));
  const right = [
    "redis://127.0.0.1:6379",
    "redis://me:secret@cache.example.com/2",
    "rediss://cache.example.com",
    "redis+cluster://a:1,b:2,c:3",
    "rediss+cluster://me:secret@a.example.com:7000, 127.0.0.1:7001,[::1]:7002",
  ];
  for (const url of right) {
    const config = readConfig({ EARSHOT_STREAM_URL: url, EARSHOT_DISPATCH_URL: url, EARSHOT_CACHE_URL: url });
    expect([config.streamUrl, config.dispatchUrl, config.cacheUrl]).toEqual([url, url, url]);
  }
  const wrong = [
    "redis:",
    "redis://",
    "http://host",
    "redis://:hunter2@host:port",
    "redis+cluster://",
    "redis+cluster://a:1,,c:3",
    "redis+cluster://:hunter2@a:1,b:port",
    "redis+cluster://a:1/2",
  ];
  for (const [name, plain] of Object.entries(without)) {
    for (const url of wrong) {
      const scheme = url.split(":")[0]?.replace("+", String.raw`\+`);
      const problem = String.raw`${name} must be ${plain}, or redis://, rediss:// or redis\+cluster:// with a host, not ${scheme}:…`;
      expect(() => readConfig({ [name]: url })).toThrow(new RegExp(`${problem}$`));
    }
  }
});

test("a replica names its primary and an admin key of it, and keeps its calls in a file", () => {
  const set = { EARSHOT_REPLICA_OF: "https://primary.example.com/", EARSHOT_REPLICA_KEY: "ek_admin_1" };
  expect(readConfig({}).replica).toBeNull();
  expect(readConfig(set).replica).toEqual({ of: "https://primary.example.com", key: "ek_admin_1" });
  expect(() => readConfig({ ...set, EARSHOT_REPLICA_KEY: "" })).toThrow(/EARSHOT_REPLICA_KEY must be set beside/);
  for (const url of ["primary.example.com", "ftp://host", "http://ann:hunter2@host", "http://host?key=hunter2"]) {
    const problem = "EARSHOT_REPLICA_OF must be http:// or https:// with a host, and no name, password or query";
    expect(() => readConfig({ ...set, EARSHOT_REPLICA_OF: url })).toThrow(new RegExp(`${problem}$`));
  }
  const server = { EARSHOT_STORE_URL: "postgres://host/earshot", EARSHOT_JWT_SECRET: "s".repeat(32) };
  expect(() => readConfig({ ...set, ...server })).toThrow(/EARSHOT_REPLICA_OF needs a sqlite store/);
  expect(() => readConfig({ ...set, EARSHOT_STREAM_URL: "redis://host" })).toThrow(/a replica is one process/);
});

test("limits are requests in seconds, or 0 for none", () => {
  expect(readConfig({})).toMatchObject({
    rateLimit: { limit: 60_000, window_s: 60 },
    rateLimitAddress: { limit: 300, window_s: 60 },
  });
  const set = { EARSHOT_RATE_LIMIT: "0", EARSHOT_RATE_LIMIT_ADDRESS: "10/1" };
  expect(readConfig(set)).toMatchObject({ rateLimit: null, rateLimitAddress: { limit: 10, window_s: 1 } });
});

const trust = (value: string) => readConfig({ EARSHOT_TRUST_PROXY: value }).trustProxy;

test("proxies are named by address, network or name of a network; a count, true and everybody are refused", () => {
  expect(readConfig({}).trustProxy).toEqual([]);
  expect(trust("0")).toEqual([]);
  expect(trust("127.0.0.1, 10.0.0.0/8 ,2001:db8::/32,loopback")).toEqual([
    "127.0.0.1",
    "10.0.0.0/8",
    "2001:db8::/32",
    "loopback",
  ]);
  const wrong = [
    "1",
    "true",
    "2",
    "*",
    "proxy.example.com",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "10.0/8",
  ];
  for (const entry of wrong) {
    expect(() => trust(`127.0.0.1,${entry}`)).toThrow(
      `EARSHOT_TRUST_PROXY must list the addresses of your proxies, such as 127.0.0.1, 10.0.0.0/8 or loopback, uniquelocal, linklocal, not "${entry}"`,
    );
  }
});

test("an unknown EARSHOT_ variable is a warning that names it, and no other variable is looked at", () => {
  expect(readConfig({ EARSHOT_PROT: "8000", PATH: "/bin", EARSHOT_TEST_REQUIRE: "x" }).warnings).toEqual([
    expect.stringContaining("EARSHOT_PROT is not a setting"),
  ]);
});

test("names of settings are unique", () => {
  expect(new Set(SETTINGS.map((s) => s.name)).size).toBe(SETTINGS.length);
});

test("a lake is in a folder or in a bucket with credentials", () => {
  expect(readConfig({}).lake).toBeNull();
  expect(readConfig({ EARSHOT_LAKE_URL: "file:///var/lake" }).lake).toEqual({
    place: { kind: "folder", path: "/var/lake" },
    interval: 60,
    text: false,
  });
  const keys = { EARSHOT_S3_ACCESS_KEY: "key", EARSHOT_S3_SECRET_KEY: "a secret" };
  const bucket = readConfig({ ...keys, EARSHOT_LAKE_URL: "s3://calls/of/ours/", EARSHOT_S3_REGION: "eu-west-1" });
  expect(bucket.lake?.place).toEqual({
    kind: "s3",
    bucket: "calls",
    prefix: "of/ours",
    endpoint: "https://s3.eu-west-1.amazonaws.com",
    region: "eu-west-1",
    access_key: "key",
    secret_key: "a secret",
  });
  expect(() => readConfig({ EARSHOT_LAKE_URL: "lake" })).toThrow(/EARSHOT_LAKE_URL must be file:PATH or s3:/);
  expect(() => readConfig({ EARSHOT_LAKE_URL: "s3://calls" })).toThrow(/EARSHOT_S3_ACCESS_KEY .* must be set/);
  expect(() => readConfig({ ...keys, EARSHOT_LAKE_URL: "s3://calls", EARSHOT_S3_ENDPOINT: "here" })).toThrow(
    /EARSHOT_S3_ENDPOINT must be/,
  );
});

test("Kafka takes addresses, topics and who we are to the brokers", () => {
  expect(readConfig({}).kafka).toBeNull();
  expect(readConfig({ EARSHOT_KAFKA_BROKERS: "a:9092, [::1]:9093" }).kafka).toEqual({
    servers: { brokers: ["a:9092", "[::1]:9093"], tls: false, sasl: null },
    eventsTopic: "earshot.events",
    importTopic: null,
    deadTopic: null,
  });
  const all = {
    EARSHOT_KAFKA_BROKERS: "kafka:9093",
    EARSHOT_KAFKA_IMPORT_TOPIC: "calls",
    EARSHOT_KAFKA_TLS: "1",
    EARSHOT_KAFKA_SASL: "SCRAM-SHA-512:ann:hunter2:3",
  };
  expect(readConfig(all).kafka).toMatchObject({
    servers: { tls: true, sasl: { mechanism: "SCRAM-SHA-512", username: "ann", password: "hunter2:3" } },
    importTopic: "calls",
    deadTopic: "calls.dead",
  });
  const bad: Record<string, string>[] = [
    { EARSHOT_KAFKA_BROKERS: "kafka" },
    { EARSHOT_KAFKA_BROKERS: "kafka:9092", EARSHOT_KAFKA_EVENTS_TOPIC: "a b" },
    { EARSHOT_KAFKA_BROKERS: "kafka:9092", EARSHOT_KAFKA_IMPORT_TOPIC: "earshot.events" },
    { EARSHOT_KAFKA_BROKERS: "kafka:9092", EARSHOT_KAFKA_SASL: "ann:hunter2" },
    { EARSHOT_KAFKA_IMPORT_TOPIC: "calls" },
  ];
  for (const env of bad) {
    expect(() => readConfig(env)).toThrow(Object.keys(env).at(-1));
    expect(() => readConfig(env)).not.toThrow("hunter2");
  }
});

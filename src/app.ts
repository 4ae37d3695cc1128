/** The composition root: the only file that imports adapters. Plain construction, closed in reverse. */
import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { dirname, join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { memoryCache } from "./adapters/cache/memory.ts";
import { memoryRateLimit } from "./adapters/limits/memory.ts";
import { benchModel, checkModel } from "./adapters/models/check-model.ts";
import { findNpm } from "./adapters/models/find-npm.ts";
import { openModels } from "./adapters/models/open-models.ts";
import type { OpenedModels } from "./adapters/models/open-models.ts";
import { pinnedFolder } from "./adapters/models/pinned-model.ts";
import { pullModel } from "./adapters/models/pull-model.ts";
import type { PullProgress } from "./adapters/models/pull-model.ts";
import { whileAlone } from "./adapters/sql/alone.ts";
import { examineDatabase } from "./adapters/sql/examine.ts";
import { copyProblem } from "./adapters/sql/copy-facts.ts";
import { logStream } from "./adapters/sql/log-stream.ts";
import { newestSchema } from "./adapters/sql/migrate.ts";
import { openSqlite } from "./adapters/sql/open.ts";
import type { SqliteOptions } from "./adapters/sql/open.ts";
import type { Store } from "./adapters/sql/store.ts";
import { openVectors } from "./adapters/vectors/embedded.ts";
import { fill } from "./adapters/vectors/fill.ts";
import type { Config } from "./config.ts";
import type { ProcessRoles } from "./core/process-roles.ts";
import { AppError } from "./errors.ts";
import type { App } from "./http/deps.ts";
import { createDrain } from "./http/drain.ts";
import type { Drain } from "./http/drain.ts";
import { metricsHook } from "./http/metrics.ts";
import { buildServer } from "./http/server.ts";
import { createUnderWay } from "./http/under-way.ts";
import { createLog } from "./observe/logger.ts";
import type { Log } from "./observe/logger.ts";
import { createMetrics } from "./observe/metrics.ts";
import type { Metrics } from "./observe/metrics.ts";
import type { DatabaseState } from "./ports/copies.ts";
import type { Stream } from "./ports/stream.ts";
import { readOrMakeSecret } from "./secrets.ts";
import { closeInOrder } from "./services/shutdown.ts";
import type { Stage } from "./services/shutdown.ts";
import { createBackups, makeBackup } from "./services/backups.ts";
import type { BackupDeps, Manifest } from "./services/backups.ts";
import type { RestoreDeps } from "./services/restore.ts";
import { createIndexHost } from "./services/index-host.ts";
import type { IndexHost } from "./services/index-host.ts";
import { startRelay } from "./services/relay.ts";
import type { Duty } from "./services/relay.ts";
import { startUpkeep } from "./services/upkeep.ts";
import { startLoop } from "./worker/loop.ts";

export { sqliteVersion } from "./adapters/sql/examine.ts";
export { openapiDocument } from "./http/server.ts";
export const VERSION: string = packageJson.version;

/** Where the dashboard is built to (commands/build-web.ts). */
const PAGE = join(import.meta.dirname, "../web/dist");

/** Two batches in flight keep the model threads busy while a third is saved. */
const LANES = 3;
/** Events that no relay has copied to Redis by then are copied by whoever waits for them, ms. */
const STANDBY_MS = 150;
/** The space of the vectors that are served, so that similar calls work before (or without) the model. */
const SPACE_BOOKMARK = "vectors.space";
/** Names the log of this store wherever logs of others may be. */
const LOG_BOOKMARK = "events.log";

async function openStore(config: Config, log: Log, onBreaker: SqliteOptions["onBreaker"] = () => {}): Promise<Store> {
  const { storePath: path, timezone, readerThreads: readers, postgres } = config;
  if (postgres !== null) {
    // Its driver takes a while to load: only who uses it waits for that.
    const { openPostgres } = await import("./adapters/sql/postgres/open.ts");
    return openPostgres({ ...postgres, timezone, log });
  }
  return openSqlite({ path, timezone, readers, log, onBreaker });
}

/** How the processes on this store hear of each other's events. */
async function openStream(config: Config, store: Store, onChange: (problem: string | null) => void): Promise<Stream> {
  if (config.streamUrl === null) return logStream(store.events);
  // Its client takes a tenth of a second to load: only who uses it waits for that.
  const { openRedisStream } = await import("./adapters/redis/stream.ts");
  await store.jobs.moveBookmark(LOG_BOOKMARK, null, randomUUID());
  const log_id = (await store.jobs.bookmark(LOG_BOOKMARK)) as string;
  return openRedisStream({ url: config.streamUrl, log: store.events, log_id, onChange, standby_ms: STANDBY_MS });
}

/** What there is to know about the database without changing it; null where it is not there yet. */
export async function databaseState(config: Config): Promise<DatabaseState | null> {
  if (config.postgres === null) return examineDatabase(config.storePath);
  const { examinePostgres } = await import("./adapters/sql/postgres/examine.ts");
  return examinePostgres(config.postgres.url);
}

/** Where the calls are, without whose name and password open it. */
export function storeName({ postgres, storePath }: Config): string {
  if (postgres === null) return storePath;
  const { host, pathname } = new URL(postgres.url);
  return `PostgreSQL ${host}${pathname}`;
}

/** Opens the store for one command and closes it whatever happens. */
export async function withStore<T>(config: Config, use: (store: Store, log: Log) => Promise<T>): Promise<T> {
  const log = createLog(config.logLevel === "info" ? "warn" : config.logLevel);
  const store = await openStore(config, log);
  try {
    return await use(store, log);
  } finally {
    await store.close();
  }
}

function backupDeps(store: Store): BackupDeps {
  return { copies: store, version: VERSION, now: Date.now };
}

/** Whether any process has the database open. */
export function storeInUse(path: string): boolean {
  return !whileAlone(path, () => undefined);
}

/** A backup of a database that no server has open. */
export function makeBackupHere(
  config: Config,
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<Manifest> {
  return withStore(config, (store) => makeBackup(backupDeps(store), { folder, onProgress }));
}

/** What restoring needs of the store. */
export function restoreParts(): RestoreDeps {
  return { newestSchema: newestSchema(), problem: copyProblem, inUse: storeInUse };
}

/** Brings the database file to this version's schema. */
export function migrateStore(config: Config): Promise<void> {
  // Opening a store is what migrates it.
  return withStore(config, async () => {});
}

/** The folder the settings name, or the pinned model's; null where there is to be no model. */
export function modelFolder(config: Config): string | null {
  switch (config.model.kind) {
    case "pinned":
      return pinnedFolder(config.dataDir);
    case "folder":
      return config.model.path;
    case "statistical":
      return null;
  }
}

/** `models pull`: the pinned model's folder. */
export function pullPinnedModel(config: Config, onProgress: (p: PullProgress) => void): Promise<string> {
  return pullModel({ dataDir: config.dataDir, onProgress, npmCommand: findNpm(config.npmEnvironment) });
}

function chosenFolder(config: Config): string {
  const folder = modelFolder(config);
  if (folder === null)
    throw new AppError("models_unavailable", "EARSHOT_MODEL_DIR is statistical: there is no model to run");
  return folder;
}

/** `models check`: files, and agreement of the graph that runs with the one that was shipped. */
export async function checkModelFolder(config: Config): ReturnType<typeof checkModel> {
  return checkModel(chosenFolder(config));
}

/** `models bench`: speed of each graph by length. */
export async function benchModelFolder(config: Config): ReturnType<typeof benchModel> {
  return benchModel(chosenFolder(config));
}

/**
 * Workers score calls, realtime scores turns of calls that go on, and api needs the vector of what is searched for, which
 * one thread makes. A relay has no use for the model.
 */
function startModels(
  config: Config,
  roles: ProcessRoles,
  log: Log,
  onProgress: (p: PullProgress) => void,
): OpenedModels {
  const scores = roles.has("worker") || roles.has("realtime");
  const needed = scores || roles.has("api");
  return openModels({
    modelDir: needed ? modelFolder(config) : null,
    dataDir: config.dataDir,
    threads: config.modelThreads ?? (scores ? Math.min(availableParallelism(), 8) : 1),
    autoPull: needed && config.model.kind === "pinned",
    npmCommand: findNpm(config.npmEnvironment),
    onProgress,
    log: (level, message) => log[level](message),
  });
}

/** Enriches what waits in the store: models, worker loop, and their metrics. */
interface Engine {
  readonly models: OpenedModels;
  readonly metrics: Metrics;
  /** No lease of this process is left afterwards. */
  stopWork(): Promise<void>;
}

function startEngine(
  config: Config,
  store: Store,
  stream: Stream,
  log: Log,
  options: { roles: ProcessRoles; onProgress: (p: PullProgress) => void },
): Engine {
  const { roles } = options;
  const metrics = createMetrics(store.work);
  const models = startModels(config, roles, log, options.onProgress);
  models.onChange((state) => {
    metrics.modelChanged(state);
    log.info({ method: state.method, model: state.model, problem: state.problem }, "the model changed");
  });
  const loop = roles.has("worker")
    ? startLoop(
        { ...store, events: stream, models, metrics, log, now: Date.now, random: Math.random },
        { lanes: LANES },
      )
    : null;
  return {
    models,
    metrics,
    stopWork: async () => loop?.stop(),
  };
}

/**
 * What follows the log for somewhere else, in one of all relays at a time: each is started under a lease of its own, and
 * again where it failed.
 */
function relayDuties({ stream }: { config: Config; store: Store; stream: Stream; log: Log }): Duty[] {
  const duties: Duty[] = [];
  if (stream.copy) duties.push({ name: "stream", run: stream.copy.bind(stream) });
  return duties;
}

export interface Running {
  readonly url: string;
  /** Whether anybody listens at `url`. */
  readonly listens: boolean;
  readonly store: Store;
  readonly models: OpenedModels;
  readonly index: IndexHost;
  readonly log: Log;
  /**
   * Stops taking requests, finishes those under way, gives work back, closes everything, within nine seconds. The names
   * of parts that did not close; they may keep the process from ending by itself.
   */
  close(): Promise<string[]>;
}

/** Starts the product in one process; resolves when it listens (without a port to listen on: when it works). */
export async function start(
  config: Config,
  options: { roles: ProcessRoles; onProgress?: (p: PullProgress) => void },
): Promise<Running> {
  const { roles } = options;
  const log = createLog(config.logLevel);
  let told: Metrics | null = null;
  const store = await openStore(config, log, (state) => told?.breakerChanged("long-reads", state));
  const stream = await openStream(config, store, (problem) => {
    told?.degraded("stream", problem !== null);
    if (problem === null) log.info("events come by Redis");
    else log.warn({ problem }, "Redis does not bring the events: they are read from the log until it does");
  });
  const engine = startEngine(config, store, stream, log, {
    roles,
    onProgress: options.onProgress ?? ((p) => log.info({ step: p.step }, p.message)),
  });
  const { models, metrics } = engine;
  told = metrics;
  const index = createIndexHost({
    events: stream,
    rows: store.vectorRows,
    open(space_id) {
      const vectors = openVectors({ rows: store.vectorRows, spaceId: space_id, log });
      const { ended } = vectors;
      return { vectors, ended, fill: (kind) => fill(vectors, store.vectorRows, kind, space_id) };
    },
    onError: (error) => log.error({ error }, "the vector index could not follow the store; it will try again"),
    onChange(whole) {
      metrics.degraded("index", !whole);
      if (whole) log.info("the vector index is whole again");
      else log.warn("the vector index is away: search goes by words until it is loaded again");
    },
  });
  const useSpace = async (space_id: string | null) => {
    if (space_id === null || !roles.has("api")) return;
    await index.use(space_id);
    await store.jobs.setBookmark(SPACE_BOOKMARK, space_id);
  };
  const warn = (error: unknown) => log.error({ error }, "the vector index could not be opened");
  models.onChange((state) => void useSpace(state.space_id).catch(warn));

  const { timezone, retentionDays } = config;
  const upkeep = startUpkeep(
    { ...store, metrics, log, now: Date.now, timezone, retentionDays },
    { nightly: roles.has("relay") },
  );
  const relay = startRelay(
    {
      jobs: store.jobs,
      holder: randomUUID(),
      log,
      onChange: (failing) => metrics.degraded("relay", failing),
    },
    roles.has("relay") ? relayDuties({ config, store, stream, log }) : [],
  );
  const cache = memoryCache();
  // The others have an address for health and metrics where one is wanted.
  const listens = roles.has("api") || roles.has("realtime") || config.portChosen;
  let draining = false;
  let server: { app: App; drain: Drain } | null = null;
  const close = async (): Promise<string[]> => {
    draining = true;
    server?.drain.begin();
    // Who balances the load learns of it by asking for readiness, and sends requests until then.
    if (server?.app.server.listening === true) await delay(config.drainDelay * 1_000);
    const requests = async (): Promise<void> => {
      const cut = await server?.drain.close();
      if (cut) log.warn({ requests: cut }, "requests that did not come to their end were cut off");
    };
    const parts: Stage[][] = [
      [
        { name: "requests", patience_ms: 4_500, close: requests },
        { name: "work", patience_ms: 4_500, close: () => engine.stopWork() },
        { name: "upkeep", patience_ms: 4_500, close: () => upkeep.stop() },
        { name: "relay", patience_ms: 4_500, close: () => relay.stop() },
      ],
      [
        { name: "models", patience_ms: 1_500, close: () => models.close() },
        { name: "index", patience_ms: 1_500, close: () => index.close() },
        { name: "cache", patience_ms: 1_500, close: () => cache.close() },
        { name: "stream", patience_ms: 1_500, close: () => stream.close() },
      ],
      [{ name: "store", patience_ms: 3_000, close: () => store.close() }],
    ];
    return closeInOrder(parts, log);
  };
  try {
    const underWay = createUnderWay();
    const app = await buildServer({
      roles,
      store,
      stream,
      models,
      vectors: index.vectors,
      cache,
      config: {
        ...(await makeSecrets(config, log)),
        version: VERSION,
        timezone,
        corsOrigins: config.corsOrigins,
        socketIo: config.socketIo,
        rankMinimum: config.rankMinimum,
        liveCalls: { idle_ms: config.liveIdle * 1_000, alpha: config.liveAlpha },
        trustProxy: config.trustProxy,
        sharedCacheSeconds: config.cdnTtl,
        pageFolder: PAGE,
      },
      log,
      now: Date.now,
      recalculation: upkeep.recalculation,
      metrics,
      oldestWrite: () => store.oldestWrite(),
      limits: {
        account: config.rateLimit && memoryRateLimit(config.rateLimit),
        address: config.rateLimitAddress && memoryRateLimit(config.rateLimitAddress),
      },
      metricsHook: metricsHook({ metrics, isPublic: config.metricsPublic }),
      backups: createBackups({
        ...backupDeps(store),
        jobs: store.jobs,
        folder: join(config.dataDir, "backups"),
        onError: (error) => log.error({ error }, "the backup failed"),
      }),
      draining: () => draining,
      underWay,
      vitals: {
        async disk() {
          // The server's disk is not ours to see.
          const folder = config.postgres === null ? dirname(config.storePath) : config.dataDir;
          const { bavail, blocks, bsize } = await statfs(folder);
          return { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
        },
        lag: () => index.lag(),
        stream: () => stream.problem() === null,
        ...(roles.has("relay") && { relay: () => ({ active: relay.active(), failing: relay.failing() }) }),
      },
    });
    server = { app, drain: createDrain(app, underWay) };
    if (roles.has("api")) await useSpace(models.describe().space_id ?? (await store.jobs.bookmark(SPACE_BOOKMARK)));
    if (listens) await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    // A thread left running would keep the process from ending with its message.
    await close();
    throw error;
  }
  const address = server.app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.port;
  return {
    url: `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`,
    listens,
    store,
    models,
    index,
    log,
    close,
  };
}

async function makeSecrets(config: Config, log: Log): Promise<{ adminKey: string; jwtSecrets: readonly string[] }> {
  let adminKey = config.adminKey;
  if (adminKey === null) {
    const path = join(config.dataDir, "admin.key");
    const { secret, made } = await readOrMakeSecret(path, "ek_admin_");
    if (made) log.info({ path }, "an admin key was made; it is in this file and nowhere else");
    adminKey = secret;
  }
  const jwtSecrets =
    config.jwtSecrets.length > 0
      ? config.jwtSecrets
      : [(await readOrMakeSecret(join(config.dataDir, "jwt.secret"), "")).secret];
  return { adminKey, jwtSecrets };
}

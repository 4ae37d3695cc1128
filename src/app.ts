/** The composition root: the only file that imports adapters. Plain construction, closed in reverse. */
import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
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
import { pollingDispatch } from "./adapters/sql/polling-dispatch.ts";
import { newestSchema } from "./adapters/sql/migrate.ts";
import { openSqlite } from "./adapters/sql/open.ts";
import type { SqliteOptions } from "./adapters/sql/open.ts";
import type { Store } from "./adapters/sql/store.ts";
import { openVectors } from "./adapters/vectors/embedded.ts";
import { fill } from "./adapters/vectors/fill.ts";
import type { Config } from "./config.ts";
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
import type { Cache } from "./ports/cache.ts";
import type { Dispatch } from "./ports/dispatch.ts";
import type { Stream } from "./ports/stream.ts";
import { readOrMakeSecret } from "./secrets.ts";
import { createRecalculation } from "./services/analytics.ts";
import { closeInOrder } from "./services/shutdown.ts";
import type { Stage } from "./services/shutdown.ts";
import { createBackups, makeBackup } from "./services/backups.ts";
import type { BackupDeps, Manifest } from "./services/backups.ts";
import type { RestoreDeps } from "./services/restore.ts";
import { createIndexHost } from "./services/index-host.ts";
import type { IndexHost } from "./services/index-host.ts";
import { expireCalls } from "./services/retention.ts";
import { startNightly } from "./services/nightly.ts";
import { tellWork } from "./services/tell-work.ts";
import { startLoop } from "./worker/loop.ts";

export { sqliteVersion } from "./adapters/sql/examine.ts";
export { openapiDocument } from "./http/server.ts";
export const VERSION: string = packageJson.version;

/** Where the dashboard is built to (commands/build-web.ts). */
const PAGE = join(import.meta.dirname, "../web/dist");

/** Two batches in flight keep the model threads busy while a third is saved. */
const LANES = 3;
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
  return openRedisStream({ url: config.streamUrl, log: store.events, log_id: await logName(store), onChange });
}

async function logName({ jobs }: Store): Promise<string> {
  await jobs.moveBookmark(LOG_BOOKMARK, null, randomUUID());
  return (await jobs.bookmark(LOG_BOOKMARK)) as string;
}

/** Where figures are kept, and why they are not where they should be; null while all is well. */
async function openCache(
  config: Config,
  store: Store,
  onChange: (problem: string | null) => void,
): Promise<Cache & { problem(): string | null }> {
  if (config.cacheUrl === null) return { ...memoryCache(), problem: () => null };
  const { openRedisCache } = await import("./adapters/redis/cache.ts");
  return openRedisCache({ url: config.cacheUrl, log_id: await logName(store), onChange });
}

/** How the workers on this store hear of work. */
async function openDispatch(
  config: Config,
  store: Store,
  stream: Stream,
  options: { takes: boolean; onChange: (problem: string | null) => void },
): Promise<Dispatch> {
  const { work } = store;
  const standIn = (): Dispatch => pollingDispatch({ events: stream, work });
  if (config.dispatchUrl === null) return standIn();
  const { openRedisDispatch } = await import("./adapters/redis/dispatch.ts");
  return openRedisDispatch({ url: config.dispatchUrl, log_id: await logName(store), work, standIn, ...options });
}

/** What there is to know about the database without changing it; null where it is not there yet. */
export async function databaseState(config: Config): Promise<DatabaseState | null> {
  if (config.postgres === null) return examineDatabase(config.storePath);
  const { examinePostgres } = await import("./adapters/sql/postgres/examine.ts");
  return examinePostgres(config.postgres.url);
}

/** What there is to know about each Redis that the settings name. */
export async function redisStates({ streamUrl, dispatchUrl, cacheUrl }: Config) {
  const named = { EARSHOT_STREAM_URL: streamUrl, EARSHOT_DISPATCH_URL: dispatchUrl, EARSHOT_CACHE_URL: cacheUrl };
  const settings = Object.groupBy(Object.entries(named), ([, url]) => url ?? "");
  const urls = Object.keys(settings).filter((url) => url !== "");
  if (urls.length === 0) return [];
  const { examineRedis, redisName } = await import("./adapters/redis/examine.ts");
  return Promise.all(
    urls.map(async (url) => ({
      state: await examineRedis(url),
      name: redisName(url),
      settings: (settings[url] ?? []).map(([name]) => name),
      asCluster: /^rediss?\+cluster:/.test(url),
    })),
  );
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

function startModels(config: Config, log: Log, onProgress: (p: PullProgress) => void): OpenedModels {
  return openModels({
    modelDir: modelFolder(config),
    dataDir: config.dataDir,
    threads: config.modelThreads,
    autoPull: config.model.kind === "pinned",
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
  dispatch: Dispatch,
  log: Log,
  options: { work: boolean; onProgress: (p: PullProgress) => void },
): Engine {
  const metrics = createMetrics(store.work, config.dispatchUrl === null ? undefined : dispatch);
  const models = startModels(config, log, options.onProgress);
  models.onChange((state) => {
    metrics.modelChanged(state);
    log.info({ method: state.method, model: state.model, problem: state.problem }, "the model changed");
  });
  const loop = options.work
    ? startLoop({ ...store, dispatch, models, metrics, log, now: Date.now, random: Math.random }, { lanes: LANES })
    : null;
  return {
    models,
    metrics,
    stopWork: async () => loop?.stop(),
  };
}

export interface Running {
  readonly url: string;
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

export type Role = "api" | "worker" | "all";

/** Starts the product in one process; resolves when it listens (role worker: when it works). */
export async function start(
  config: Config,
  options: { role: Role; onProgress?: (p: PullProgress) => void },
): Promise<Running> {
  const log = createLog(config.logLevel);
  let told: Metrics | null = null;
  const opened = await openStore(config, log, (state) => told?.breakerChanged("long-reads", state));
  const onRedis = (part: "stream" | "dispatch" | "cache", well: string, away: string) => (problem: string | null) => {
    told?.degraded(part, problem !== null);
    if (problem === null) log.info(well);
    else log.warn({ problem }, away);
  };
  const stream = await openStream(
    config,
    opened,
    onRedis(
      "stream",
      "events come by Redis",
      "Redis does not bring the events: they are read from the log until it does",
    ),
  );
  const work = options.role !== "api";
  const dispatch = await openDispatch(config, opened, stream, {
    takes: work,
    onChange: onRedis(
      "dispatch",
      "workers hear of work by Redis",
      "Redis does not tell of work: workers look into the store until it does",
    ),
  });
  const store: Store = { ...opened, ...tellWork(opened, dispatch) };
  const engine = startEngine(config, store, dispatch, log, {
    work,
    onProgress: options.onProgress ?? ((p) => log.info({ step: p.step }, p.message)),
  });
  const { models, metrics } = engine;
  told = metrics;
  // What went wrong before there were metrics is in them as well.
  metrics.degraded("stream", stream.problem() !== null);
  metrics.degraded("dispatch", dispatch.problem() !== null);
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
    if (space_id === null || options.role === "worker") return;
    await index.use(space_id);
    await store.jobs.setBookmark(SPACE_BOOKMARK, space_id);
  };
  const warn = (error: unknown) => log.error({ error }, "the vector index could not be opened");
  models.onChange((state) => void useSpace(state.space_id).catch(warn));

  const recalculation = createRecalculation({
    ...store,
    now: Date.now,
    onError: (error) => log.error({ error }, "the daily figures were not rebuilt; they are as before"),
    onDone({ job_id, counts, report }) {
      const { days = 0, drifted = 0 } = counts;
      metrics.rebuilt(drifted);
      const facts = { job_id, days, drifted, ...(drifted > 0 && report) };
      log[drifted > 0 ? "error" : "info"](facts, "the daily figures were counted again from the calls");
    },
  });
  const stopping = new AbortController();
  let expiring: Promise<void> | null = null;
  const expire = async (): Promise<void> => {
    if (config.retentionDays === 0) return;
    const asked = { days: config.retentionDays, signal: stopping.signal, recurring: true };
    const job = await expireCalls({ ...store, now: Date.now }, asked);
    if (job) log.info({ job_id: job.job_id, state: job.state, ...job.counts }, "calls past their time were erased");
  };
  const stopNightly = startNightly({
    ...store,
    timezone: config.timezone,
    now: Date.now,
    expire: () => (expiring = expire()),
    recalculate: async () => (await recalculation.start()).done,
    onError: (error) => log.error({ error }, "the nightly work failed; it will run tomorrow"),
  });
  const cache = await openCache(
    config,
    store,
    onRedis(
      "cache",
      "figures are shared by Redis",
      "Redis does not keep the figures: each process keeps its own until it does",
    ),
  );
  let draining = false;
  let server: { app: App; drain: Drain } | null = null;
  const close = (): Promise<string[]> => {
    draining = true;
    stopping.abort();
    stopNightly();
    const requests = async (): Promise<void> => {
      const cut = await server?.drain.close();
      if (cut) log.warn({ requests: cut }, "requests that did not come to their end were cut off");
    };
    const parts: Stage[][] = [
      [
        { name: "requests", patience_ms: 4_500, close: requests },
        { name: "work", patience_ms: 4_500, close: () => engine.stopWork() },
        { name: "retention", patience_ms: 4_500, close: async () => expiring?.catch(() => undefined) },
      ],
      [
        { name: "models", patience_ms: 1_500, close: () => models.close() },
        { name: "index", patience_ms: 1_500, close: () => index.close() },
        { name: "cache", patience_ms: 1_500, close: () => cache.close() },
        { name: "stream", patience_ms: 1_500, close: () => stream.close() },
        { name: "dispatch", patience_ms: 1_500, close: () => dispatch.close() },
      ],
      [{ name: "store", patience_ms: 3_000, close: () => store.close() }],
    ];
    return closeInOrder(parts, log);
  };
  try {
    const underWay = createUnderWay();
    const app = await buildServer({
      store,
      stream,
      models,
      vectors: index.vectors,
      cache,
      config: {
        ...(await makeSecrets(config, log)),
        version: VERSION,
        timezone: config.timezone,
        corsOrigins: config.corsOrigins,
        socketIo: config.socketIo,
        rankMinimum: config.rankMinimum,
        liveCalls: { idle_ms: config.liveIdle * 1_000, alpha: config.liveAlpha },
        trustProxy: config.trustProxy,
        pageFolder: PAGE,
      },
      log,
      now: Date.now,
      recalculation,
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
        dispatch: () => dispatch.problem() === null,
        cache: () => cache.problem() === null,
      },
    });
    server = { app, drain: createDrain(app, underWay) };
    await useSpace(models.describe().space_id ?? (await store.jobs.bookmark(SPACE_BOOKMARK)));
    if (options.role !== "worker") await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    // A thread left running would keep the process from ending with its message.
    await close();
    throw error;
  }
  const address = server.app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.port;
  return {
    url: `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`,
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

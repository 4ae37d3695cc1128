/** The composition root: the only file that imports adapters. Plain construction, closed in reverse. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
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
import { pollingDispatch } from "./adapters/sql/polling-dispatch.ts";
import { newestSchema } from "./adapters/sql/migrate.ts";
import { openSqlite } from "./adapters/sql/open.ts";
import type { SqliteOptions } from "./adapters/sql/open.ts";
import type { Store } from "./adapters/sql/store.ts";
import { openPrimary } from "./adapters/primary/primary.ts";
import { openVectors } from "./adapters/vectors/embedded.ts";
import { fill } from "./adapters/vectors/fill.ts";
import type { Config } from "./config.ts";
import { SERVING_ROLES } from "./core/process-roles.ts";
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
import type { Cache } from "./ports/cache.ts";
import type { Dispatch } from "./ports/dispatch.ts";
import type { Events } from "./ports/events.ts";
import type { Lake } from "./ports/lake.ts";
import type { Stream } from "./ports/stream.ts";
import { readOrMakeSecret } from "./secrets.ts";
import { closeInOrder } from "./services/shutdown.ts";
import type { Stage } from "./services/shutdown.ts";
import { createBackups, makeBackup } from "./services/backups.ts";
import type { BackupDeps, Manifest } from "./services/backups.ts";
import { moveStore } from "./services/move.ts";
import type { MoveInput, MoveReport } from "./services/move.ts";
import type { RestoreDeps } from "./services/restore.ts";
import { type KafkaLink, startKafkaLink } from "./services/kafka-link.ts";
import { SPACE_BOOKMARK } from "./services/originals.ts";
import { refuseCopies, withoutWrites } from "./services/read-only.ts";
import { followPrimary, NOTHING_YET } from "./services/replicate.ts";
import type { Replication } from "./services/replicate.ts";
import { createIndexHost } from "./services/index-host.ts";
import type { IndexHost } from "./services/index-host.ts";
import { startRelay } from "./services/relay.ts";
import type { Duty } from "./services/relay.ts";
import { startUpkeep } from "./services/upkeep.ts";
import { tellWork } from "./services/tell-work.ts";
import { keepLake, type LakeStep, type LakeWriterDeps, writeLake } from "./services/lake-writer.ts";
import { createSharedIndex } from "./services/shared-index.ts";
import { rebuildFromTopic, type TopicRebuild } from "./services/rebuild-from-topic.ts";
import { startLoop } from "./worker/loop.ts";

export { sqliteVersion } from "./adapters/sql/examine.ts";
export { openapiDocument } from "./http/server.ts";
export const VERSION: string = packageJson.version;

/** Where the dashboard is built to (commands/build-web.ts). */
const PAGE = join(import.meta.dirname, "../web/dist");

/** Two batches in flight keep the model threads busy while a third is saved. */
const LANES = 3;
/** A topic of events that has to be made keeps them for ever: figures can be made of them anew. */
const EVENTS_KEPT = { "retention.ms": "-1" };
/** Names the log of this store wherever logs of others may be. */
const LOG_BOOKMARK = "events.log";

async function openStore(config: Config, log: Log, onBreaker: SqliteOptions["onBreaker"] = () => {}): Promise<Store> {
  const { storePath: path, timezone, readerThreads: readers, postgres } = config;
  if (postgres !== null) {
    // Its driver takes a while to load: only who uses it waits for that.
    const { openPostgres } = await import("./adapters/sql/postgres/open.ts");
    return openPostgres({ ...postgres, pgvector: config.vectors === "pgvector", timezone, log });
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

/** The lake of the settings; opening it touches nothing. */
async function openLakeOf({ lake, dataDir, timezone }: Config): Promise<Lake> {
  if (lake === null) throw new AppError("validation", "EARSHOT_LAKE_URL is not set: there is no lake");
  const { openLake } = await import("./adapters/lake/open.ts");
  return openLake({ place: lake.place, cacheFolder: join(dataDir, "lake"), timezone, now: Date.now });
}

/** What the lake of the settings is written from. */
async function lakeDeps(config: Config, store: Store, events: Events, lake: Lake): Promise<LakeWriterDeps> {
  const terms = { log_id: await logName(store), timezone: config.timezone, text: config.lake?.text ?? false };
  return { lake, events, reads: store.reads, terms };
}

/** Opens the lake for one command and closes it whatever happens. */
export async function withLake<T>(config: Config, use: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLakeOf(config);
  try {
    return await use(lake);
  } finally {
    await lake.close();
  }
}

/** `lake write`: all that is new, by this process. */
export function writeLakeHere(
  config: Config,
  onStep: (step: LakeStep) => void,
): Promise<{ rows: number; seq: number }> {
  return withLake(config, (lake) =>
    withStore(config, async (store) => writeLake(await lakeDeps(config, store, store.events, lake), onStep)),
  );
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
  return postgres === null ? storePath : serverName(postgres.url);
}

function serverName(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL ${host}${pathname}`;
}

/** `promote`: false where the database is a store of its own already. */
export async function promoteStore(config: Config): Promise<boolean> {
  const store = await openStore(config, createLog("warn"));
  try {
    return (await store.mirror?.release()) ?? false;
  } finally {
    await store.close();
  }
}

/** Opens the store for one command and closes it whatever happens. */
export async function withStore<T>(config: Config, use: (store: Store, log: Log) => Promise<T>): Promise<T> {
  const log = createLog(config.logLevel === "info" ? "warn" : config.logLevel);
  const store = await openStore(config, log);
  try {
    await refuseCopies(store);
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

/** Copies parts side by side: reading and packing them keeps a core busy, the server another. */
const MOST_MOVERS = 8;

/** Moves the SQLite store to the PostgreSQL database at `url`; `name` of the input is made of that. */
export async function moveStoreTo(config: Config, url: string, input: Omit<MoveInput, "name">): Promise<MoveReport> {
  const { openMove } = await import("./adapters/sql/move/open.ts");
  const lanes = Math.min(MOST_MOVERS, Math.max(2, availableParallelism()));
  const deps = openMove({ path: config.storePath, url, lanes, now: Date.now });
  try {
    return await moveStore(deps, { ...input, name: serverName(url) });
  } finally {
    await deps.close();
  }
}

/** Lets the SQLite store be written to again that was moved, or was to be; false where it was not. */
export async function undoMoveOf(config: Config): Promise<boolean> {
  const { undoMove } = await import("./adapters/sql/move/source.ts");
  return undoMove(config.storePath);
}

/** What restoring needs of the store. */
export function restoreParts(): RestoreDeps {
  return { newestSchema: newestSchema(), problem: copyProblem, inUse: storeInUse };
}

/** Brings the database file to this version's schema. */
export async function migrateStore(config: Config): Promise<void> {
  // Opening a store is what migrates it.
  const store = await openStore(config, createLog("warn"));
  await store.close();
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
  dispatch: Dispatch,
  log: Log,
  options: { roles: ProcessRoles; onProgress: (p: PullProgress) => void; behind: Parameters<typeof createMetrics>[1] },
): Engine {
  const { roles } = options;
  const metrics = createMetrics(store.work, options.behind);
  const models = startModels(config, roles, log, options.onProgress);
  models.onChange((state) => {
    metrics.modelChanged(state);
    log.info({ method: state.method, model: state.model, problem: state.problem }, "the model changed");
  });
  const loop = roles.has("worker")
    ? startLoop({ ...store, dispatch, models, metrics, log, now: Date.now, random: Math.random }, { lanes: LANES })
    : null;
  return {
    models,
    metrics,
    stopWork: async () => loop?.stop(),
  };
}

interface Duties {
  readonly duties: readonly Duty[];
  /** Why the lake does not follow the store, while this process keeps it; absent: there is none. */
  readonly lake?: () => string | null;
  close(): Promise<void>;
}

/**
 * What follows the log for somewhere else, in one of all relays at a time: each is started under a lease of its own, and
 * again where it failed.
 */
async function relayDuties(
  config: Config,
  parts: { store: Store; events: Events; metrics: Metrics; log: Log },
): Promise<Duties> {
  if (config.lake === null) return { duties: [], close: async () => undefined };
  const { interval } = config.lake;
  const { store, events, metrics, log } = parts;
  // Without its library there is nothing to keep, and whoever set it wants to know at once.
  const lake = await openLakeOf(config);
  let problem: string | null = null;
  const onChange = (now: string | null): void => {
    problem = now;
    metrics.degraded("lake", now !== null);
    if (now === null) log.info("the lake follows the store");
    else log.warn({ problem: now }, "the lake does not follow the store; it will be tried again");
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    const keeper = keepLake({
      ...(await lakeDeps(config, store, events, lake)),
      interval_ms: interval * 1_000,
      onChange,
    });
    if (!signal.aborted) await once(signal, "abort");
    await keeper.stop();
  };
  return { duties: [{ name: "lake", run }], lake: () => problem, close: () => lake.close() };
}

/** What passes through Kafka in this process: events out, and calls in where a topic is named. */
async function startKafka(
  config: Config,
  deps: { store: Store; metrics: Metrics; log: Log },
): Promise<KafkaLink | null> {
  if (config.kafka === null) return null;
  const { servers, eventsTopic, importTopic, deadTopic } = config.kafka;
  // Its client takes a while to load: only who uses it waits for that.
  const { openTopicOut } = await import("./adapters/kafka/topic-out.ts");
  const { openTopicIn } = await import("./adapters/kafka/topic-in.ts");
  const log_id = await logName(deps.store);
  return startKafkaLink(
    { ...deps, ...deps.store, now: Date.now, random: Math.random },
    {
      log_id,
      events: { name: eventsTopic, topic: openTopicOut({ servers, topic: eventsTopic, configs: EVENTS_KEPT }) },
      calls:
        importTopic === null || deadTopic === null
          ? null
          : {
              name: importTopic,
              topic: openTopicIn({ servers, topic: importTopic, group: `earshot-${log_id}` }),
              deadLetters: openTopicOut({ servers, topic: deadTopic }),
            },
    },
  );
}

/** The vector index that is served: this process's own, or the database's with one of our own to stand in. */
function openIndex(
  { store, stream, log }: { store: Store; stream: Stream; log: Log },
  onDegraded: (whole: boolean) => void,
): IndexHost {
  const onChange = (whole: boolean) => {
    onDegraded(whole);
    if (whole) log.info("the vector index is whole again");
    else log.warn("the vector index is away: search goes by words until it is loaded again");
  };
  const embedded = (onChange: (whole: boolean) => void) =>
    createIndexHost({
      events: stream,
      rows: store.vectorRows,
      open(space_id) {
        const vectors = openVectors({ rows: store.vectorRows, spaceId: space_id, log });
        const { ended } = vectors;
        return { vectors, ended, fill: (kind) => fill(vectors, store.vectorRows, kind, space_id) };
      },
      onError: (error) => log.error({ error }, "the vector index could not follow the store; it will try again"),
      onChange,
    });
  if (store.points === undefined) return embedded(onChange);
  return createSharedIndex({
    shared: store.points,
    standIn: embedded,
    onError: (error) => log.error({ error }, "the index in the database cannot be used; it will be tried again"),
    onChange,
    onServe: (by) =>
      log.info(by === "database" ? "the database finds similar vectors" : "an index here stands in for the database's"),
  });
}

/** `kafka rebuild`: figures from the topic of events alone, beside those of the store. */
export async function rebuildFromEvents(config: Config): Promise<TopicRebuild> {
  const { kafka, timezone } = config;
  if (kafka === null) throw new AppError("validation", "EARSHOT_KAFKA_BROKERS must say where Kafka is");
  const { openTopicHistory } = await import("./adapters/kafka/history.ts");
  return withStore(config, async (store) => {
    const history = openTopicHistory({ servers: kafka.servers, topic: kafka.eventsTopic });
    try {
      return await rebuildFromTopic({ ...store, history, timezone, log_id: await logName(store) });
    } finally {
      await history.close();
    }
  });
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
  if (config.replica !== null && existsSync(config.storePath) && storeInUse(config.storePath))
    throw new AppError("validation", "The database is open elsewhere: a replica's is for one process");
  // Its primary enriches, and does what is done once.
  const roles = config.replica === null ? options.roles : options.roles.intersection(SERVING_ROLES);
  const log = createLog(config.logLevel);
  let replication: Replication | null = null;
  const replica = config.replica && {
    primary: config.replica.of,
    state: () => replication?.state() ?? NOTHING_YET,
  };
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
  const dispatch = await openDispatch(config, opened, stream, {
    takes: roles.has("worker"),
    onChange: onRedis(
      "dispatch",
      "workers hear of work by Redis",
      "Redis does not tell of work: workers look into the store until it does",
    ),
  });
  const store: Store = { ...opened, ...tellWork(opened, dispatch) };
  const engine = startEngine(config, store, dispatch, log, {
    roles,
    behind: replica?.state ?? null,
    onProgress: options.onProgress ?? ((p) => log.info({ step: p.step }, p.message)),
  });
  const { models, metrics } = engine;
  told = metrics;
  const index = openIndex({ store, stream, log }, (whole) => metrics.degraded("index", !whole));
  const useSpace = async (space_id: string | null) => {
    if (space_id === null || !roles.has("api")) return;
    await index.use(space_id);
    await store.jobs.setBookmark(SPACE_BOOKMARK, space_id);
  };
  const warn = (error: unknown) => log.error({ error }, "the vector index could not be opened");
  models.onChange((state) => void useSpace(state.space_id).catch(warn));

  const follow = ({ of, key }: NonNullable<Config["replica"]>): Promise<Replication> =>
    followPrimary({
      primary: openPrimary({ url: of, key }),
      mirror: store.mirror,
      now: Date.now,
      // What was loaded has no events to follow.
      onLoaded: () => void index.refill().catch(warn),
      onSpace: (space_id) => void useSpace(models.describe().space_id ?? space_id).catch(warn),
      onChange(problem) {
        if (problem === null) log.info({ primary: of }, "the calls of the primary come");
        else log.warn({ problem }, "the calls of the primary do not come: what is here grows old until they do");
      },
    });
  const { timezone, retentionDays } = config;
  const upkeep = startUpkeep(
    { ...store, metrics, log, now: Date.now, timezone, retentionDays },
    { nightly: roles.has("relay") },
  );
  const duties = roles.has("relay") ? await relayDuties(config, { store, events: stream, metrics, log }) : null;
  const relay = startRelay(
    {
      jobs: store.jobs,
      holder: randomUUID(),
      log,
      onChange: (failing) => metrics.degraded("relay", failing),
    },
    duties?.duties ?? [],
  );
  const lakeProblem = duties?.lake;
  const cache = await openCache(
    config,
    store,
    onRedis(
      "cache",
      "figures are shared by Redis",
      "Redis does not keep the figures: each process keeps its own until it does",
    ),
  );
  // The others have an address for health and metrics where one is wanted.
  const listens = roles.has("api") || roles.has("realtime") || config.portChosen;
  const kafka = roles.has("relay") ? await startKafka(config, { store, metrics, log }) : null;
  let draining = false;
  let server: { app: App; drain: Drain } | null = null;
  const close = async (): Promise<string[]> => {
    draining = true;
    server?.drain.begin();
    // Who balances the load learns of it by asking for readiness, and sends requests until then.
    if (server !== null) await delay(config.drainDelay * 1_000);
    const requests = async (): Promise<void> => {
      const cut = await server?.drain.close();
      if (cut) log.warn({ requests: cut }, "requests that did not come to their end were cut off");
    };
    const parts: Stage[][] = [
      [
        { name: "requests", patience_ms: 4_500, close: requests },
        { name: "work", patience_ms: 4_500, close: () => engine.stopWork() },
        { name: "replication", patience_ms: 4_500, close: async () => replication?.stop() },
        { name: "upkeep", patience_ms: 4_500, close: () => upkeep.stop() },
        { name: "relay", patience_ms: 4_500, close: () => relay.stop().then(() => duties?.close()) },
        { name: "kafka", patience_ms: 4_500, close: async () => kafka?.stop() },
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
      roles,
      store: replica === null ? store : withoutWrites(store, replica.primary),
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
      ...(replica && { replica }),
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
        dispatch: () => dispatch.problem() === null,
        cache: () => cache.problem() === null,
        ...(lakeProblem && { lake: () => lakeProblem() === null }),
        ...(kafka && { kafka: () => kafka.state() }),
      },
    });
    server = { app, drain: createDrain(app, underWay) };
    if (config.replica) replication = await follow(config.replica);
    else await refuseCopies(store);
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

/** A process of the product. Plain construction, closed in reverse. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { dirname, join } from "node:path";
import { memoryRateLimit } from "../adapters/limits/memory.ts";
import type { OpenedModels } from "../adapters/models/open-models.ts";
import type { PullProgress } from "../adapters/models/pull-model.ts";
import { openPrimary } from "../adapters/primary/primary.ts";
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import { SERVING_ROLES } from "../core/process-roles.ts";
import type { ProcessRoles } from "../core/process-roles.ts";
import { AppError } from "../errors.ts";
import type { App } from "../http/deps.ts";
import { createDrain } from "../http/drain.ts";
import type { Drain } from "../http/drain.ts";
import { metricsHook } from "../http/metrics.ts";
import { buildServer } from "../http/server.ts";
import { createUnderWay } from "../http/under-way.ts";
import { createLog } from "../observe/logger.ts";
import type { Log } from "../observe/logger.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Dispatch } from "../ports/dispatch.ts";
import { readOrMakeSecret } from "../secrets.ts";
import { createBackups } from "../services/backups.ts";
import type { IndexHost } from "../services/index-host.ts";
import { SPACE_BOOKMARK } from "../services/originals.ts";
import { refuseCopies, withoutWrites } from "../services/read-only.ts";
import { startRelay } from "../services/relay.ts";
import { NOTHING_YET, followPrimary } from "../services/replicate.ts";
import type { ReplicaState, Replication } from "../services/replicate.ts";
import { closeInOrder } from "../services/shutdown.ts";
import type { Stage } from "../services/shutdown.ts";
import { tellWork } from "../services/tell-work.ts";
import { startUpkeep } from "../services/upkeep.ts";
import { startLoop } from "../worker/loop.ts";
import { openCache, openDispatch, openStream } from "./between.ts";
import { startKafka } from "./kafka.ts";
import { openLakeOf } from "./lake.ts";
import { startModels } from "./models.ts";
import { relayDuties } from "./relay.ts";
import { backupDeps, openStore, storeInUse } from "./store.ts";
import { openIndex } from "./vectors.ts";
import { VERSION } from "./version.ts";

export { openapiDocument } from "../http/server.ts";

/** Where the dashboard is built to (commands/build-web.ts). */
const PAGE = join(import.meta.dirname, "../../web/dist");

/** Two batches in flight keep the model threads busy while a third is saved. */
const LANES = 3;

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
  options: { roles: ProcessRoles; onProgress: (p: PullProgress) => void; behind: (() => ReplicaState) | null },
): Engine {
  const { roles } = options;
  const metrics = createMetrics(store.work, {
    dispatch: config.dispatchUrl === null ? undefined : dispatch,
    behind: options.behind,
  });
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
  // First: where its library is missing, nothing that runs keeps the process from ending with the message.
  const lake = config.lake !== null && roles.has("relay") ? await openLakeOf(config) : null;
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
  // What went wrong before there were metrics is in them as well.
  metrics.degraded("stream", stream.problem() !== null);
  metrics.degraded("dispatch", dispatch.problem() !== null);
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
  const { duties, lake: lakeProblem } = relayDuties(config, { store, stream, lake, metrics, log });
  const relay = startRelay(
    {
      jobs: store.jobs,
      holder: randomUUID(),
      log,
      onChange: (failing) => metrics.degraded("relay", failing),
    },
    duties,
  );
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
    if (server?.app.server.listening === true) await delay(config.drainDelay * 1_000);
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
        { name: "relay", patience_ms: 4_500, close: () => relay.stop().then(() => lake?.close()) },
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
        writable: async () => store.writable?.() ?? true,
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

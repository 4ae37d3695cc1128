import Fastify, { LogController } from "fastify";
import type { ConnectionError } from "fastify";
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { pino } from "pino";
import { ALL_PROCESS_ROLES } from "../core/process-roles.ts";
import { AppError } from "../errors.ts";
import { createAccess } from "../services/access.ts";
import { createRecalculation } from "../services/analytics.ts";
import type { Recalculation } from "../services/analytics.ts";
import { createFigures } from "../services/figures.ts";
import { createLastGood } from "../services/last-good.ts";
import { createLiveScoring, LIVE_CALL_SETTINGS } from "../services/live-scoring.ts";
import type { LiveScoring } from "../services/live-scoring.ts";
import { createOnce } from "../services/once.ts";
import { createStreams } from "../services/streams.ts";
import type { Streams } from "../services/streams.ts";
import { PUBLIC, useAccess } from "./auth.ts";
import { SMALL_BODY_BYTES, useJsonBodies } from "./body.ts";
import type { App, HttpDeps, RouteContext } from "./deps.ts";
import { docsRoutes } from "./docs.ts";
import { useEtags } from "./etag.ts";
import { useLastGood } from "./last-good.ts";
import type { LastGoodHooks } from "./last-good.ts";
import { useHeaders } from "./headers.ts";
import { useIdempotency } from "./idempotency.ts";
import { useOpenapi } from "./openapi.ts";
import { pageRoutes } from "./page.ts";
import { createProducers } from "./live-socket.ts";
import { presentEvent } from "./present.ts";
import { usePositions } from "./position.ts";
import { sendProblem } from "./problem.ts";
import { useProcessRoles } from "./process-roles.ts";
import { useReplica } from "./replica.ts";
import { analyticsRoutes } from "./routes/analytics.ts";
import { authRoutes } from "./routes/auth.ts";
import { backupRoutes } from "./routes/backups.ts";
import { callRoutes } from "./routes/calls.ts";
import { healthRoutes } from "./routes/health.ts";
import { importRoutes } from "./routes/import.ts";
import { liveRoutes } from "./routes/live.ts";
import { readRoutes } from "./routes/reads.ts";
import { replicationRoutes } from "./routes/replication.ts";
import { streamRoutes } from "./routes/streams.ts";
import { useSharedCache } from "./shared-cache.ts";
import { SHED_LIMITS, sheddingServer } from "./shed.ts";
import { useSockets } from "./sockets.ts";
import { createUnderWay } from "./under-way.ts";
import { useValidation } from "./validate.ts";

/** The whole surface over ports, ready to `inject` or `listen`; `close()` drains requests and sockets. */
export async function buildServer(deps: HttpDeps): Promise<App> {
  const access = createAccess({ accounts: deps.store.accounts, config: deps.config, now: deps.now });
  const onError = (error: unknown): void => deps.log.error({ error }, "background work of the HTTP surface failed");
  const recalculation =
    deps.recalculation ??
    createRecalculation({ rollups: deps.store.rollups, jobs: deps.store.jobs, now: deps.now, onError });
  const stream = deps.stream ?? deps.store.events;
  const lastGood = createLastGood({ events: stream, now: deps.now });
  const figures = createFigures({ ...deps.store, cache: deps.cache });
  const settings = { ...LIVE_CALL_SETTINGS, ...deps.config.liveCalls };
  const realtime = (deps.roles ?? ALL_PROCESS_ROLES).has("realtime");
  const streams = realtime
    ? createStreams({
        ...deps.store,
        alpha: settings.alpha,
        events: stream,
        access,
        present: presentEvent,
        now: deps.now,
        onError,
        ...(deps.config.streams && { limits: deps.config.streams }),
      })
    : null;
  const scoring = realtime
    ? createLiveScoring({ live: deps.store.live, models: deps.models, now: deps.now, settings, onError })
    : NO_SCORING;
  const context = { ...deps, access, once: createOnce(deps.store), figures, lastGood, live: { scoring, settings } };
  const app = await surface(context, recalculation, streams);
  app.addHook("onClose", async () => {
    await scoring.stop();
    figures.stop();
    lastGood.stop();
  });
  // Where nobody listens for it, an upgrade is a request like others, and answered as one.
  if (streams !== null) {
    const producers = createProducers(context);
    const sockets = { streams, access, limits: deps.limits, origins: deps.config.corsOrigins };
    // Loaded only where it is used.
    const gateway = deps.config.socketIo ? (await import("./socket-io.ts")).socketIo(app, sockets) : null;
    useSockets(app, { ...sockets, producers, gateway });
  }
  await app.ready();
  return app;
}

/** Of a process that has no calls that go on. */
const NO_SCORING: LiveScoring = { arrived: () => {}, look: async () => {}, stop: async () => {} };

async function surface(context: RouteContext, recalculation: Recalculation, streams: Streams | null): Promise<App> {
  const trusted = context.config.trustProxy ?? [];
  const app: App = Fastify({
    loggerInstance: context.log,
    // One line a request is what metrics and traces are for.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: SMALL_BODY_BYTES,
    trustProxy: trusted.length > 0 && [...trusted],
    // A shutdown lets what was sent on open connections finish.
    return503OnClosing: false,
    // Uploads may be long, but not endless.
    requestTimeout: 3_600_000,
    routerOptions: { maxParamLength: 2_048, ignoreTrailingSlash: true },
    genReqId: (request) => {
      const given = request.headers["x-request-id"];
      return typeof given === "string" && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
    },
    serverFactory: sheddingServer({
      ...context,
      limits: { ...SHED_LIMITS, ...context.config.shed },
      underWay: context.underWay ?? createUnderWay(),
    }),
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
  }).withTypeProvider();
  useHeaders(app, context.config.corsOrigins);
  const roles = context.roles ?? ALL_PROCESS_ROLES;
  const servedBy = useProcessRoles(app, roles);
  if (context.store.positions) usePositions(app, context.store.positions);
  useAccess(app, context);
  if (context.replica) useReplica(app, context.replica);
  useIdempotency(app);
  useJsonBodies(app);
  const { onGood, standIn } = useLastGood(app, context);
  useEtags(app, onGood);
  useSharedCache(app, context.config.sharedCacheSeconds ?? 0);
  useValidation(app);
  useErrors(app, standIn, context);
  await useOpenapi(app, context.config.version);
  context.metricsHook?.(app);
  healthRoutes(app, context);
  // In this order the document lists them.
  servedBy("api", () => {
    authRoutes(app, context);
    callRoutes(app, context);
  });
  servedBy("realtime", () => liveRoutes(app, context));
  servedBy("api", () => {
    importRoutes(app, context);
    readRoutes(app, context);
    analyticsRoutes(app, context, recalculation);
    backupRoutes(app, context);
    replicationRoutes(app, context);
  });
  servedBy("realtime", () => {
    streamRoutes(app, { streams });
    if (roles.has("realtime")) return;
    // Upgrades to these come here where nobody listens for them.
    for (const url of ["/ws/live", "/socket.io"])
      app.get(url, { config: { access: PUBLIC }, schema: { hide: true } }, () => {});
  });
  servedBy("api", () => {
    docsRoutes(app);
    pageRoutes(app, roles.has("api") ? (context.config.pageFolder ?? null) : null);
  });
  return app;
}

/** The OpenAPI document alone: no route is called, so nothing behind them is needed. */
export async function openapiDocument(version: string): Promise<object> {
  const config = { version, timezone: "UTC", corsOrigins: [], jwtSecrets: [], adminKey: null };
  const context = { config, log: pino({ level: "silent" }) } as Partial<RouteContext> as RouteContext;
  const app = await surface({ ...context, store: {} as RouteContext["store"] }, {} as Recalculation, null);
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

/** What is no HTTP has no request to answer: the same kind of problem goes straight to the socket. */
function refuseUnreadable(error: ConnectionError, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const large = error.code === "HPE_HEADER_OVERFLOW";
  const status = late ? 408 : large ? 431 : 400;
  const detail = late ? "The request took too long" : large ? "The headers are too large" : "This is no HTTP request";
  const title = STATUS_CODES[status];
  const body = JSON.stringify({ type: "about:blank", title, status, detail, code: "malformed" });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function useErrors(app: App, standIn: LastGoodHooks["standIn"], { metrics }: Pick<HttpDeps, "metrics">): void {
  const methods: { method: string; path: RegExp }[] = [];
  app.addHook("onRoute", (route) => {
    const path = new RegExp(
      `^${route.url.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, "[^/]+")}/?$`,
    );
    for (const method of [route.method].flat()) methods.push({ method, path });
  });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AppError && error.quota !== undefined) metrics.rateLimited(error.quota.name);
    if (!standIn(error, request, reply)) sendProblem(error, request, reply);
  });
  app.setNotFoundHandler({}, (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const there = methods.filter((m) => m.path.test(path)).map((m) => m.method);
    const allow = [...new Set([...there, "OPTIONS"])].toSorted();
    if (there.length === 0)
      return sendProblem(new AppError("not_found", "There is nothing at this address"), request, reply);
    void reply.header("allow", allow.join(", "));
    if (request.method === "OPTIONS") return reply.code(204).send();
    return sendProblem(
      new AppError("method_not_allowed", `This address takes ${allow.join(", ")}, not ${request.method}`),
      request,
      reply,
    );
  });
}

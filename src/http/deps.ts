/** What the HTTP surface needs; app/start.ts fills it, routes take it. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { ProcessRoles } from "../core/process-roles.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Cache } from "../ports/cache.ts";
import type { CallReads, Calls } from "../ports/calls.ts";
import type { Events } from "../ports/events.ts";
import type { Idempotency } from "../ports/idempotency.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { Models } from "../ports/models.ts";
import type { Positions } from "../ports/positions.ts";
import type { Originals } from "../ports/replication.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { ServedVectors } from "../ports/vectors.ts";
import type { Work } from "../ports/work.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Access, AccessConfig } from "../services/access.ts";
import type { Recalculation } from "../services/analytics.ts";
import type { Figures } from "../services/figures.ts";
import type { ShedLimits } from "./shed.ts";
import type { Replica } from "./replica.ts";
import type { UnderWay } from "./under-way.ts";
import type { RateLimits } from "./limits.ts";
import type { LastGood } from "../services/last-good.ts";
import type { Backups } from "../services/backups.ts";
import type { Vitals } from "../services/readiness.ts";
import type { LiveCallSettings, LiveScoring } from "../services/live-scoring.ts";
import type { Once } from "../services/once.ts";
import type { StreamLimits } from "../services/streams.ts";

interface HttpStore {
  readonly calls: Calls;
  readonly reads: CallReads;
  readonly rollups: Rollups;
  readonly events: Events;
  readonly work: Work;
  readonly accounts: Accounts;
  readonly jobs: Jobs;
  readonly idempotency: Idempotency;
  readonly live: LiveCalls;
  readonly originals: Originals;
  /** Absent: nothing lags behind. */
  readonly positions?: Positions;
}

export interface HttpConfig extends AccessConfig {
  readonly version: string;
  /** The day of daily rollups, an IANA name. */
  readonly timezone: string;
  /** Origins (scheme://host:port) beside our own whose pages may call and open sockets; usually empty. */
  readonly corsOrigins: readonly string[];
  /** Ranks are given only to agents with at least this many enriched calls (5). */
  readonly rankMinimum?: number;
  /** Addresses and networks of proxies whose X-Forwarded-* headers are believed; nobody's where it is not given. */
  readonly trustProxy?: readonly string[];
  /** How long caches that many share may keep figures; 0 or absent: not at all. */
  readonly sharedCacheSeconds?: number;
  /** The dashboard's built files; absent: there is no page. */
  readonly pageFolder?: string;
  /** Other limits of load shedding (tests). */
  readonly shed?: Partial<ShedLimits>;
  /** Takes Socket.IO clients as well. */
  readonly socketIo?: boolean;
  /** Other times for calls that go on. */
  readonly liveCalls?: Partial<LiveCallSettings>;
  /** Smaller limits and shorter intervals for streams (tests). */
  readonly streams?: Partial<StreamLimits>;
}

/** What the HTTP surface counts beside requests. */
export type HttpMetrics = Pick<Metrics, "stoodIn" | "degraded" | "shed" | "rateLimited">;

export interface HttpDeps {
  /** What this process serves; absent: everything. */
  readonly roles?: ProcessRoles;
  readonly store: HttpStore;
  /** What sockets follow; absent: the log of the store. */
  readonly stream?: Events;
  readonly models: Models;
  readonly vectors: ServedVectors;
  readonly cache: Cache;
  readonly config: HttpConfig;
  readonly log: FastifyBaseLogger;
  /** Epoch ms. */
  readonly now: () => number;
  readonly metrics: HttpMetrics;
  readonly limits: RateLimits;
  /** How long the oldest write has waited for the disk, ms. */
  readonly oldestWrite: () => number;
  /** Shared with whoever ends the surface; one is made where it is not given. */
  readonly underWay?: UnderWay;
  /** Registers metrics and tracing hooks and `/metrics` before the routes. */
  readonly metricsHook?: (app: App) => void;
  /** Shared with whoever recalculates nightly; one is made where it is not given. */
  readonly recalculation?: Recalculation;
  /** Absent: this server makes none. */
  readonly backups?: Backups;
  /** What readiness looks at beside store, models and index. */
  readonly vitals?: Vitals;
  /** Absent: this server is no copy of another one. */
  readonly replica?: Replica;
  /** True from the first shutdown signal on: /health/ready answers 503. */
  readonly draining?: () => boolean;
}

/** The Fastify instance with TypeBox types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What a route file gets: `export function xRoutes(app: App, context: RouteContext): void`. */
export interface RouteContext extends HttpDeps {
  readonly access: Access;
  readonly once: Once;
  readonly figures: Figures;
  readonly lastGood: LastGood;
  readonly live: { readonly scoring: LiveScoring; readonly settings: LiveCallSettings };
}

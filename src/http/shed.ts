/**
 * Load shedding: what cannot be answered in time is refused before it costs anything, so that the rest can be. Decided by
 * how late the event loop is, by how many requests are under way, and for writes by how long the oldest one waits.
 */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import type { FastifyServerOptions } from "fastify";
import { ERRORS } from "../errors.ts";
import type { HttpMetrics } from "./deps.ts";
import { SECURITY } from "./headers.ts";
import { watchLoop } from "./loop-watch.ts";
import { pathOf } from "./problem.ts";

export interface ShedLimits {
  /** What one turn of the event loop may take, ms, before what it reaches late is refused. */
  readonly turn_ms: number;
  /** Requests that a turn takes in whatever it takes. */
  readonly turn_requests: number;
  /** How long turns must have been longer than that, ms. */
  readonly patience_ms: number;
  /** For how long after an overload the next one is met without that patience, ms. */
  readonly memory_ms: number;
  /** Requests under way at a time. */
  readonly in_flight: number;
  /** How long the oldest write may have waited for the disk, ms. */
  readonly write_wait_ms: number;
}

export const SHED_LIMITS: ShedLimits = {
  turn_ms: 12,
  turn_requests: 32,
  patience_ms: 100,
  memory_ms: 2_000,
  in_flight: 5_000,
  write_wait_ms: 2_000,
};

const REASONS = {
  loop: "it has been late for a while",
  "in-flight": "too many requests are under way",
  writes: "writes wait too long for the disk",
} as const;
type Reason = keyof typeof REASONS;

export interface ShedDeps {
  readonly limits: ShedLimits;
  /** How long the oldest write has waited, ms; 0 if none waits. */
  readonly oldestWrite: () => number;
  readonly metrics: Pick<HttpMetrics, "shed">;
}

type ServerOptions = Pick<FastifyServerOptions, "keepAliveTimeout" | "requestTimeout" | "connectionTimeout">;

/** Health, metrics and signing in: needed most when there is too much of everything else. */
const ALWAYS = /^\/(?:health|auth\/|metrics)/;
/** Last as long as their clients like; how many there are is limited elsewhere. */
const STREAMS = /^\/api\/v1\/stream\//;
const READS = new Set(["GET", "HEAD", "OPTIONS"]);
/** Of a refused request no more than this is read, so that its connection can go on. */
const READ_ON_BYTES = 65_536;

// A refusal must cost next to nothing: what is the same in all of them is made once.
const HEAD = JSON.stringify({
  type: "/docs#error-overloaded",
  title: ERRORS.overloaded.title,
  status: ERRORS.overloaded.status,
  code: "overloaded",
}).slice(0, -1);
const FIXED: readonly string[] = Object.entries({
  ...SECURITY,
  "content-type": "application/problem+json",
  "cache-control": "no-store",
}).flat();

/** The server's factory for Fastify: requests are looked at before Fastify hears of them. */
export function sheddingServer(deps: ShedDeps): (handle: RequestListener, options: ServerOptions) => Server {
  const { limits, oldestWrite, metrics } = deps;
  const watch = watchLoop({ ...limits, budget_ms: limits.turn_ms, least: limits.turn_requests });
  let inFlight = 0;
  let refusals = 0;
  const ended = (): void => {
    inFlight--;
  };

  function reasonFor(request: IncomingMessage): Reason | null {
    const late = watch.late();
    if (ALWAYS.test(request.url ?? "")) return null;
    if (late) return "loop";
    if (inFlight >= limits.in_flight) return "in-flight";
    if (!READS.has(request.method ?? "GET") && oldestWrite() > limits.write_wait_ms) return "writes";
    return null;
  }

  function refuse(request: IncomingMessage, response: ServerResponse, reason: Reason): void {
    metrics.shed(reason);
    const id = randomUUID();
    // One to three seconds, in turn: not all come back at once.
    const wait = 1 + (refusals++ % 3);
    const detail = `The server refused this request unread: ${REASONS[reason]}; try again in ${wait} s`;
    const body = `${HEAD},"detail":"${detail}","instance":${JSON.stringify(pathOf(request.url ?? "/"))},"request_id":"${id}"}`;
    const headers = [...FIXED, "x-request-id", id, "retry-after", String(wait)];
    headers.push("content-length", String(Buffer.byteLength(body)));
    const rest = Number(request.headers["content-length"] ?? 0);
    if (rest > READ_ON_BYTES || request.headers["transfer-encoding"] !== undefined) headers.push("connection", "close");
    response.writeHead(ERRORS.overloaded.status, headers);
    response.end(body);
  }

  return (handle, options) => {
    const server = createServer((request, response) => {
      const reason = reasonFor(request);
      if (reason !== null) {
        refuse(request, response, reason);
        return;
      }
      if (!STREAMS.test(request.url ?? "")) {
        inFlight++;
        response.on("close", ended);
      }
      handle(request, response);
    });
    server.keepAliveTimeout = options.keepAliveTimeout ?? server.keepAliveTimeout;
    server.requestTimeout = options.requestTimeout ?? server.requestTimeout;
    server.setTimeout(options.connectionTimeout ?? 0);
    server.on("close", () => watch.stop());
    return server;
  };
}

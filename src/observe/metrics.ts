import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Dispatch } from "../ports/dispatch.ts";
import type { ModelState } from "../ports/models.ts";
import type { Work } from "../ports/work.ts";

/** closed: goes through; open: refused at once; half-open: one is let through to see. */
type BreakerState = "closed" | "half-open" | "open";
const BREAKER_STATES = ["closed", "half-open", "open"] as const satisfies readonly BreakerState[];

const PARTS = ["models", "store", "index", "stream", "dispatch", "cache"] as const;
type Part = (typeof PARTS)[number];

/** What Prometheus scrapes. Labels are routes, methods and classes: never ids. */
export interface Metrics {
  /** The text form of all metrics, after reading the gauges that are asked for. */
  scrape(): Promise<string>;
  request(route: string, method: string, status: number, seconds: number): void;
  enriched(method: string, calls: number, seconds: number): void;
  enrichmentFailed(outcome: "retry" | "dead"): void;
  modelChanged(state: ModelState): void;
  /** A part is degraded, or whole again. */
  degraded(part: Part, is: boolean): void;
  /** An answer of a moment ago stood in for one that needs the store. */
  stoodIn(route: string): void;
  /** A request was refused because there was too much to do. */
  shed(reason: string): void;
  /** A request was refused because an account or address had met its limit. */
  rateLimited(limit: string): void;
  breakerChanged(name: string, state: BreakerState): void;
  /** Periods whose served sums differed from the calls at the last rebuild. */
  rebuilt(drifted: number): void;
}

/** `dispatch`: where there is more than the work itself to count. */
export function createMetrics(work: Pick<Work, "depth">, dispatch?: Pick<Dispatch, "depth">): Metrics {
  const registers = [new Registry()];
  const registry = registers[0] as Registry;
  collectDefaultMetrics({ register: registry, prefix: "earshot_" });
  const requests = new Histogram({
    name: "earshot_http_request_duration_seconds",
    help: "Time from the request's head to the answer's end",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const enrichedCalls = new Counter({
    name: "earshot_enriched_calls_total",
    help: "Enrichments saved",
    labelNames: ["method"],
    registers,
  });
  const enrichment = new Histogram({
    name: "earshot_enrichment_batch_duration_seconds",
    help: "Time of one batch from lease to saved",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const failures = new Counter({
    name: "earshot_enrichment_failures_total",
    help: "Enrichments that threw",
    labelNames: ["outcome"],
    registers,
  });
  const depth = new Gauge({
    name: "earshot_work_items",
    help: "Work by state",
    labelNames: ["state"],
    registers,
  });
  const oldest = new Gauge({
    name: "earshot_work_oldest_seconds",
    help: "Age of the oldest item that waits",
    registers,
  });
  const notices = dispatch && {
    dispatch,
    gauge: new Gauge({
      name: "earshot_dispatch_notices",
      help: "Calls that workers were told of and have not taken yet",
      registers,
    }),
  };
  const degraded = new Gauge({
    name: "earshot_degraded",
    help: "1 while a part is degraded",
    labelNames: ["part"],
    registers,
  });
  for (const part of PARTS) degraded.set({ part }, 0);
  const stoodIn = new Counter({
    name: "earshot_stand_in_answers_total",
    help: "Last good answers given while the store could not be read",
    labelNames: ["route"],
    registers,
  });
  const shed = new Counter({
    name: "earshot_shed_requests_total",
    help: "Requests refused because there was too much to do",
    labelNames: ["reason"],
    registers,
  });
  const rateLimited = new Counter({
    name: "earshot_rate_limited_requests_total",
    help: "Requests refused because an account or address had met its limit",
    labelNames: ["limit"],
    registers,
  });
  const breakers = new Gauge({
    name: "earshot_breaker_open",
    help: "0 closed, 0.5 trying again, 1 open",
    labelNames: ["breaker"],
    registers,
  });
  const drift = new Gauge({
    name: "earshot_rollup_drift",
    help: "Periods whose served sums differed from the calls at the last rebuild; must be 0",
    registers,
  });
  return {
    async scrape() {
      // Without the store these two are left out; everything else matters all the more.
      const now = await work.depth().catch(() => null);
      for (const state of ["ready", "running", "dead"] as const) {
        if (now === null) depth.remove({ state });
        else depth.set({ state }, now[state]);
      }
      if (now === null) oldest.remove();
      else oldest.set(now.oldest_ms / 1000);
      await notices?.dispatch.depth().then(
        (depth) => notices.gauge.set(depth),
        () => notices.gauge.remove(),
      );
      return registry.metrics();
    },
    request: (route, method, status, seconds) => requests.observe({ route, method, status: String(status) }, seconds),
    enriched(method, calls, seconds) {
      enrichedCalls.inc({ method }, calls);
      enrichment.observe(seconds);
    },
    enrichmentFailed: (outcome) => failures.inc({ outcome }),
    modelChanged: (state) => degraded.set({ part: "models" }, state.method === "model" ? 0 : 1),
    degraded: (part, is) => degraded.set({ part }, is ? 1 : 0),
    stoodIn: (route) => stoodIn.inc({ route }),
    shed: (reason) => shed.inc({ reason }),
    rateLimited: (limit) => rateLimited.inc({ limit }),
    breakerChanged: (breaker, state) => breakers.set({ breaker }, BREAKER_STATES.indexOf(state) / 2),
    rebuilt: (drifted) => drift.set(drifted),
  };
}

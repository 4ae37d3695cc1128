import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ModelState, Work } from "../ports.ts";

/** What Prometheus scrapes. Labels are routes, methods and classes: never ids. */
export interface Metrics {
  /** The text form of all metrics, after reading the gauges that are asked for. */
  scrape(): Promise<string>;
  request(route: string, method: string, status: number, seconds: number): void;
  enriched(method: string, calls: number, seconds: number): void;
  enrichmentFailed(outcome: "retry" | "dead"): void;
  modelChanged(state: ModelState): void;
  /** Periods whose served sums differed from the calls at the last rebuild. */
  rebuilt(drifted: number): void;
}

export function createMetrics(work: Pick<Work, "depth">): Metrics {
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
  const degraded = new Gauge({
    name: "earshot_degraded",
    help: "1 while a part is degraded",
    labelNames: ["part"],
    registers,
  });
  const drift = new Gauge({
    name: "earshot_rollup_drift",
    help: "Periods whose served sums differed from the calls at the last rebuild; must be 0",
    registers,
  });
  return {
    async scrape() {
      const now = await work.depth();
      depth.set({ state: "ready" }, now.ready);
      depth.set({ state: "running" }, now.running);
      depth.set({ state: "dead" }, now.dead);
      oldest.set(now.oldest_ms / 1000);
      return registry.metrics();
    },
    request: (route, method, status, seconds) => requests.observe({ route, method, status: String(status) }, seconds),
    enriched(method, calls, seconds) {
      enrichedCalls.inc({ method }, calls);
      enrichment.observe(seconds);
    },
    enrichmentFailed: (outcome) => failures.inc({ outcome }),
    modelChanged: (state) => degraded.set({ part: "models" }, state.method === "model" ? 0 : 1),
    rebuilt: (drifted) => drift.set(drifted),
  };
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Dispatch } from "../ports/dispatch.ts";
import type { ModelState } from "../ports/models.ts";
import type { Work } from "../ports/work.ts";

/** closed: goes through; open: refused at once; half-open: one is let through to see. */
type BreakerState = "closed" | "half-open" | "open";
const BREAKER_STATES = ["closed", "half-open", "open"] as const satisfies readonly BreakerState[];

const PARTS = ["models", "store", "index", "stream", "dispatch", "cache", "relay", "lake", "kafka"] as const;
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
  /** Events that a topic has for good. */
  eventsSent(events: number): void;
  /** What became of messages of a topic of calls, and seconds of checking and storing them. */
  messagesTaken(results: readonly string[], seconds: { check: number; store: number }): void;
  /** Events that a topic does not have yet, and messages of a topic that are not stored; null: not known now. */
  kafkaBehind(behind: { events: number | null; messages: number | null }): void;
}

/** How far a copy is behind its primary. */
interface Behind {
  /** null: not known yet. */
  readonly lag_ms: number | null;
  readonly seq: number;
  readonly behind: number;
  readonly late: boolean;
}

/** `dispatch`: where there is more than the work itself to count; `behind`: of a copy. */
export function createMetrics(
  work: Pick<Work, "depth">,
  { dispatch, behind = null }: { dispatch?: Pick<Dispatch, "depth"> | undefined; behind?: (() => Behind) | null } = {},
): Metrics {
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
  const tellBehind =
    behind && replicaGauges(registers, behind, (late) => degraded.set({ part: "replication" }, late ? 1 : 0));
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
  const sent = new Counter({ name: "earshot_kafka_events_sent_total", help: "Events a topic has for good", registers });
  const taken = new Counter({
    name: "earshot_kafka_messages_total",
    help: "Messages of the import topic by what became of them",
    labelNames: ["result"],
    registers,
  });
  const taking = new Counter({
    name: "earshot_kafka_import_seconds_total",
    help: "Time spent checking messages and storing calls",
    labelNames: ["step"],
    registers,
  });
  const waiting = new Gauge({
    name: "earshot_kafka_behind",
    help: "Events a topic does not have yet, and messages that are not stored",
    labelNames: ["of"],
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
      tellBehind?.();
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
    eventsSent: (events) => sent.inc(events),
    messagesTaken(results, seconds) {
      for (const [result, some] of Map.groupBy(results, (name) => name)) taken.inc({ result }, some.length);
      for (const step of ["check", "store"] as const) taking.inc({ step }, seconds[step]);
    },
    kafkaBehind(now) {
      for (const what of ["events", "messages"] as const) {
        const n = now[what];
        if (n === null) waiting.remove({ of: what });
        else waiting.set({ of: what }, n);
      }
    },
  };
}

function replicaGauges(registers: Registry[], behind: () => Behind, onLate: (late: boolean) => void): () => void {
  const gauge = (name: string, help: string) => new Gauge({ name: `earshot_replica_${name}`, help, registers });
  const lag = gauge("lag_seconds", "For how long the primary may have had what this copy has not; NaN: not known yet");
  const seq = gauge("seq", "The last event of the primary that is here");
  const events = gauge("events_behind", "Events the primary had more when it was asked last");
  return () => {
    const now = behind();
    lag.set(now.lag_ms === null ? Number.NaN : now.lag_ms / 1000);
    seq.set(now.seq);
    events.set(now.behind);
    onLate(now.late);
  };
}

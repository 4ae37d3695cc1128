/** Takes work as it is told, leases it, enriches it, settles it. The state lives in the store: any number of loops may run anywhere. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Dispatch, Order } from "../ports/dispatch.ts";
import type { Models } from "../ports/models.ts";
import type { Work } from "../ports/work.ts";
import { enrichBatch, reasonOf } from "../services/enrich.ts";
import type { EnrichDeps } from "../services/enrich.ts";
import { BATCH, backoff, makeLeases } from "./leases.ts";
import { INFERENCE_LIMITS, limitInference } from "./time-limit.ts";
import type { InferenceLimits } from "./time-limit.ts";

/** How long stop() waits for what is under way before it gives that back. */
const STOP_MS = 3_000;
/** Whatever is due. */
const LOOK: Pick<Order, "call_nos" | "taken"> = { call_nos: null, taken: () => {} };

export interface LoopDeps extends EnrichDeps {
  readonly work: Work;
  readonly dispatch: Pick<Dispatch, "take">;
  readonly models: Models;
  readonly metrics: Pick<Metrics, "enriched" | "enrichmentFailed">;
  readonly log: Log;
  readonly random: () => number;
}

export interface Loop {
  /** Takes and finishes at most one batch; the number of items taken. Public so that tests can step it. */
  tick(): Promise<number>;
  /** Finishes what is under way, gives back what takes longer than seconds; no lease of this loop is left. */
  stop(): Promise<void>;
}

/** Starts `lanes` concurrent takers. Shorter limits only where a fault is to be shown. */
export function startLoop(
  deps: LoopDeps,
  options: { lanes: number; limits?: InferenceLimits; stop_ms?: number },
): Loop {
  const worker_id = `w-${randomUUID()}`;
  const leases = makeLeases(deps, worker_id);
  const stopping = new AbortController();
  const abandoning = new AbortController();
  const models = limitInference(deps.models, options.limits ?? INFERENCE_LIMITS, abandoning.signal);

  const tick = async (order = LOOK): Promise<number> => {
    const { taken, items } = await leases.take(order.call_nos);
    if (taken === 0) {
      // A model that came back finds here what was made without it.
      const look = order.call_nos === null && deps.models.describe().method === "model";
      const queued = look ? await deps.work.requeueDegraded(100) : 0;
      order.taken(queued);
      return queued;
    }
    order.taken(taken);
    await leases.during(items, async () => {
      const started = performance.now();
      const outcome = await enrichBatch({ ...deps, models }, { items, worker_id });
      await leases.fail(outcome.failed.map((failed) => ({ item: failed.item, reason: reasonOf(failed) })));
      await leases.giveBack(outcome.unfinished);
      if (outcome.method !== null) {
        deps.metrics.enriched(outcome.method, outcome.saved, (performance.now() - started) / 1000);
      }
    });
    return taken;
  };

  const lane = async () => {
    let trouble = 0;
    while (!stopping.signal.aborted) {
      try {
        const order = await deps.dispatch.take(BATCH, stopping.signal);
        if (order === null) break;
        try {
          await tick(order);
        } finally {
          order.done();
        }
        trouble = 0;
      } catch (error) {
        trouble += 1;
        deps.log.error({ error }, "worker could not reach the store; it will try again");
        await delay(backoff(trouble, deps.random), undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const lanes = Array.from({ length: options.lanes }, lane);

  return {
    tick,
    async stop() {
      stopping.abort();
      const grace = setTimeout(() => abandoning.abort(), options.stop_ms ?? STOP_MS);
      await Promise.all(lanes);
      clearTimeout(grace);
    },
  };
}

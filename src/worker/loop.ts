/** Takes leased work, enriches it, settles it. The state lives in the store: any number of loops may run anywhere. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Events, Models, Work, WorkItem } from "../ports.ts";
import { enrichBatch, reasonOf } from "../services/enrich.ts";
import type { EnrichDeps } from "../services/enrich.ts";
import { INFERENCE_LIMITS, limitInference } from "./time-limit.ts";
import type { InferenceLimits } from "./time-limit.ts";

/** Small batches keep memory flat and neighbours quick; two at once keep the model threads busy while one is saved. */
const BATCH = 8;
/** A killed worker's calls wait this long; a living one renews three times in it. */
const LEASE_MS = 15_000;
const MAX_ATTEMPTS = 5;
/** A call that was leased this often and never settled: it may be what ends its workers, whom nobody lets report. */
const MAX_LEASES = 25;
/** How long stop() waits for what is under way before it gives that back. */
const STOP_MS = 3_000;
/** Retries and expired leases have no event of their own, so the loop also looks by itself. */
const IDLE_MS = 500;

export interface LoopDeps extends EnrichDeps {
  readonly work: Work;
  readonly events: Pick<Events, "onChange">;
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

/** Delay before attempt n + 1, in ms: doubles from 250 ms, capped at a minute, jittered by half. */
export function backoff(attempts: number, random: () => number): number {
  return Math.min(60_000, 250 * 2 ** attempts) * (0.5 + random() / 2);
}

/** Starts `lanes` concurrent takers. Shorter limits only where a fault is to be shown. */
export function startLoop(
  deps: LoopDeps,
  options: { lanes: number; limits?: InferenceLimits; stop_ms?: number },
): Loop {
  const worker_id = `w-${randomUUID()}`;
  const stopping = new AbortController();
  const abandoning = new AbortController();
  const models = limitInference(deps.models, options.limits ?? INFERENCE_LIMITS, abandoning.signal);
  let wake = Promise.withResolvers<void>();
  const unsubscribe = [deps.events.onChange(() => wake.resolve()), deps.models.onChange(() => wake.resolve())];

  const settleFailures = async (failed: readonly { item: WorkItem; reason: string }[]) => {
    if (failed.length === 0) return;
    await deps.work.fail(
      failed.map(({ item, reason }) => {
        const dead = item.attempts >= MAX_ATTEMPTS;
        deps.metrics.enrichmentFailed(dead ? "dead" : "retry");
        deps.log.warn({ call_id: item.call_id, attempts: item.attempts, dead, error: reason }, "enrichment failed");
        const retry_at = dead ? null : deps.now() + backoff(item.attempts, deps.random);
        return { work_no: item.work_no, error: reason, retry_at };
      }),
      worker_id,
    );
  };

  const tick = async (): Promise<number> => {
    const taken = await deps.work.take(BATCH, worker_id, LEASE_MS);
    if (taken.length === 0) {
      // A model that came back finds here what was made without it.
      return deps.models.describe().method === "model" ? deps.work.requeueDegraded(100) : 0;
    }
    const items = taken.filter((item) => item.attempts <= MAX_LEASES);
    await settleFailures(
      taken
        .filter((item) => item.attempts > MAX_LEASES)
        .map((item) => ({ item, reason: `taken ${item.attempts - 1} times by workers that ended without a word` })),
    );
    const renewal = setInterval(() => {
      deps.work
        .renew(
          items.map((i) => i.work_no),
          worker_id,
          LEASE_MS,
        )
        .catch((error: unknown) => {
          deps.log.warn({ error }, "leases could not be renewed");
        });
    }, LEASE_MS / 3);
    const started = performance.now();
    try {
      const outcome = await enrichBatch({ ...deps, models }, { items, worker_id });
      await settleFailures(outcome.failed.map((failed) => ({ item: failed.item, reason: reasonOf(failed) })));
      await deps.work.release(
        outcome.unfinished.map((item) => item.work_no),
        worker_id,
      );
      if (outcome.method !== null) {
        deps.metrics.enriched(outcome.method, outcome.saved, (performance.now() - started) / 1000);
      }
      return taken.length;
    } finally {
      clearInterval(renewal);
    }
  };

  const lane = async () => {
    let trouble = 0;
    while (!stopping.signal.aborted) {
      try {
        const changed = wake.promise;
        if ((await tick()) > 0) {
          trouble = 0;
          continue;
        }
        const idle = new AbortController();
        await Promise.race([
          changed,
          delay(IDLE_MS, undefined, { signal: AbortSignal.any([idle.signal, stopping.signal]) }).catch(() => {}),
        ]);
        idle.abort();
        wake = Promise.withResolvers();
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
      for (const off of unsubscribe) off();
      wake.resolve();
      const grace = setTimeout(() => abandoning.abort(), options.stop_ms ?? STOP_MS);
      await Promise.all(lanes);
      clearTimeout(grace);
    },
  };
}

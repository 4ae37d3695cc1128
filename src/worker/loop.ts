/** Takes leased work, enriches it, settles it. The state lives in the store: any number of loops may run anywhere. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Events, Models, Work, WorkItem } from "../ports.ts";
import { enrichBatch } from "../services/enrich.ts";
import type { EnrichDeps } from "../services/enrich.ts";

/** Small batches keep memory flat and neighbours quick; two at once keep the model threads busy while one is saved. */
const BATCH = 8;
/** A killed worker's calls wait this long; a living one renews three times in it. */
const LEASE_MS = 15_000;
const MAX_ATTEMPTS = 5;
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
  /** Finishes what is under way; gives back what does not end in time. Then no lease of this loop is left. */
  stop(): Promise<void>;
}

/** Delay before attempt n + 1, in ms: doubles from 250 ms, capped at a minute, jittered by half. */
export function backoff(attempts: number, random: () => number): number {
  return Math.min(60_000, 250 * 2 ** attempts) * (0.5 + random() / 2);
}

/** Starts `lanes` concurrent takers; what is under way at a stop has `patience_ms` (2,500) to end. */
export function startLoop(deps: LoopDeps, options: { lanes: number; patience_ms?: number }): Loop {
  const worker_id = `w-${randomUUID()}`;
  const stopping = new AbortController();
  const held = new Set<number>();
  let wake = Promise.withResolvers<void>();
  const unsubscribe = [deps.events.onChange(() => wake.resolve()), deps.models.onChange(() => wake.resolve())];

  const settleFailures = async (failed: readonly { item: WorkItem; error: Error }[]) => {
    if (failed.length === 0) return;
    await deps.work.fail(
      failed.map(({ item, error }) => {
        const dead = item.attempts >= MAX_ATTEMPTS;
        deps.metrics.enrichmentFailed(dead ? "dead" : "retry");
        deps.log.warn({ call_id: item.call_id, attempts: item.attempts, dead, error: error.name }, "enrichment failed");
        return {
          work_no: item.work_no,
          error: `${error.name}: ${error.message}`.slice(0, 500),
          retry_at: dead ? null : deps.now() + backoff(item.attempts, deps.random),
        };
      }),
      worker_id,
    );
  };

  const tick = async (): Promise<number> => {
    const items = await deps.work.take(BATCH, worker_id, LEASE_MS);
    if (items.length === 0) {
      // A model that came back finds here what was made without it.
      return deps.models.describe().method === "model" ? deps.work.requeueDegraded(100) : 0;
    }
    const work_nos = items.map((i) => i.work_no);
    for (const work_no of work_nos) held.add(work_no);
    const renewal = setInterval(() => {
      deps.work.renew(work_nos, worker_id, LEASE_MS).catch((error: unknown) => {
        deps.log.warn({ error }, "leases could not be renewed");
      });
    }, LEASE_MS / 3);
    const started = performance.now();
    try {
      const outcome = await enrichBatch(deps, { items, worker_id });
      await settleFailures(outcome.failed);
      if (outcome.method !== null) {
        deps.metrics.enriched(outcome.method, outcome.saved, (performance.now() - started) / 1000);
      }
      return items.length;
    } finally {
      clearInterval(renewal);
      for (const work_no of work_nos) held.delete(work_no);
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
      const ended = new AbortController();
      const late = delay(options.patience_ms ?? 2_500, undefined, { signal: ended.signal }).catch(() => undefined);
      await Promise.race([Promise.all(lanes), late]);
      ended.abort();
      if (held.size === 0) return;
      deps.log.warn({ items: held.size }, "enrichment did not end in time; its work is given back");
      // Should a save still come, it is stale.
      await deps.work.release([...held], worker_id);
    },
  };
}

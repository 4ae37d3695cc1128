/** Nightly upkeep and the recalculation that it shares with whoever asks for one. */
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Calls } from "../ports/calls.ts";
import type { Idempotency } from "../ports/idempotency.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Rollups } from "../ports/rollups.ts";
import { createRecalculation } from "./analytics.ts";
import type { Recalculation } from "./analytics.ts";
import { startNightly } from "./nightly.ts";
import { expireCalls } from "./retention.ts";

export interface UpkeepDeps {
  readonly calls: Pick<Calls, "purge" | "receivedBefore">;
  readonly rollups: Rollups;
  readonly jobs: Jobs;
  readonly idempotency: Pick<Idempotency, "prune">;
  readonly pruneEvents: (before: number) => Promise<number>;
  readonly metrics: Pick<Metrics, "rebuilt">;
  readonly log: Log;
  readonly now: () => number;
  readonly timezone: string;
  /** Calls received longer ago are erased; 0 keeps them for ever. */
  readonly retentionDays: number;
}

export interface Upkeep {
  readonly recalculation: Recalculation;
  /** Begins no night any more; resolves when the erasing that was under way has stopped. */
  stop(): Promise<void>;
}

/** `nightly`: whether this process does the night's work, unless another has taken it upon itself. */
export function startUpkeep(deps: UpkeepDeps, { nightly }: { nightly: boolean }): Upkeep {
  const { log, now, metrics } = deps;
  const recalculation = createRecalculation({
    ...deps,
    onError: (error) => log.error({ error }, "the daily figures were not rebuilt; they are as before"),
    onDone({ job_id, counts, report }) {
      const { days = 0, drifted = 0 } = counts;
      metrics.rebuilt(drifted);
      const facts = { job_id, days, drifted, ...(drifted > 0 && report) };
      log[drifted > 0 ? "error" : "info"](facts, "the daily figures were counted again from the calls");
    },
  });
  const stopping = new AbortController();
  let expiring: Promise<void> | null = null;
  const expire = async (): Promise<void> => {
    if (deps.retentionDays === 0) return;
    const asked = { days: deps.retentionDays, signal: stopping.signal, recurring: true };
    const job = await expireCalls({ ...deps, now }, asked);
    if (job) log.info({ job_id: job.job_id, state: job.state, ...job.counts }, "calls past their time were erased");
  };
  const stopNightly = nightly
    ? startNightly({
        ...deps,
        expire: () => (expiring = expire()),
        recalculate: async () => (await recalculation.start()).done,
        onError: (error) => log.error({ error }, "the nightly work failed; it will run tomorrow"),
      })
    : () => {};
  return {
    recalculation,
    async stop() {
      stopping.abort();
      stopNightly();
      await expiring?.catch(() => undefined);
    },
  };
}

/** What one worker holds of the work: leased under its name, renewed while it is busy, then settled or given back. */
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Work, WorkItem } from "../ports/work.ts";

/** Small batches keep memory flat and neighbours quick; two at once keep the model threads busy while one is saved. */
export const BATCH = 8;
/** A killed worker's calls wait this long; a living one renews three times in it. */
const LEASE_MS = 15_000;
const MAX_ATTEMPTS = 5;
/** A call that was leased this often and never settled: it may be what ends its workers, whom nobody lets report. */
const MAX_LEASES = 25;

export interface LeaseDeps {
  readonly work: Pick<Work, "take" | "renew" | "fail" | "release">;
  readonly metrics: Pick<Metrics, "enrichmentFailed">;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

export interface Leases {
  /** Leases a batch at most, of these calls where they are named. `taken` also counts what is given up at once because it may have ended its workers. */
  take(call_nos?: readonly number[] | null): Promise<{ taken: number; items: readonly WorkItem[] }>;
  /** Renews the leases of `items` until `run` is through. */
  during<T>(items: readonly WorkItem[], run: () => Promise<T>): Promise<T>;
  /** Each becomes ready again after a pause, or dead if this was its last try. */
  fail(failed: readonly { item: WorkItem; reason: string }[]): Promise<void>;
  /** Ready again at once; this was no try. */
  giveBack(items: readonly WorkItem[]): Promise<void>;
}

/** Delay before attempt n + 1, in ms: doubles from 250 ms, capped at a minute, jittered by half. */
export function backoff(attempts: number, random: () => number): number {
  return Math.min(60_000, 250 * 2 ** attempts) * (0.5 + random() / 2);
}

const numbersOf = (items: readonly WorkItem[]) => items.map((item) => item.work_no);

/** Leases of the worker `worker_id`: the store lets nobody else renew or settle them. */
export function makeLeases(deps: LeaseDeps, worker_id: string): Leases {
  const { work, metrics, log, now, random } = deps;

  const fail: Leases["fail"] = (failed) =>
    work.fail(
      failed.map(({ item, reason }) => {
        const dead = item.attempts >= MAX_ATTEMPTS;
        metrics.enrichmentFailed(dead ? "dead" : "retry");
        log.warn({ call_id: item.call_id, attempts: item.attempts, dead, error: reason }, "enrichment failed");
        const retry_at = dead ? null : now() + backoff(item.attempts, random);
        return { work_no: item.work_no, error: reason, retry_at };
      }),
      worker_id,
    );

  return {
    async take(call_nos) {
      const taken = await work.take(BATCH, worker_id, LEASE_MS, call_nos ?? undefined);
      const { items = [], enders = [] } = Object.groupBy(taken, ({ attempts }) =>
        attempts > MAX_LEASES ? "enders" : "items",
      );
      await fail(
        enders.map((item) => ({
          item,
          reason: `taken ${item.attempts - 1} times by workers that ended without a word`,
        })),
      );
      return { taken: taken.length, items };
    },
    async during(items, run) {
      const renewal = setInterval(() => {
        work.renew(numbersOf(items), worker_id, LEASE_MS).catch((error: unknown) => {
          log.warn({ error }, "leases could not be renewed");
        });
      }, LEASE_MS / 3);
      try {
        return await run();
      } finally {
        clearInterval(renewal);
      }
    },
    fail,
    giveBack: (items) => work.release(numbersOf(items), worker_id),
  };
}

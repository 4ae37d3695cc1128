/** Work that takes long, as a job that can be followed while it runs. */
import { randomUUID } from "node:crypto";
import type { Job, Jobs } from "../ports/jobs.ts";

/** A job that begins at `at`, epoch ms; nothing is stored yet. */
export function newJob(kind: Job["kind"], at: number, more: Partial<Pick<Job, "counts" | "report">> = {}): Job {
  return {
    job_id: `job_${randomUUID()}`,
    kind,
    state: "running",
    created_at: at,
    updated_at: at,
    counts: {},
    errors: [],
    detail: null,
    report: null,
    ...more,
  };
}

export interface JobNews {
  /** Says how far the work is, at most once in `interval_ms`; a failure to say so ends nothing. */
  progress(counts: Job["counts"]): void;
  /** The last word, after all that was said before. `change` gets the job as it was told last; the job as it is then. */
  end(change: (job: Job) => Partial<Job>): Promise<Job>;
}

/** What is told of `started`, one after another, so that the last word is the last written. */
export function tellJob(
  deps: { jobs: Pick<Jobs, "put">; now: () => number; onError: (error: unknown) => void },
  started: Job,
  interval_ms: number,
): JobNews {
  const { jobs, now, onError } = deps;
  let job = started;
  let told = performance.now();
  let news = Promise.resolve();
  const put = async (change: Partial<Job>): Promise<void> => {
    job = { ...job, ...change, updated_at: now() };
    await jobs.put(job);
  };
  return {
    progress(counts) {
      if (performance.now() - told < interval_ms) return;
      told = performance.now();
      news = news.then(() => put({ counts })).catch(onError);
    },
    async end(change) {
      await news;
      await put(change(job));
      return job;
    },
  };
}

/** Retention: calls received longer ago than the settings allow are erased, as a job that can be followed. */
import type { Calls } from "../ports/calls.ts";
import type { Job, Jobs } from "../ports/jobs.ts";
import { newJob, tellJob } from "./running-job.ts";

const DAY_MS = 86_400_000;
const PROGRESS_MS = 1_000;

export interface RetentionDeps {
  readonly calls: Pick<Calls, "purge" | "receivedBefore">;
  readonly jobs: Pick<Jobs, "put">;
  readonly now: () => number;
}

/** The time before which calls are too old, epoch ms. A day has 24 hours here. */
export function cutOff(now: number, days: number): number {
  return now - days * DAY_MS;
}

/**
 * Erases what was received more than `days` days ago. Age counts from created_at, which our own clock set: a sender's
 * start_time can neither keep a call for ever nor have it erased on the day an archive is imported.
 * @returns the finished job; null where there was nothing to erase, and then no job is kept
 */
export async function expireCalls(
  { calls, jobs, now }: RetentionDeps,
  input: {
    days: number;
    signal?: AbortSignal;
    hurry?: boolean;
    /** The same is asked again tomorrow. */
    recurring?: boolean;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<Job | null> {
  const before = cutOff(now(), input.days);
  const total = await calls.receivedBefore(before);
  if (total === 0) {
    // What earlier nights left of words may be due.
    await calls.purge(before, { signal: input.signal, hurry: input.hurry, recurring: input.recurring });
    return null;
  }
  const report = { days: input.days, received_before: new Date(before).toISOString() };
  const started = newJob("retention", now(), { counts: { done: 0, total }, report });
  await jobs.put(started);
  const news = tellJob({ jobs, now, onError: () => undefined }, started, PROGRESS_MS);
  try {
    const done = await calls.purge(before, {
      signal: input.signal,
      hurry: input.hurry,
      recurring: input.recurring,
      onProgress(erased) {
        input.onProgress?.(erased, total);
        news.progress({ done: erased, total });
      },
    });
    const stopped = input.signal?.aborted === true && done < total;
    const detail = stopped ? "Stopped before the end; the next night goes on." : null;
    return await news.end(() => ({ state: stopped ? "failed" : "done", counts: { done, total }, detail }));
  } catch (error) {
    const detail = "Not all could be erased; the next night goes on. The log says why.";
    await news.end(() => ({ state: "failed", detail }));
    throw error;
  }
}

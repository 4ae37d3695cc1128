/** How a job becomes a row, and the command that begins one. */
import type { Job } from "../../ports/jobs.ts";
import type { Input } from "./commands.ts";
import type { WriteContext } from "./write-context.ts";

export const JOB_COLUMNS = "job_id, kind, state, created_at, updated_at, counts, errors, detail, report";
/** With the values of `jobValues`; what to do with a job that is there already follows. */
export const INSERT_JOB = `INSERT INTO jobs (${JOB_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO`;

const MAX_ERRORS = 100;

/** In the order of JOB_COLUMNS. */
export function jobValues(job: Job): (string | number | null)[] {
  const { job_id, kind, state, created_at, updated_at, detail } = job;
  const counts = JSON.stringify(job.counts);
  const errors = JSON.stringify(job.errors.slice(0, MAX_ERRORS));
  const report = job.report === null ? null : JSON.stringify(job.report);
  return [job_id, kind, state, created_at, updated_at, counts, errors, detail, report];
}

export function beginJob(context: WriteContext, { job }: Input<"beginJob">): Job {
  context.run(`${INSERT_JOB} NOTHING`, ...jobValues(job));
  return job;
}

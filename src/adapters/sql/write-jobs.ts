/** The command that begins a job. */
import type { Job } from "../../ports.ts";
import type { Input } from "./commands.ts";
import type { WriteContext } from "./write-context.ts";

const BEGIN = `INSERT INTO jobs (job_id, kind, state, created_at, updated_at, counts, errors, detail)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO NOTHING`;

export function beginJob(context: WriteContext, { job }: Input<"beginJob">): Job {
  const { job_id, kind, state, created_at, updated_at, counts, errors, detail } = job;
  context.run(
    BEGIN,
    job_id,
    kind,
    state,
    created_at,
    updated_at,
    JSON.stringify(counts),
    JSON.stringify(errors),
    detail,
  );
  return job;
}

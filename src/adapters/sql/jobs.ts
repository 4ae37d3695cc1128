/** Jobs and bookmarks: read on the loop, written by the writer thread. */
import type { Job, JobError, Jobs } from "../../ports.ts";
import type { SqlStatement } from "./commands.ts";
import type { LoopReader } from "./loop-reader.ts";
import type { Run, Writer } from "./writer.ts";

const SQL = {
  put: `INSERT INTO jobs (job_id, kind, state, created_at, updated_at, counts, errors, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET state = excluded.state,
      updated_at = excluded.updated_at, counts = excluded.counts, errors = excluded.errors, detail = excluded.detail`,
  get: `SELECT job_id, kind, state, created_at, updated_at, counts, errors, detail FROM jobs WHERE job_id = ?`,
  bookmark: `SELECT value FROM bookmarks WHERE name = ?`,
  setBookmark: `INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  dropBookmark: `DELETE FROM bookmarks WHERE name = ?`,
} as const;

const MAX_ERRORS = 100;

/** Whoever runs a job writes its progress every few seconds. */
const SILENT_MS = 10 * 60_000;
const LOST =
  "Nothing has been heard of it for ten minutes: its process ended. What was done until then is kept; start it again.";

interface JobRow extends Omit<Job, "counts" | "errors"> {
  readonly counts: string;
  readonly errors: string;
}

export function makeJobs(deps: { writer: Writer; reader: LoopReader; now: () => number }): Jobs {
  const { writer, reader, now } = deps;
  const write = (statement: SqlStatement) => writer.run("sql", { statements: [statement] }, now());
  return {
    async put(job) {
      const { job_id, kind, state, created_at, updated_at, detail } = job;
      const counts = JSON.stringify(job.counts);
      const errors = JSON.stringify(job.errors.slice(0, MAX_ERRORS));
      await write({ sql: SQL.put, params: [job_id, kind, state, created_at, updated_at, counts, errors, detail] });
    },
    async get(job_id) {
      const row = reader.get<JobRow>(SQL.get, job_id);
      if (row === undefined) return null;
      const counts = JSON.parse(row.counts) as Record<string, number>;
      const job: Job = { ...row, counts, errors: JSON.parse(row.errors) as JobError[] };
      const lost = job.state === "running" && now() - job.updated_at > SILENT_MS;
      return lost ? { ...job, state: "failed", detail: LOST } : job;
    },
    ...makeBegin((...command) => writer.run(...command), now),
    bookmark: async (name) => reader.get<{ value: string }>(SQL.bookmark, name)?.value ?? null,
    async setBookmark(name, value) {
      if (value === null) await write({ sql: SQL.dropBookmark, params: [name] });
      else await write({ sql: SQL.setBookmark, params: [name, value] });
    },
  };
}

export function makeBegin(run: Run<"beginJob">, now: () => number): Pick<Jobs, "begin"> {
  return { begin: (job) => run("beginJob", { job }, now()) };
}

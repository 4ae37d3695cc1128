/** Jobs and bookmarks. */
import type { Job, JobError, Jobs } from "../../ports/jobs.ts";
import type { SqlStatement } from "./commands.ts";
import type { Reads, Run, Writes } from "./engine.ts";
import { INSERT_JOB, JOB_COLUMNS, jobValues } from "./write-jobs.ts";

const SQL = {
  put: `${INSERT_JOB} UPDATE SET state = excluded.state, updated_at = excluded.updated_at, counts = excluded.counts,
    errors = excluded.errors, detail = excluded.detail, report = excluded.report`,
  get: `SELECT ${JOB_COLUMNS} FROM jobs WHERE job_id = ?`,
  recent: `SELECT ${JOB_COLUMNS} FROM jobs ORDER BY rowid DESC LIMIT ?`,
  bookmark: `SELECT value FROM bookmarks WHERE name = ?`,
  setBookmark: `INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  addBookmark: `INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
  moveBookmark: `UPDATE bookmarks SET value = ? WHERE name = ? AND value = ?`,
  dropBookmark: `DELETE FROM bookmarks WHERE name = ?`,
} as const;

/** Whoever runs a job writes its progress every few seconds. */
const SILENT_MS = 10 * 60_000;
const LOST =
  "Nothing has been heard of it for ten minutes: its process ended. What was done until then is kept; start it again.";

interface JobRow extends Omit<Job, "counts" | "errors" | "report"> {
  readonly counts: string;
  readonly errors: string;
  readonly report: string | null;
}

export function makeJobs(deps: { writer: Writes; reader: Reads; now: () => number }): Jobs {
  const { writer, reader, now } = deps;
  const read = (row: JobRow): Job => {
    const job: Job = {
      ...row,
      counts: JSON.parse(row.counts) as Record<string, number>,
      errors: JSON.parse(row.errors) as JobError[],
      report: row.report === null ? null : (JSON.parse(row.report) as Record<string, unknown>),
    };
    const lost = job.state === "running" && now() - job.updated_at > SILENT_MS;
    return lost ? { ...job, state: "failed", detail: LOST } : job;
  };
  const write = (statement: SqlStatement) => writer.run("sql", { statements: [statement] }, now());
  return {
    async put(job) {
      await write({ sql: SQL.put, params: jobValues(job) });
    },
    async get(job_id) {
      const row = await reader.get<JobRow>(SQL.get, job_id);
      return row === undefined ? null : read(row);
    },
    ...makeBegin((...command) => writer.run(...command), now),
    recent: async (limit) => (await reader.all<JobRow>(SQL.recent, limit)).map(read),
    bookmark: async (name) => (await reader.get<{ value: string }>(SQL.bookmark, name))?.value ?? null,
    async setBookmark(name, value) {
      if (value === null) await write({ sql: SQL.dropBookmark, params: [name] });
      else await write({ sql: SQL.setBookmark, params: [name, value] });
    },
    async moveBookmark(name, from, to) {
      const add = { sql: SQL.addBookmark, params: [name, to] };
      const [result] = await write(from === null ? add : { sql: SQL.moveBookmark, params: [to, name, from] });
      return result?.changes === 1;
    },
  };
}

export function makeBegin(run: Run<"beginJob">, now: () => number): Pick<Jobs, "begin"> {
  return { begin: (job) => run("beginJob", { job }, now()) };
}

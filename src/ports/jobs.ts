/** Long work that is asked after. */

export interface JobError {
  readonly line: number;
  readonly message: string;
}

export interface Job {
  readonly job_id: string;
  readonly kind: "import" | "recalculate" | "backup" | "retention";
  readonly state: "running" | "done" | "failed";
  readonly created_at: number;
  readonly updated_at: number;
  /**
   * import: lines, accepted, replayed, conflicts, rejected, bytes; recalculate: days, drifted, done, total; backup:
   * done and total pages; retention: done and total calls.
   */
  readonly counts: Readonly<Record<string, number>>;
  /** The first 100. */
  readonly errors: readonly JobError[];
  readonly detail: string | null;
  /** What came of it: recalculate says what differed, backup what the copy holds, retention what went. */
  readonly report: Readonly<Record<string, unknown>> | null;
}

export interface Jobs {
  put(job: Job): Promise<void>;
  /** Puts a job that is new and answers it; one of its id is left as it is. Under a request key that was used before:
   *  the job that was answered then. */
  begin(job: Job): Promise<Job>;
  /** A running job not put for ten minutes is `failed`: its process has died. */
  get(job_id: string): Promise<Job | null>;
  /** The jobs that began last, newest first. */
  recent(limit: number): Promise<Job[]>;
  /** A resumable position (import: bytes of a file already stored), by an opaque name. */
  bookmark(name: string): Promise<string | null>;
  setBookmark(name: string, value: string | null): Promise<void>;
  /** Sets it where it still is `from` (null: not there); whether it did. Of all processes that ask at once, one does. */
  moveBookmark(name: string, from: string | null, to: string): Promise<boolean>;
}

/** Backups. */

export interface CopyFacts {
  /** Version of the schema. */
  readonly schema: number;
  /** Rows by table. */
  readonly counts: Readonly<Record<string, number>>;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface Copies {
  /** A whole copy of the database at `path`, made while writes go on. Progress in pages. */
  backup(path: string, onProgress?: (done: number, total: number) => void): Promise<void>;
  /** What a copy holds; reads all of it, off the event loop. Progress in bytes. */
  describeCopy(path: string, onProgress?: (done: number, total: number) => void): Promise<CopyFacts>;
}

/** What there is to know about a database without changing it; null where it is not there or cannot be read. */
export interface DatabaseState {
  readonly bytes: number;
  /** Of the log that has not been moved into the file yet. */
  readonly log_bytes: number;
  readonly schema: number | null;
  readonly newest_schema: number;
  /** The first thing found to be wrong with the file. */
  readonly problem: string | null;
  /** When the last event was, epoch ms, by the clock of that time. */
  readonly last_event_at: number | null;
  readonly dead: number;
  /** When the oldest work that waits was asked for, epoch ms. */
  readonly oldest_work_at: number | null;
  /** IANA name: whose days the daily sums are. */
  readonly timezone: string | null;
}

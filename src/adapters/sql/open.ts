/** The SQLite store: one file, one writer thread, reads on the loop and in reader threads. */
import { makeAccounts } from "./accounts.ts";
import { makeCalls } from "./calls.ts";
import { makeCopies } from "./copies.ts";
import { openForReading } from "./connection.ts";
import { EventLog } from "./events.ts";
import { makeIdempotency } from "./idempotency.ts";
import { makeJobs } from "./jobs.ts";
import { makeLiveCalls } from "./live-calls.ts";
import { LoopReader } from "./loop-reader.ts";
import { makeMirror } from "./mirror.ts";
import { makeOriginals } from "./originals.ts";
import { refusalOf } from "./move/refuse.ts";
import { ReadPause } from "./read-pause.ts";
import { openReads, type ReadsOptions } from "./read-calls.ts";
import { daysDiffer, makeRollups } from "./rollups.ts";
import type { Store, StoreLog } from "./store.ts";
import { makeVectorRows } from "./vector-rows.ts";
import { makeWork } from "./work.ts";
import { Writer } from "./writer.ts";

export interface SqliteOptions {
  /** The database file; its folder is made if needed. */
  readonly path: string;
  /** IANA name: the days of daily rollups. */
  readonly timezone: string;
  /** Reader threads. */
  readonly readers: number;
  readonly log: StoreLog;
  /** Epoch ms. */
  readonly now?: () => number;
  /** How long a write waits for the lock of another process before store_unavailable (5,000). */
  readonly lock_wait_ms?: number;
  /** Rows in one transaction at most (4,000). 1 gives each write its own, which only a measurement wants. */
  readonly group_rows?: number;
  /** Calls in a part of the full text (65,536). Fewer let a test have many parts. */
  readonly part_calls?: number;
  /** Told when the breaker of long reads changes. */
  readonly onBreaker?: ReadsOptions["onBreaker"];
  /** Other limits and another thread for long reads (tests). */
  readonly reads?: Pick<ReadsOptions, "limits" | "thread">;
}

export type SqliteStore = Store;

const PRUNE_STEP = 5_000;

/**
 * Opens the store, making folder (0700), file (0600) and schema as needed. Rejects with store_unavailable and a
 * sentence when the file cannot be used or was made by a newer Earshot.
 */
export async function openSqlite(options: SqliteOptions): Promise<SqliteStore> {
  const {
    path,
    timezone,
    readers,
    log,
    now = Date.now,
    lock_wait_ms = 5_000,
    group_rows = 4_000,
    part_calls,
    onBreaker,
  } = options;
  let log_of_events: EventLog | null = null;
  const writer = await Writer.start({ path, timezone, lock_wait_ms, group_rows, part_calls }, (head) =>
    log_of_events?.committed(head),
  );
  const db = openForReading(path);
  const pause = new ReadPause();
  const reader = new LoopReader(db, pause);
  const events = new EventLog(reader, (error) => log.warn({ error }, "the event log could not be polled"));
  log_of_events = events;
  const reading = openReads({ path, db, readers, log, pause, ...options.reads, ...(onBreaker && { onBreaker }) });
  const days = { writer, reader, timezone, now };
  const rollups = makeRollups(days);
  if (daysDiffer(days)) {
    log.info({ timezone }, "the time zone of daily sums has changed: rebuilding them");
    rollups.rebuild(() => undefined).catch((error: unknown) => log.warn({ error }, "the daily sums were not rebuilt"));
  }
  return {
    calls: makeCalls({ writer, reader, now, lock_wait_ms }),
    reads: reading.reads,
    rollups,
    events,
    work: makeWork({ writer, reader, now }),
    vectorRows: makeVectorRows({ reader }),
    accounts: makeAccounts({ writer, reader, now }),
    jobs: makeJobs({ writer, reader, now }),
    idempotency: makeIdempotency({ writer, now }),
    live: makeLiveCalls({ writer, reader, now }),
    originals: makeOriginals(reader),
    mirror: makeMirror({ writer, reader, now, onRestart: () => events.restarted() }),
    async pruneEvents(before) {
      let pruned = 0;
      for (;;) {
        const step = await writer.run("pruneEvents", { before, limit: PRUNE_STEP }, now());
        pruned += step;
        if (step < PRUNE_STEP) break;
      }
      if (pruned > 0) await writer.giveBack(now);
      return pruned;
    },
    ...makeCopies(writer),
    writable: () => refusalOf((sql) => reader.get(sql)) === null,
    oldestWrite: () => writer.oldest(),
    commits: () => writer.commits,
    async close() {
      events.close();
      await reading.close();
      // Readers first: the last connection to leave empties the WAL.
      reader.close();
      await writer.close();
    },
  };
}

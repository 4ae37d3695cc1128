/** Work that one process at a time does, whoever starts. */
import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "./database.ts";

const POLL_MS = 100;

/**
 * Runs `work` while an advisory lock is held; `patient`: waits for it, else resolves to null when another process has it.
 * The lock is on a connection that does nothing else: a transaction that waits, or has just been idle, is not in the way
 * of CREATE INDEX CONCURRENTLY, and the lock does not outlive it, not even behind a pooler.
 */
export async function holdLock<T>(
  db: Pick<Database, "session">,
  lock: number,
  { patient }: { patient: boolean },
  work: () => Promise<T>,
): Promise<T | null> {
  return db.session(async (query) => {
    await query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0");
    for (;;) {
      const { rows } = await query(`SELECT pg_try_advisory_xact_lock(${lock}) AS ours`);
      if ((rows[0] as { ours: boolean }).ours) break;
      if (!patient) return null;
      await wait(POLL_MS);
    }
    const value = await work();
    await query("COMMIT");
    return value;
  });
}

/** How new events reach those who follow the log in this process. */
import type { Events } from "./events.ts";

/**
 * The log as followers read it: in order, each event once, from any seq that the log still holds. Wherever events come
 * from, the log in the store is the truth and stands in for what is missing.
 */
export interface Stream extends Events {
  /** Why new events are read from the log although they should come another way; null while all is well. */
  problem(): string | null;
  /**
   * Copies the log to where others read it, at once, until the signal aborts: for one process at a time. Without one
   * others do so, a little later. Absent: followers read the log itself.
   */
  copy?(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

import type { Accounts } from "../../ports/accounts.ts";
import type { CallReads, Calls } from "../../ports/calls.ts";
import type { Copies } from "../../ports/copies.ts";
import type { Events } from "../../ports/events.ts";
import type { Idempotency } from "../../ports/idempotency.ts";
import type { Jobs } from "../../ports/jobs.ts";
import type { LiveCalls } from "../../ports/live-calls.ts";
import type { Positions } from "../../ports/positions.ts";
import type { Mirror, Originals } from "../../ports/replication.ts";
import type { Rollups } from "../../ports/rollups.ts";
import type { SharedVectors, VectorRows } from "../../ports/vectors.ts";
import type { Work } from "../../ports/work.ts";

/** The part of a logger a store needs; pino's shape. */
export interface StoreLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** An open store, whatever its engine. */
export interface Store extends Copies {
  readonly calls: Calls;
  readonly reads: CallReads;
  readonly rollups: Rollups;
  readonly events: Events;
  readonly work: Work;
  readonly vectorRows: VectorRows;
  /** The index in the database, where it was asked for. */
  readonly points?: SharedVectors;
  readonly accounts: Accounts;
  readonly jobs: Jobs;
  readonly idempotency: Idempotency;
  readonly live: LiveCalls;
  /** What a copy of this store is made of. */
  readonly originals: Originals;
  /** Of an engine whose stores can be copies of others. */
  readonly mirror?: Mirror;
  /** Of a store that may have replicas, here or at another process. */
  readonly positions?: Positions;
  /** Of a store that can be moved away: whether it takes writes now. */
  writable?(): boolean;
  /** Drops events older than `before` (epoch ms) and gives their space back; the number. */
  pruneEvents(before: number): Promise<number>;
  /** How long the oldest command has waited for its commit, ms; 0 if none waits. */
  oldestWrite(): number;
  /** Transactions committed by this process: group commit makes them fewer than the commands. */
  commits(): number;
  close(): Promise<void>;
}

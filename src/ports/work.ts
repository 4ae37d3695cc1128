/** Calls that wait for enrichment, and those given up. */
import type { Scope } from "../core/call.ts";
import type { Priority } from "./calls.ts";

export interface WorkItem {
  readonly work_no: number;
  readonly call_no: number;
  readonly call_id: string;
  readonly revision: number;
  readonly priority: Priority;
  readonly attempts: number;
}

export interface DeadLetter {
  readonly work_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly revision: number;
  readonly attempts: number;
  readonly error: string;
  readonly at: number;
}

export interface Work {
  /** Leases up to n ready items to `worker_id` for `lease_ms`, best priority first; expired leases count as ready. With
   *  `call_nos` those of these calls alone, in that order. */
  take(n: number, worker_id: string, lease_ms: number, call_nos?: readonly number[]): Promise<WorkItem[]>;
  /** Up to `limit` items that a take would have found `ms` ago and nobody has taken since, best priority first. */
  waiting(ms: number, limit: number): Promise<Pick<WorkItem, "call_no" | "priority">[]>;
  /** Prolongs leases; items no longer held by the worker are left out of the answer. */
  renew(work_nos: readonly number[], worker_id: string, lease_ms: number): Promise<number[]>;
  /** Gives items back: ready again at `retry_at`, or dead when null. Fenced by worker_id. */
  fail(items: readonly { work_no: number; error: string; retry_at: number | null }[], worker_id: string): Promise<void>;
  /** Gives up leases without counting an attempt (shutdown). */
  release(work_nos: readonly number[], worker_id: string): Promise<void>;
  /** New work for up to `limit` calls whose state is `degraded`; the number queued. */
  requeueDegraded(limit: number): Promise<number>;
  /** Waiting and leased items, and the age of the oldest waiting one in ms (0 if none). */
  depth(): Promise<{ ready: number; running: number; dead: number; oldest_ms: number }>;
  dead(limit: number, scope: Scope): Promise<DeadLetter[]>;
  /** Dead letters within the scope back to ready (all, or one call's) with their attempts counted anew; the number. */
  redrive(call_id: string | null, scope: Scope): Promise<number>;
}

/** What the event loop may ask of the writer thread: structured-clone messages, one savepoint a command or row. */
import type { AcceptedCall, Scope } from "../../core/call.ts";
import type { AcceptResult, EnrichedCall, Priority, ReplaceResult, SaveResult, SourceMark } from "../../ports/calls.ts";
import type { RequestKey } from "../../ports/idempotency.ts";
import type { Job } from "../../ports/jobs.ts";
import type {
  AppendLimits,
  AppendResult,
  EndResult,
  LiveStart,
  NewTurn,
  ScoredTurns,
  StartResult,
} from "../../ports/live-calls.ts";
import type { MirrorStep } from "../../ports/replication.ts";
import type { SumDifference } from "../../ports/rollups.ts";
import type { WorkItem } from "../../ports/work.ts";

/** An accepted call with the text as it will be stored: a string or bytes cross threads far quicker than objects. */
export interface AcceptedRow extends Omit<AcceptedCall, "turns" | "turns_text"> {
  /** The text of the turns, or that deflated. */
  readonly text: string | Uint8Array;
}

export interface SqlStatement {
  readonly sql: string;
  readonly params: readonly (string | number | bigint | null | Uint8Array)[];
}

export interface SqlResult {
  readonly changes: number;
  /** Rows of a statement that returns any, else empty. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

interface WorkFailure {
  readonly work_no: number;
  readonly error: string;
  readonly retry_at: number | null;
}

interface Command<In, Out> {
  readonly in: In & { readonly now: number };
  readonly out: Out;
}

/** Name -> what goes in (with the caller's clock) and what comes out after COMMIT. */
export interface Commands {
  accept: Command<{ rows: readonly AcceptedRow[]; priority: Priority }, AcceptResult[]>;
  acceptFrom: Command<{ rows: readonly AcceptedRow[]; priority: Priority; mark: SourceMark }, AcceptResult[] | null>;
  replace: Command<{ row: AcceptedRow; priority: Priority }, ReplaceResult>;
  reprocess: Command<{ call_id: string; scope: Scope; priority: Priority }, { revision: number } | null>;
  save: Command<{ batch: readonly EnrichedCall[] }, SaveResult[]>;
  remove: Command<{ call_id: string; scope: Scope }, boolean>;
  /** At most `limit` calls; the number erased. */
  erase: Command<{ customer_id: string; limit: number }, number>;
  /** A step of erasing the oldest calls received before `before`: so many calls whose words stay for now
   *  (full-text-parts.ts; `recurring`: the next purge comes tomorrow), or about so many turns of others. */
  purge: Command<{ before: number; calls: number; turns: number; recurring: boolean }, PurgeStep>;
  /** A step of dropping parts of the full text without calls, about so many pages; false when there is none left. */
  dropWords: Command<{ pages: number }, boolean>;
  /** Puts up to `limit` calls into the indexes of settled ones; the number (write-settle.ts). */
  settle: Command<{ limit: number }, number>;
  startLive: Command<{ call: LiveStart }, StartResult>;
  appendLive: Command<{ call_id: string; turns: readonly NewTurn[]; limits: AppendLimits }, AppendResult>;
  endLive: Command<
    { call_id: string; position: number; row: AcceptedRow | null; idle_before: number | null },
    EndResult
  >;
  saveLive: Command<{ scored: ScoredTurns }, "saved" | "stale">;
  /** `call_nos`: those alone. */
  take: Command<{ n: number; worker_id: string; lease_ms: number; call_nos?: readonly number[] }, WorkItem[]>;
  renew: Command<{ work_nos: readonly number[]; worker_id: string; lease_ms: number }, number[]>;
  fail: Command<{ items: readonly WorkFailure[]; worker_id: string }, null>;
  release: Command<{ work_nos: readonly number[]; worker_id: string }, null>;
  /** Brings back to the present what a clock that went back left in the future, at most `limit` items; the number. */
  clockWentBack: Command<{ limit: number }, number>;
  requeueDegraded: Command<{ limit: number }, number>;
  /** A step: `redriven` counts on from what earlier steps did; `after` is where the next begins, null at the end. */
  redrive: Command<
    { call_id: string | null; scope: Scope; after: number; redriven: number; limit: number },
    { redriven: number; after: number | null }
  >;
  /** The job as it is answered; one of this id is left as it is. */
  beginJob: Command<{ job: Job }, Job>;
  /** Drops the oldest events older than `before`, at most `limit`; the number dropped. */
  pruneEvents: Command<{ before: number; limit: number }, number>;
  /** Forgets request keys that have expired, at most `limit`; the number forgotten. */
  pruneKeys: Command<{ limit: number }, number>;
  /** Takes up to `pages` free pages out of the file; how many are left. */
  giveBack: Command<{ pages: number }, number>;
  /** Drops what an unfinished rebuild left, `limit` buckets a command, then begins: `total` is the last call_no. */
  rollupsStart: Command<{ timezone: string; limit: number }, { begun: boolean; total: number }>;
  /** Recounts the next calls: `done` is the last call_no counted; finished when no call is left. */
  rollupsRecount: Command<{ limit: number }, { done: number; finished: boolean }>;
  /** Compares served and recounted buckets after (grain, bucket). */
  rollupsCompare: Command<{ grain: number; bucket: number; limit: number }, RollupComparison>;
  rollupsFlip: Command<object, null>;
  /** Drops buckets of generations no longer served; true when none is left. */
  rollupsSweep: Command<{ limit: number }, boolean>;
  /** A step of a store that is a copy (write-mirror.ts). */
  mirror: Command<{ step: MirrorStep }, null>;
  /** Fixed statements of accounts and jobs, all or none. */
  sql: Command<{ statements: readonly SqlStatement[] }, SqlResult[]>;
}

export interface PurgeStep {
  readonly erased: number;
  /** Whether any were taken out of the full text. */
  readonly words: boolean;
  readonly finished: boolean;
}

export interface RollupComparison {
  readonly days: number;
  readonly drifted: number;
  readonly differences: readonly SumDifference[];
  /** Where to go on; null at the end. */
  readonly next: { readonly grain: number; readonly bucket: number } | null;
}

export type CommandName = keyof Commands;
export type Input<K extends CommandName> = Commands[K]["in"];
export type Output<K extends CommandName> = Commands[K]["out"];

/** Commands that can run under a request key. */
export type KeyedName =
  | "accept"
  | "replace"
  | "reprocess"
  | "remove"
  | "redrive"
  | "beginJob"
  | "startLive"
  | "appendLive"
  | "endLive";

/** What a command under a request key answers. */
export type OnceAnswer<T> =
  | { readonly status: "done"; readonly value: T; readonly replayed: boolean }
  | { readonly status: "other_request" };

/** Loop -> thread. */
export type Request =
  | {
      readonly id: number;
      readonly kind: "command";
      readonly name: CommandName;
      readonly input: unknown;
      /** With it the answer is an OnceAnswer. */
      readonly key?: RequestKey;
    }
  | { readonly id: number; readonly kind: "backup"; readonly path: string }
  /** Moves the WAL into the file and empties it, so that erased bytes are gone; answers whether it could. */
  | { readonly id: number; readonly kind: "scrub" }
  | { readonly id: number; readonly kind: "close" };

export interface Failure {
  /** null: not an AppError but a bug or a refused statement. */
  readonly code: "store_unavailable" | "storage_full" | null;
  readonly message: string;
  readonly retry_after?: number | undefined;
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly failure: Failure });

/** Thread -> loop. */
export type Reply =
  | { readonly kind: "ready" }
  | { readonly kind: "unready"; readonly failure: Failure }
  /** The answers of one group; `head` is the last event's seq when the group added events. */
  | {
      readonly kind: "answers";
      readonly answers: readonly Answer[];
      readonly head: number | null;
      readonly commit: boolean;
    }
  | { readonly kind: "progress"; readonly id: number; readonly done: number; readonly total: number };

export interface WriterSettings {
  readonly path: string;
  readonly timezone: string;
  /** How long a command waits for a foreign lock. */
  readonly lock_wait_ms: number;
  /** Rows in one group at most: bounds how long the first of them waits for its COMMIT. */
  readonly group_rows: number;
  /** Calls in a part of the full text (full-text-parts.ts). */
  readonly part_calls?: number | undefined;
}

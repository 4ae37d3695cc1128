/**
 * What the application needs from the world. Each port is as wide as its meaning; adapters implement them, app.ts
 * chooses the adapters, and one contract suite per port (test/contract) holds every adapter to it.
 *
 * Expected outcomes are unions. Exceptions are AppError (store_unavailable, storage_full, …) or bugs.
 */
import type {
  AcceptedCall,
  CallRow,
  CallVectors,
  EnrichmentState,
  Insights,
  Method,
  PackedCall,
  Scope,
  Turn,
} from "./core/call.ts";
import type { CallFilter, Keyset, Page, Sort } from "./core/list.ts";
import type { MeasureName } from "./core/measures.ts";

// ---- Calls: writes ---------------------------------------------------------------------------------------------

/** Lower is taken first. */
export const PRIORITY = { live: 0, single: 1, bulk: 2, recalculation: 3 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

export type AcceptResult = {
  /** Under a request key that was used before: the id as it was then, where the sender had given none. */
  readonly call_id?: string;
} & (
  | { readonly status: "accepted"; readonly call_no: number; readonly revision: number }
  /** The same call with the same content is there already; nothing was written. */
  | { readonly status: "replayed"; readonly call_no: number; readonly revision: number }
  /** The call_id is taken by other content; nothing was written. */
  | { readonly status: "conflict" }
  /** This one row could not be written; its neighbours were. */
  | { readonly status: "failed"; readonly reason: string }
);

export type ReplaceResult = {
  readonly status: "replaced" | "created";
  readonly call_no: number;
  readonly revision: number;
};

export interface EnrichedCall {
  readonly call_no: number;
  readonly revision: number;
  readonly work_no: number;
  /** The worker that holds the lease; a save by any other is `stale`. */
  readonly worker_id: string;
  readonly method: Method;
  readonly model: string;
  readonly insights: Insights;
  readonly vectors: CallVectors | null;
}

/** stale: the text changed, the call is gone, or the lease was lost; nothing was written. */
export type SaveResult = "saved" | "stale";

/** Each command is one durable transaction inside the adapter; resolved means on disk (fsynced). */
export interface Calls {
  /** Call row, text, work row, rollups (total_calls) and `call.accepted`, for every accepted item. Full text comes with
   *  the enrichment, or when the call is found dead. */
  accept(batch: readonly (AcceptedCall | PackedCall)[], priority: Priority): Promise<AcceptResult[]>;
  /** Puts `call` in the place of its call_id (or creates it): revision + 1, old insights dropped, new work. */
  replace(call: AcceptedCall, priority: Priority): Promise<ReplaceResult>;
  /** Asks for enrichment again; null if the call is not there. Revision stays, state becomes pending. */
  reprocess(call_id: string, scope: Scope, priority: Priority): Promise<{ revision: number } | null>;
  /** Insights, vectors, measures, rollups (old contribution out, new in), `call.enriched`, work settled. */
  saveEnrichment(batch: readonly EnrichedCall[]): Promise<SaveResult[]>;
  /** Erases the call and logs the tombstone `call.deleted`; its bytes leave the files within a second, as far as no
   *  reader of the log is in the way. False if it was not there. */
  remove(call_id: string, scope: Scope): Promise<boolean>;
  /** Erases all calls of one customer; the number erased. When it resolves, none of their bytes is in any file of the
   *  store; rejects with store_unavailable if a reader of the log is in the way: then ask again. */
  erase(customer_id: string): Promise<number>;
  /**
   * Erases every call received (created_at) before `before`, epoch ms, oldest first and so slowly that other writes
   * hardly notice, or at full speed where `hurry` says that nobody else writes; gives the space back. Ends early when
   * the signal is aborted: what is done stays done. The number.
   */
  purge(
    before: number,
    options?: {
      onProgress?: (erased: number) => void;
      signal?: AbortSignal | undefined;
      hurry?: boolean | undefined;
    },
  ): Promise<number>;
  /** How many calls `purge(before)` would erase. */
  receivedBefore(before: number): Promise<number>;
}

// ---- CallReads ---------------------------------------------------------------------------------------------------

/** One call with its words, unpacked and parsed when first read: who only passes the document on never parses it. */
export interface StoredCall {
  readonly row: CallRow;
  /** The UTF-8 of core/call-document.ts, nothing hidden; null where it is not stored: until the call is enriched. */
  readonly document: Buffer | null;
  readonly turns: readonly Turn[];
  readonly insights: Insights | null;
}

export interface CallList {
  readonly rows: readonly CallRow[];
  /** null when the caller did not ask for it. */
  readonly total: number | null;
  readonly total_relation: "eq" | "gte";
  /** Resume here; null at the end. */
  readonly next: Keyset | null;
  /** The deadline passed before the page was full: fewer rows than asked, `next` goes on. */
  readonly partial: boolean;
}

export interface TextHit {
  readonly call_no: number;
  readonly turn_index: number;
  /** Higher is better (negated bm25 or ts_rank). */
  readonly score: number;
}

export interface CallReads {
  get(call_id: string, scope: Scope): Promise<StoredCall | null>;
  /** The row alone, without text. */
  row(call_id: string, scope: Scope): Promise<CallRow | null>;
  list(query: { scope: Scope; filter: CallFilter; sort: Sort; page: Page; total: boolean }): Promise<CallList>;
  /** Rows by internal number, in the order asked, unknown and out-of-scope ones left out. */
  rows(call_nos: readonly number[], scope: Scope): Promise<CallRow[]>;
  /** Calls with words by internal number (enrichment, search highlights); unknown ones left out. */
  texts(call_nos: readonly number[]): Promise<StoredCall[]>;
  /** The vector of a call and its space, read without those of its turns and segments; null where it has none. */
  callVector(call_no: number): Promise<Pick<CallVectors, "space_id" | "call"> | null>;
  /** Vectors by internal number (search); calls without vectors left out. */
  vectors(call_nos: readonly number[]): Promise<{ call_no: number; vectors: CallVectors }[]>;
  /** Turns that contain the words of `text`, best first, under the filters. */
  keyword(query: { scope: Scope; text: string; filter: CallFilter; limit: number }): Promise<TextHit[]>;
  /** The internal numbers of all calls that pass (at most `limit`), ascending, for the vector index's filters. */
  numbers(query: { scope: Scope; filter: CallFilter; limit: number }): Promise<Uint32Array>;
}

// ---- Rollups -----------------------------------------------------------------------------------------------------

/** Sums of one measure over the enriched calls of a group; `sum` and `sum_squares` in the measure's unit. */
export interface MeasureSum {
  readonly n: number;
  readonly sum: number;
  readonly sum_squares: number;
}

export interface AgentSums {
  readonly agent_id: string;
  /** All accepted calls. */
  readonly total_calls: number;
  readonly measures: Readonly<Partial<Record<MeasureName, MeasureSum>>>;
}

/** One served sum that was not what the calls say; null: no such row. */
export interface SumDifference {
  /** All time, a UTC hour (RFC 3339) or a local day (YYYY-MM-DD). */
  readonly period: string;
  readonly agent_id: string;
  /** `calls` counts accepted calls. */
  readonly measure: MeasureName | "calls";
  readonly before: { readonly n: number; readonly sum: number } | null;
  readonly after: { readonly n: number; readonly sum: number } | null;
}

export interface Rebuild {
  readonly days: number;
  /** Periods whose sums differed from the calls: 0 unless there is a bug, or the file was changed by hand. */
  readonly drifted: number;
  /** The first 100. */
  readonly differences: readonly SumDifference[];
}

export interface Rollups {
  /** Sums per agent over all time, or over the local days [from_day, to_day] ("YYYY-MM-DD", EARSHOT_TIMEZONE). */
  agents(query: {
    scope: Scope;
    measures: readonly MeasureName[];
    from_day?: string;
    to_day?: string;
  }): Promise<AgentSums[]>;
  /** Rebuilds every rollup from the calls beside the served ones, swaps day by day, reports what differed. */
  rebuild(progress: (done: number, total: number) => void): Promise<Rebuild>;
}

// ---- Events ------------------------------------------------------------------------------------------------------

export type EventType = "call.accepted" | "call.replaced" | "call.enriched" | "call.deleted";

/** Why a call was deleted: asked for by id, its customer was erased, or its time was over. */
export type DeleteReason = "request" | "customer" | "retention";

/** One row of the log: ids and small facts, never personal text. */
export interface EventRow {
  /** Dense: seq n is followed by n + 1. */
  readonly seq: number;
  readonly type: EventType;
  readonly at: number;
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly revision: number;
  readonly customer_sentiment_score: number | null;
  readonly agent_talk_ratio: number | null;
  readonly state: EnrichmentState | null;
  /** Of call.deleted; null otherwise, and for those of older versions. */
  readonly reason: DeleteReason | null;
}

export interface Events {
  /** Events with seq > after in order, within the scope; `oldest` is the first seq the log still holds (0 if empty). */
  after(seq: number, limit: number, scope: Scope): Promise<{ events: EventRow[]; oldest: number; head: number }>;
  head(): Promise<number>;
  /** Called soon after any commit, of this process or another, that added events. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

// ---- Work --------------------------------------------------------------------------------------------------------

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
  /** Leases up to n ready items to `worker_id` for `lease_ms`, best priority first; expired leases count as ready. */
  take(n: number, worker_id: string, lease_ms: number): Promise<WorkItem[]>;
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

// ---- Accounts ----------------------------------------------------------------------------------------------------

export const ROLES = ["admin", "manager", "agent", "analyst"] as const;
export type Role = (typeof ROLES)[number];

export interface Account {
  readonly account_id: string;
  readonly kind: "key" | "user";
  /** A key's label or a user's login name; a login name is unique. */
  readonly name: string;
  readonly role: Role;
  readonly agent_id: string | null;
  readonly team: string | null;
  readonly created_at: number;
  readonly revoked_at: number | null;
}

export interface Accounts {
  /** `secret`: SHA-256 hex of a key, Argon2id string of a password. Returns false if a user of that name is there.
   *  An agent account with a team also puts its agent into the team. */
  add(account: Account, secret: string): Promise<boolean>;
  list(kind: "key" | "user"): Promise<Account[]>;
  /** Null for a revoked key; likewise byUserName. */
  byKeyHash(sha256: string): Promise<Account | null>;
  byUserName(name: string): Promise<{ account: Account; secret: string } | null>;
  byId(account_id: string): Promise<Account | null>;
  revoke(account_id: string): Promise<boolean>;
  /** Stores a one-use secret (sign-in link, socket ticket) under its SHA-256. */
  putOneUse(sha256: string, account_id: string, expires_at: number): Promise<void>;
  /** Takes it: the account id once, null ever after or when expired. */
  takeOneUse(sha256: string): Promise<string | null>;
}

// ---- Jobs --------------------------------------------------------------------------------------------------------

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

// ---- Idempotency -------------------------------------------------------------------------------------------------

/** A request that its sender may repeat. A key belongs to the account that sent it. */
export interface RequestKey {
  readonly account_id: string;
  readonly key: string;
  /** What the request was, as a hash: another one under the same key is refused. */
  readonly fingerprint: string;
}

/** Each request makes one write. */
export interface KeyedWrites {
  readonly calls: Pick<Calls, "accept" | "replace" | "reprocess" | "remove">;
  readonly work: Pick<Work, "redrive">;
  readonly jobs: Pick<Jobs, "begin">;
}

export interface Idempotency {
  /**
   * The writes under a key: the first takes effect and its result is kept for 24 hours, in the same transaction; a
   * repeat writes nothing, calls `onReplay` and gets that result. A result that wrote nothing (not found, conflict) is
   * not kept. Rejects with AppError idempotency_key_reused where the key stands for another request.
   */
  under(key: RequestKey, onReplay: () => void): KeyedWrites;
  /** Forgets keys that have expired; the number. */
  prune(): Promise<number>;
}

// ---- Copies: backups --------------------------------------------------------------------------------------------

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

// ---- VectorRows: how the index learns what SQL holds --------------------------------------------------------------

/** Columns of equal length; row i is one vector. Buffers may be transferred between threads. */
export interface VectorChunk {
  readonly call_no: Uint32Array;
  /** Segments: first turn of the segment; call vectors: 0. */
  readonly part: Uint32Array;
  /** Segments: last turn of the segment; call vectors: 0. */
  readonly part_end: Uint32Array;
  readonly agent: readonly string[];
  /** start_time, epoch ms. */
  readonly start_time: Float64Array;
  /** n x 384, row after row: int8, or float32 where full precision was asked for. */
  readonly vectors: Float32Array | Int8Array;
}

export type VectorKind = "call" | "segment";

export interface VectorRows {
  /** int8 rows with call_no > after in call_no order, whole calls only, about `limit` rows; empty at the end. */
  scan(kind: VectorKind, space_id: string, after: number, limit: number): Promise<VectorChunk>;
  /** All rows of these calls: float32 for call vectors, int8 for segments. */
  of(kind: VectorKind, space_id: string, call_nos: readonly number[]): Promise<VectorChunk>;
  /** The call vectors of these calls alone, for rescoring; calls without one in the space left out, in no order. */
  exact(space_id: string, call_nos: readonly number[]): Promise<{ call_no: number; vector: Float32Array }[]>;
}

// ---- Vectors -----------------------------------------------------------------------------------------------------

export interface VectorFilter {
  readonly agent_ids?: readonly string[];
  /** On start_time, inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Only these calls, ascending. */
  readonly call_nos?: Uint32Array;
  /** Not these. */
  readonly except?: readonly number[];
}

export interface VectorHit {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  /** Cosine of the stored vectors, -1..1; an adapter may take the mean of all call vectors out of both first. */
  readonly score: number;
}

export interface Vectors {
  /** Puts rows in; rows of calls already there are replaced as a whole. */
  upsert(kind: VectorKind, chunk: VectorChunk): Promise<void>;
  remove(kind: VectorKind, call_nos: readonly number[]): Promise<void>;
  /** The k nearest by cosine, best first, ties by call_no then part. Exact under filters. */
  search(kind: VectorKind, query: Float32Array, k: number, filter?: VectorFilter): Promise<VectorHit[]>;
  describe(): Promise<{ rows: Record<VectorKind, number>; bytes: number }>;
  close(): Promise<void>;
}

/** The index as it is served: it may be away for a while, and then answers null, soon. */
export interface ServedVectors {
  search(...question: Parameters<Vectors["search"]>): Promise<VectorHit[] | null>;
  describe(): Promise<Awaited<ReturnType<Vectors["describe"]>> | null>;
}

// ---- Models ------------------------------------------------------------------------------------------------------

/** What was made of n texts, in order. */
export interface Inference {
  readonly method: Method;
  /** For example "all-MiniLM-L6-v2" or "vader". */
  readonly model: string;
  readonly version: string;
  /** n x 384 float32 unit vectors, null when the statistical fallback ran. */
  readonly vectors: Float32Array | null;
  readonly space_id: string | null;
  /** n values, -1..1. */
  readonly sentiment: Float32Array;
}

export interface ModelState {
  readonly method: Method;
  readonly model: string;
  readonly version: string;
  readonly space_id: string | null;
  readonly graph_id: string | null;
  readonly threads: number;
  /** Why the model is not running and what to do about it; null when it runs. */
  readonly problem: string | null;
}

export interface Models {
  /** Never rejects for want of a model: it falls back and says so in `method`. One text a run. */
  infer(texts: readonly string[]): Promise<Inference>;
  /** One unit vector for a query; null when no model runs. Goes before enrichment in the queue. */
  embed(text: string): Promise<Float32Array | null>;
  describe(): ModelState;
  /** Called when the model comes or goes. Returns the unsubscriber. */
  onChange(listener: (state: ModelState) => void): () => void;
  close(): Promise<void>;
}

// ---- Cache -------------------------------------------------------------------------------------------------------

export interface Cached<T> {
  readonly value: T;
  /** Milliseconds since it was made. */
  readonly age_ms: number;
  /** Making it anew failed: this is the last one there was. */
  readonly stale: boolean;
}

export interface CacheRequest<T> {
  /** Route, query and scope: whoever may not see the same must not ask with the same key. */
  readonly key: string;
  /** Of what the value is made from; a value of another version is no hit. */
  readonly version: string;
  /** At most 2,000; what is kept expires up to a quarter earlier, so that not all expires at once. */
  readonly ttl_ms: number;
  /** The value must survive JSON. */
  readonly make: () => Promise<T>;
}

/** Figures for seconds; never words of calls. */
export interface Cache {
  /**
   * The value kept, or what `make` gives: asked many times at once for one key and version, it runs once. When it fails
   * with an AppError that is worth a retry, the last value of the key stands in, of whatever version, for ten minutes.
   */
  once<T>(request: CacheRequest<T>): Promise<Cached<T>>;
  close(): Promise<void>;
}

// ---- RateLimit ---------------------------------------------------------------------------------------------------

interface Taken {
  readonly allowed: boolean;
  /** Left in this window. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly reset_ms: number;
}

/** So many in a window that begins with the first of them, counted by name. */
export interface RateLimit {
  readonly limit: number;
  readonly window_s: number;
  take(name: string): Promise<Taken>;
}

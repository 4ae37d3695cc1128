/**
 * What the application needs from the world, here: calls and their words. Each port is as wide as its meaning; adapters
 * implement them, app/ chooses the adapters, and one contract suite per port (test/contract) holds every adapter to it.
 *
 * Expected outcomes are unions. Exceptions are AppError (store_unavailable, storage_full, …) or bugs.
 */
import type { AcceptedCall, CallRow, CallVectors, Insights, Method, PackedCall, Scope, Turn } from "../core/call.ts";
import type { CallFilter, Keyset, Page, Sort } from "../core/list.ts";

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
  /** The call_id is taken by other content, or by a call that goes on; nothing was written. */
  | { readonly status: "conflict" }
  /** This one row could not be written; its neighbours were. */
  | { readonly status: "failed"; readonly reason: string }
);

export type ReplaceResult =
  | { readonly status: "replaced" | "created"; readonly call_no: number; readonly revision: number }
  /** The call_id is that of a call that goes on; nothing was written. */
  | { readonly status: "conflict" };

/** How far a source of calls has been read: a bookmark (ports/jobs.ts) that moves with the calls that came from it. */
export interface SourceMark {
  readonly name: string;
  /** null: not there yet. */
  readonly from: string | null;
  readonly to: string;
  /** Where each call of the batch came from, without blanks. The bookmark becomes `to`, and the places of those that were
   *  not taken behind it, each after a blank, so that whoever goes on can still tell their sender. */
  readonly places: readonly string[];
}

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
  /** `accept`, with the mark moved in the same transaction. null, and nothing is written, where it is not `from` (any more):
   *  of all who read the same part of a source at once, one stores it. An empty batch moves the mark alone. */
  acceptFrom(
    batch: readonly (AcceptedCall | PackedCall)[],
    priority: Priority,
    mark: SourceMark,
  ): Promise<AcceptResult[] | null>;
  /** Puts `call` in the place of its call_id (or creates it): revision + 1, old insights dropped, new work. */
  replace(call: AcceptedCall, priority: Priority): Promise<ReplaceResult>;
  /** Asks for enrichment again; null if the call is not there. Revision stays, state becomes pending. */
  reprocess(call_id: string, scope: Scope, priority: Priority): Promise<{ revision: number } | null>;
  /** Insights, vectors, measures, rollups (old contribution out, new in), `call.enriched`, work settled. */
  saveEnrichment(batch: readonly EnrichedCall[]): Promise<SaveResult[]>;
  /** Erases the call, also one that goes on, and logs the tombstone `call.deleted`; its bytes leave the files within a second, as far as no
   *  reader of the log is in the way. False if it was not there. */
  remove(call_id: string, scope: Scope): Promise<boolean>;
  /** Erases all calls of one customer, those that go on too; the number erased. When it resolves, none of their bytes is in any file of the
   *  store (on a server of its own: nobody can read them, and the bytes go as that server tidies up); rejects with
   *  store_unavailable if a reader of the log is in the way: then ask again. */
  erase(customer_id: string): Promise<number>;
  /**
   * Erases every call received (created_at) before `before`, epoch ms, oldest first and so slowly that other writes
   * hardly notice, or at full speed where `hurry` says that nobody else writes; gives the space back. Where the next
   * purge comes tomorrow (`recurring`), the index of words may keep, for a week at most, what nothing finds any more. Ends
   * early when the signal is aborted: what is done stays done. The number.
   */
  purge(
    before: number,
    options?: {
      onProgress?: (erased: number) => void;
      signal?: AbortSignal | undefined;
      hurry?: boolean | undefined;
      recurring?: boolean | undefined;
    },
  ): Promise<number>;
  /** How many calls `purge(before)` would erase. */
  receivedBefore(before: number): Promise<number>;
}

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

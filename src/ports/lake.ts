/** The lake: enriched calls as files of columns, by day, for whoever asks for more than the API's figures. */
import type { CallRow, Insights, Turn } from "../core/call.ts";
import type { Keyset } from "../core/list.ts";

/** A call as it is written. Of one call_no the lake holds the version with the highest seq and no other. */
export interface LakeRow {
  readonly row: CallRow;
  /** The event that made it be written, or the head of the log when the lake was filled. */
  readonly seq: number;
  readonly insights: Insights;
  readonly turns: readonly Turn[];
}

/** What the lake's days and columns were made by; other ones need it to be filled anew. */
export interface LakeTerms {
  /** Names the log whose seq the lake counts in. */
  readonly log_id: string;
  /** IANA name: whose days the folders are. */
  readonly timezone: string;
  /** Whether the words are there too. */
  readonly text: boolean;
}

/** A filling from the store under way: nobody reads its files before it is whole. */
export interface LakeFill {
  /** The head of the log when it began: what happened later is read from the log. */
  readonly seq: number;
  /** Goes on behind this call; null: at the first one. */
  readonly after: Keyset | null;
}

/** One truth of the lake: it is changed as a whole, by one writer at a time, or not at all. */
export interface LakeState {
  /** Grows by one with each commit; 0 where nothing was ever written. */
  readonly version: number;
  /** What it is made by, or is being filled by; null: nothing was ever written. */
  readonly terms: LakeTerms | null;
  /** Everything of the log up to here is in it. */
  readonly seq: number;
  readonly fill: LakeFill | null;
  readonly files: number;
  /** Calls, and bytes of the files that hold them. */
  readonly rows: number;
  readonly bytes: number;
  /** Files of the day that has most of them. */
  readonly most_files: number;
}

export interface LakeChange {
  readonly terms: LakeTerms;
  /** Each call once; older versions of these calls go out of every file. */
  readonly rows: AsyncIterable<readonly LakeRow[]>;
  /** Calls that are erased, or whose text is new: call_no -> seq of the event that says so. They go out of every file, too. */
  readonly gone: ReadonlyMap<number, number>;
  readonly seq: number;
  /** Rejects with its reason where it is aborted before the commit. */
  readonly signal?: AbortSignal;
  /**
   * append: to what is there. fill: `rows` are the next of a filling, the first where none of the same seq and terms was
   * under way; with `fill` null the last: from now on the lake is what was filled.
   */
  readonly step: { readonly kind: "append" } | { readonly kind: "fill"; readonly fill: LakeFill | null };
}

export interface LakeAnswer {
  readonly columns: readonly string[];
  /** As JSON has it; whole numbers that JSON has not are strings. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface Lake {
  /** Rejects with store_unavailable where it cannot be reached, as the others do. */
  state(): Promise<LakeState>;
  /**
   * All of the change or, whenever the process ends, nothing. Of those who change the same state one does; for the others
   * it is `stale`, and nothing of theirs is left.
   */
  commit(base: LakeState, change: LakeChange): Promise<"committed" | "stale">;
  /** One file for each day that has `files` of them or more; the number of such days. */
  compact(files: number, signal?: AbortSignal): Promise<number>;
  /** SQL over the view `calls`: every enriched call, once. Rejects with validation for bad SQL. */
  query(sql: string): Promise<LakeAnswer>;
  /** What is wrong with the files, one sentence each. */
  check(): Promise<string[]>;
  close(): Promise<void>;
}

import type { Calls } from "./calls.ts";
import type { Jobs } from "./jobs.ts";
import type { LiveCalls } from "./live-calls.ts";
import type { Work } from "./work.ts";

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
  readonly live: Pick<LiveCalls, "start" | "append" | "end">;
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

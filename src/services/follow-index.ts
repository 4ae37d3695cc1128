/**
 * Keeps the vector index equal to the store: fills it, then follows the event log. Calls written by other processes
 * (an import, a worker) arrive the same way as our own.
 */
import { EVERYTHING } from "../core/call.ts";
import type { EventRow, Events } from "../ports/events.ts";
import type { VectorKind, VectorRows, Vectors } from "../ports/vectors.ts";

const KINDS: readonly VectorKind[] = ["call", "segment"];
const STEP = 500;
const RETRY_MS = 1_000;

export interface FollowDeps {
  readonly events: Events;
  readonly rows: Pick<VectorRows, "of">;
  readonly vectors: Pick<Vectors, "upsert" | "remove">;
  /** Loads all stored rows of one kind; changes made meanwhile through `vectors` win over what it reads. */
  readonly fill: (kind: VectorKind) => Promise<number>;
  readonly space_id: string;
  readonly onError: (error: unknown) => void;
}

export interface Follower {
  /** The last event the index has taken in. */
  seq(): number;
  /** Resolves when the log no longer holds what comes next (a very long stop): only a new index can be right. */
  readonly lost: Promise<void>;
  stop(): Promise<void>;
}

/** What a run of events leaves to do: the last event of a call decides. */
export function changesOf(events: readonly EventRow[]): { put: number[]; gone: number[] } {
  const put = new Set<number>();
  const gone = new Set<number>();
  for (const { type, call_no } of events) {
    if (type === "call.enriched") {
      put.add(call_no);
      gone.delete(call_no);
    } else if (type === "call.replaced" || type === "call.deleted") {
      gone.add(call_no);
      put.delete(call_no);
    }
  }
  return { put: [...put], gone: [...gone] };
}

/**
 * Fills the index and follows the log from where the log stood before: an upsert twice is harmless, a gap is not.
 * Resolves when the index is full and follows; errors after that go to `onError` and are tried again.
 */
export async function followIndex(deps: FollowDeps): Promise<Follower> {
  let seq = await deps.events.head();
  for (const kind of KINDS) await deps.fill(kind);
  let stopped = false;
  let lost = false;
  const losing = Promise.withResolvers<void>();
  let running: Promise<void> | null = null;
  let again = false;
  let retry: NodeJS.Timeout | undefined;

  /** Takes in one step of the log; false when there is nothing new. */
  const step = async (): Promise<boolean> => {
    const { events, oldest } = await deps.events.after(seq, STEP, EVERYTHING);
    if (oldest > seq + 1) {
      lost = true;
      losing.resolve();
      deps.onError(
        new Error(`the event log begins at ${oldest}, the vector index stands at ${seq}: it is filled anew`),
      );
      return false;
    }
    if (events.length === 0) return false;
    const { put, gone } = changesOf(events);
    for (const kind of KINDS) {
      if (gone.length > 0) await deps.vectors.remove(kind, gone);
      if (put.length > 0) {
        const chunk = await deps.rows.of(kind, deps.space_id, put);
        if (chunk.call_no.length > 0) await deps.vectors.upsert(kind, chunk);
      }
    }
    seq = events.at(-1)?.seq ?? seq;
    return true;
  };

  const run = async () => {
    try {
      while (again && !stopped && !lost) {
        again = false;
        while (!stopped && (await step()));
      }
    } catch (error) {
      // Whoever stops it does so because the index is gone, or soon will be.
      if (stopped) return;
      deps.onError(error);
      retry = setTimeout(kick, RETRY_MS);
    } finally {
      running = null;
    }
  };
  function kick() {
    again = true;
    running ??= run();
  }
  const unsubscribe = deps.events.onChange(kick);
  kick();

  return {
    seq: () => seq,
    lost: losing.promise,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      unsubscribe();
      await running;
    },
  };
}

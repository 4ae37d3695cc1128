/** How workers hear of work. What there is to do, in which order, and who holds it, is the store's (ports/work.ts). */
import type { Priority } from "./calls.ts";

/** New work of a call; of one whose number is not known, null. */
export interface Notice {
  readonly call_no: number | null;
  readonly priority: Priority;
}

/** What a worker is to take from the store. It may find less there, or nothing: others may have been quicker. */
export interface Order {
  /** The work of these calls, best priority first; null: whatever the store says is due. */
  readonly call_nos: readonly number[] | null;
  /** To be called when the store has answered, with how many items it gave; without that others are told again. */
  taken(count: number): void;
  /** To be called when these items are settled or given back. */
  done(): void;
}

export interface Dispatch {
  /** Tells the workers, at once and without waiting. What they are not told of they find all the same, some seconds later. */
  dispatch(notices: readonly Notice[]): void;
  /** An order for at most n items, as soon as there may be work and from time to time anyway; null once `signal` is aborted. */
  take(n: number, signal: AbortSignal): Promise<Order | null>;
  /** Work that waits to be taken, as far as is known here. Rejects where nobody can say. */
  depth(): Promise<number>;
  /** Why the workers ask the store although they should be told; null while all is well. */
  problem(): string | null;
  close(): Promise<void>;
}

/** What there is to know about a Redis that carries events, notices of work or figures. */
export interface RedisState {
  /** Why it cannot be used; null where it can. */
  readonly problem: string | null;
  readonly version: string | null;
  /** Whether it is one node of a cluster. */
  readonly cluster: boolean;
  /** A cluster of which some slots have no master. */
  readonly misses_slots: boolean;
}

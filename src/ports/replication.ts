/** A second store that holds what the first one does: what is read of the one, how it comes over, what the other takes. */
import type { WholeCall } from "../core/whole-call.ts";
import type { Account } from "./accounts.ts";
import type { EventRow } from "./events.ts";
import type { LiveCallRow, LiveTurnRow } from "./live-calls.ts";
import type { DeadLetter } from "./work.ts";

/** Of a store: what no other port shows because nobody else needs it. */
export interface Originals {
  /** Up to `limit` calls with call_no > after, ascending. `digest`: hex. */
  after(call_no: number, limit: number): Promise<{ call_no: number; digest: string }[]>;
  /** The same of these calls; unknown ones left out. */
  of(call_nos: readonly number[]): Promise<{ call_no: number; digest: string }[]>;
  /** Every key and user with the hash that proves it, revoked ones too. */
  accounts(): Promise<StoredAccount[]>;
  /** Agents that are in a team. */
  teams(): Promise<Membership[]>;
}

export interface StoredAccount extends Account {
  /** As `Accounts.add` takes it. */
  readonly secret: string;
}

export interface Membership {
  readonly agent_id: string;
  readonly team: string;
}

export interface WholeLiveCall {
  readonly row: LiveCallRow;
  readonly turns: readonly LiveTurnRow[];
}

/** How the log of the primary stood before anything else of an answer was read. */
export interface LogState {
  readonly oldest: number;
  readonly head: number;
  /** The event that was asked from (changes), or the newest one (calls); null where the log does not hold it. */
  readonly last: EventRow | null;
  /** The space of the vectors that are served; null while there is none. */
  readonly space_id: string | null;
}

/** What an answer of the primary consists of; `log` comes first. */
export type Part =
  | { readonly kind: "log"; readonly log: LogState }
  | { readonly kind: "event"; readonly event: EventRow }
  | { readonly kind: "call"; readonly call: WholeCall }
  | { readonly kind: "live"; readonly live: WholeLiveCall }
  /** Nothing is missing of the answer; `more`: calls come after it. */
  | { readonly kind: "end"; readonly more: boolean };

/** Who gets in, and whose enrichment was given up. */
export interface Standing {
  readonly accounts: readonly StoredAccount[];
  readonly teams: readonly Membership[];
  readonly dead: readonly DeadLetter[];
}

/** The server that is followed. Rejects, or ends without `end`, where it cannot be reached. */
export interface Primary {
  /** Up to `limit` events after seq, then, as they are now, the calls they are about; those left out are gone. */
  changes(seq: number, limit: number): AsyncIterable<Part>;
  /** Up to `limit` calls with call_no > after, ascending; after the last call all that go on. */
  calls(after: number, limit: number): AsyncIterable<Part>;
  /** null where nothing has changed since the last answer, unless it is wanted `again`. */
  standing(again: boolean): Promise<Standing | null>;
  /** Calls back soon after something happened there, while it can be reached. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
  /** Breaks off what is under way. */
  close(): void;
}

/** One transaction of a store that is a copy. */
export interface MirrorStep {
  readonly calls?: readonly WholeCall[];
  /** These are not there any more. */
  readonly gone?: readonly number[];
  /** What is there of after < call_no <= to and not in `calls` is gone. */
  readonly range?: { readonly after: number; readonly to: number };
  readonly live?: readonly WholeLiveCall[];
  /** Ids of calls that do not go on any more; "others": all that are not in `live`. */
  readonly liveGone?: readonly string[] | "others";
  /** Empties the log, so that what follows has seq + 1. */
  readonly restart?: number;
  readonly events?: readonly EventRow[];
  /** Where to go on, an opaque word. */
  readonly place?: string;
}

export interface Mirror {
  /** Where the last step was; null: nothing has been copied yet. */
  place(): Promise<string | null>;
  /** Whether there is anything that was not copied. */
  foreign(): Promise<boolean>;
  /** All of it, on disk, or nothing. What is there already as it is meant to be is left alone. */
  apply(step: MirrorStep): Promise<void>;
  /** Makes it a store of its own: what waits gets work; false where it is one. No process may copy into it meanwhile. */
  release(): Promise<boolean>;
  /** Takes over who gets in and the dead letters. `changed`: calls (call_no) to be read again, as their state may differ;
   *  whole: every dead letter's call is here. */
  stand(standing: Standing): Promise<{ changed: number[]; whole: boolean }>;
}

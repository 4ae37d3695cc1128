/**
 * Moving a store to another engine while it is written to. What a store holds is cut into parts; the source remembers which
 * of them were written to after they were copied, the target remembers which it has, so that either side may be killed.
 */

/** calls: what belongs to calls, by call_no. events: by seq. keys: request keys, by the time they expire. rollups: sums,
 *  by bucket. live: calls that go on; rest: everything small. These two are one part each. */
export const MOVE_KINDS = ["calls", "events", "keys", "rollups", "live", "rest"] as const;
export type MoveKind = (typeof MOVE_KINDS)[number];

/** Below every key. */
export const MOVE_FIRST: Readonly<Record<MoveKind, number>> = {
  calls: 0,
  events: 0,
  keys: 0,
  // Calls may have begun before 1970.
  rollups: -1_000_000_000,
  live: -1,
  rest: -1,
};

/** Keys after `from` up to `to`. */
export interface MovePart {
  readonly kind: MoveKind;
  readonly from: number;
  readonly to: number;
}

/** Of the rows of one table: how many, and the sum of a digest of each, which no order of rows changes. */
export interface TableSum {
  readonly rows: number;
  readonly sum: bigint;
}

/** By table. */
export type PartSums = Readonly<Record<string, TableSum>>;

/** A part that the target has, and what the source held of it when it was read. */
export interface CopiedPart extends MovePart {
  readonly sums: PartSums;
}

/** A key that was written to after it was copied. */
export interface MoveMark {
  readonly kind: MoveKind;
  readonly key: number;
}

/** What the target must go on counting from. */
interface MoveCounters {
  /** The last number given, by table; `events`: the last seq. */
  readonly last: Readonly<Record<string, number>>;
}

export interface MoveSource {
  /** Begins to remember what is written (fresh), or goes on with a move that was begun to the same target. Throws conflict for
   *  another target. */
  begin(target: string): { move_id: string; moved: boolean; fresh: boolean };
  /** Takes everything of the move out of the store. */
  forget(): void;
  /** Takes what is new into the move: the last key of each kind. What is written up to there is remembered from now on. */
  extend(): Readonly<Record<MoveKind, number>>;
  /** Cuts keys after `from` up to `to` into parts that one transaction can hold. */
  split(kind: MoveKind, from: number, to: number): MovePart[];
  /** The first moments (epoch ms) of the months (UTC) in which calls came. */
  months(): number[];
  /** What was written after it was copied. It is given again until `settled` is called. */
  marks(): MoveMark[];
  settled(): void;
  /** Refuses all writes of all processes for so long; again before that is over, it goes on. Counts what waits to be counted. */
  freeze(ms: number): void;
  unfreeze(): void;
  /** Ends the move if nothing was written since the last `extend` and `marks`: false if something was. For ever: writes are
   *  refused, and say where the store went; otherwise the store goes on as if there had been no move. */
  finish(forEver: boolean): boolean;
  counters(): MoveCounters;
  close(): void;
}

export interface MoveTarget {
  /** Whether a move into it has begun and not ended. */
  underWay(): Promise<boolean>;
  /** Makes the schema in an empty database, or goes on with the same move; the parts that are there. Rejects with conflict
   *  for a database that holds anything else. */
  begin(move_id: string): Promise<CopiedPart[]>;
  months(months: readonly number[]): Promise<void>;
  /** Makes the indexes that wait for the rows. */
  buildIndexes(): Promise<void>;
  /** What the target holds of a part, read and counted there. */
  sums(part: MovePart): Promise<PartSums>;
  /** Takes a part out, to be copied anew. */
  forget(part: MovePart): Promise<void>;
  /** Rows by table. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Opens the database for processes. */
  finish(counters: MoveCounters): Promise<void>;
  close(): Promise<void>;
}

/** Copies parts over connections of their own, several at a time. */
export interface MoveCopier {
  /** Parts at a time. */
  readonly lanes: number;
  /** Copies a part that is not there in one transaction. What the source held of it. */
  copy(part: MovePart): Promise<PartSums>;
  /** Bytes sent so far. */
  bytes(): number;
  close(): Promise<void>;
}

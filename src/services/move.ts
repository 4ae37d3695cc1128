/**
 * Moves a store to another engine while it is served: copies everything, copies again what was written meanwhile until that
 * is little, then refuses writes for as long as the rest takes, compares both sides, and leaves the source as moved.
 */
import { AppError } from "../errors.ts";
import type { CopiedPart, MoveCopier, MovePart, MoveSource, MoveTarget, TableSum } from "../ports/move.ts";
import { MoveParts } from "./move-parts.ts";

export interface MoveDeps {
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly copier: MoveCopier;
}

type MoveStage = "copying" | "indexing" | "comparing" | "catching up" | "the rest, without writes";

export interface MoveInput {
  /** Where the store goes, in words without a password. */
  readonly name: string;
  /** The source goes on as it was: two stores then. */
  readonly keep: boolean;
  readonly signal?: AbortSignal;
  /** Parts of the stage that are done. */
  readonly onProgress?: (stage: MoveStage, done: number, total: number) => void;
}

/** A table of which the two sides do not hold the same; keys after `from` up to `to`, or the table as a whole. */
export interface MoveDifference {
  readonly table: string;
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly source: TableSum;
  readonly target: TableSum;
}

export interface MoveReport {
  /** Of the source, by table: what both sides hold where there is no difference. */
  readonly tables: Readonly<Record<string, TableSum>>;
  readonly differences: readonly MoveDifference[];
  /** Milliseconds by stage. */
  readonly spent: Readonly<Partial<Record<MoveStage, number>>>;
  /** Bytes sent to the target. */
  readonly bytes: number;
}

/** A freeze ends by itself so long after it was last renewed: a mover that was killed holds up nobody for longer. */
const FREEZE_MS = 15_000;
const RENEW_MS = 3_000;
/** The rest is short when each connection has so many parts to copy. */
const SHORT = 2;
const PASSES = 10;
/** Freezes that turned out to have been broken: the mover was stopped for longer than its freeze. */
const FREEZES = 3;

/**
 * Resolves when both sides were compared. With differences nothing has changed for the source: it takes writes, and the
 * same move again copies those parts anew. Rejects with conflict for a target that is not empty; whatever ended it, the same
 * again goes on from there.
 */
export async function moveStore(deps: MoveDeps, input: MoveInput): Promise<MoveReport> {
  const { source, target } = deps;
  // Reached before the source is marked.
  const underWay = await target.underWay();
  const { move_id, moved, fresh } = source.begin(input.name);
  if (moved && !underWay) throw new AppError("conflict", `The calls were moved to ${input.name} already`);
  const there = await target.begin(move_id).catch((cause: unknown) => {
    if (fresh) source.forget();
    throw cause;
  });
  const run = new Run(deps, input, new MoveParts(there));
  // Ended between the two last steps.
  if (!moved) {
    await run.copyMost();
    const differences = (await run.compare()) ?? (await run.copyRest());
    if (differences) return run.report(differences);
  }
  await target.finish(source.counters());
  return run.report([]);
}

class Run {
  readonly #deps: MoveDeps;
  readonly #input: MoveInput;
  readonly #parts: MoveParts;
  #spent: Partial<Record<MoveStage, number>> = {};

  constructor(deps: MoveDeps, input: MoveInput, parts: MoveParts) {
    this.#deps = deps;
    this.#input = input;
    this.#parts = parts;
  }

  report(differences: readonly MoveDifference[]): MoveReport {
    return { tables: this.#parts.totals(), differences, spent: this.#spent, bytes: this.#deps.copier.bytes() };
  }

  /** Everything once, then what was written meanwhile. */
  async copyMost(): Promise<void> {
    await this.#timed("copying", () => this.#pass("copying"));
    await this.#timed("indexing", () => this.#deps.target.buildIndexes());
    await this.#timed("catching up", () => this.#catchUp());
  }

  /** Copies what was written, again and again, for as long as that becomes less. */
  async #catchUp(): Promise<void> {
    let before = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PASSES; i++) {
      const copied = await this.#pass("catching up");
      if (copied <= SHORT * this.#deps.copier.lanes || copied > before / 2) return;
      before = copied;
    }
  }

  /** Copies what is new and what was written again; the number of parts. */
  async #pass(stage: MoveStage): Promise<number> {
    const { source, target } = this.#deps;
    const to = source.extend();
    await target.months(source.months());
    const touched = this.#parts.touched(source.marks());
    // All of them before any is copied again: what is unique may have gone from one to another.
    await this.#each(stage, touched, (part) => this.#forget(part));
    const parts = this.#parts.gaps(to).flatMap(({ kind, from, to }) => source.split(kind, from, to));
    await this.#each(stage, parts, async (part) => {
      const sums = await this.#deps.copier.copy(part);
      this.#parts.put({ kind: part.kind, from: part.from, to: part.to, sums });
    });
    source.settled();
    return parts.length;
  }

  /** Compares what was not compared since it was copied; null where all is the same. */
  async compare(): Promise<MoveDifference[] | null> {
    const differences = await this.#timed("comparing", async () => [
      ...(await this.#compare("comparing")),
      ...(await this.#strangers()),
    ]);
    if (differences.length > 0) return differences;
    // Comparing all takes as long as copying half of it.
    await this.#timed("catching up", () => this.#catchUp());
    return null;
  }

  /** Rows of the target that are in no part: nobody else may have put any there. */
  async #strangers(): Promise<MoveDifference[]> {
    const counts = await this.#deps.target.counts();
    return Object.entries(this.#parts.totals()).flatMap(([table, here]): MoveDifference[] => {
      const rows = counts[table] ?? 0;
      return rows === here.rows ? [] : [{ table, range: null, source: here, target: { ...here, rows } }];
    });
  }

  async #compare(stage: MoveStage): Promise<MoveDifference[]> {
    const differences: MoveDifference[] = [];
    await this.#each(stage, this.#parts.unproven, async (part) => {
      const found = await this.#deps.target.sums(part);
      const wrong = Object.entries(part.sums).flatMap(([table, here]): MoveDifference[] => {
        const there = found[table] ?? { rows: 0, sum: 0n };
        if (here.rows === there.rows && here.sum === there.sum) return [];
        return [{ table, range: { from: part.from, to: part.to }, source: here, target: there }];
      });
      differences.push(...wrong);
      if (wrong.length === 0) this.#parts.proven(part);
      else await this.#forget(part);
    });
    return differences;
  }

  /** It is copied anew, now or by the next move. */
  async #forget(part: CopiedPart): Promise<void> {
    this.#parts.drop(part);
    await this.#deps.target.forget(part);
  }

  /** The rest, while nobody writes. The differences, or null when the source is closed. */
  async copyRest(): Promise<MoveDifference[] | null> {
    return this.#timed("the rest, without writes", async () => {
      const { source } = this.#deps;
      source.freeze(FREEZE_MS);
      const renewing = setInterval(() => this.#renew(), RENEW_MS);
      try {
        for (let i = 0; i < FREEZES; i++) {
          const differences = await this.#rest();
          if (differences) return differences;
          if (source.finish(!this.#input.keep)) return null;
          source.freeze(FREEZE_MS);
        }
        throw new AppError(
          "store_unavailable",
          "The store was written to while writes were refused: the move was too slow",
        );
      } catch (cause) {
        source.unfreeze();
        throw cause;
      } finally {
        clearInterval(renewing);
      }
    });
  }

  /** Where that fails the freeze may end; what is written then is found in the end. */
  #renew(): void {
    try {
      this.#deps.source.freeze(FREEZE_MS);
    } catch {
      // Tried again soon.
    }
  }

  async #rest(): Promise<MoveDifference[] | null> {
    const { source } = this.#deps;
    await this.#pass("the rest, without writes");
    const differences = await this.#compare("the rest, without writes");
    if (differences.length === 0) return null;
    source.unfreeze();
    return differences;
  }

  /** Two for each connection: one is sent while the next is read. */
  async #each<P extends MovePart>(
    stage: MoveStage,
    parts: readonly P[],
    work: (part: P) => Promise<void>,
  ): Promise<void> {
    const { signal, onProgress } = this.#input;
    let [next, done] = [0, 0];
    const lane = async (): Promise<void> => {
      for (let part = parts[next++]; part !== undefined; part = parts[next++]) {
        try {
          if (signal?.aborted) throw new AppError("shutting_down", "The move was stopped");
          await work(part);
        } catch (cause) {
          // The others end what they have begun.
          next = parts.length;
          throw cause;
        }
        onProgress?.(stage, ++done, parts.length);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: SHORT * this.#deps.copier.lanes }, lane));
    const failed = lanes.find((lane) => lane.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #timed<T>(stage: MoveStage, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#spent[stage] = (this.#spent[stage] ?? 0) + performance.now() - started;
    }
  }
}

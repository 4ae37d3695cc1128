/**
 * Reads from replicas, as far as they have come. Whatever this process has written or heard of has a position in the
 * server's log (LSN); a replica that has not replayed it yet is passed by, and the primary answers. A position can also come
 * from outside: whoever wrote through another process brings the one that was answered there.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AppError } from "../../../errors.ts";
import type { Database, Transaction, Value } from "./database.ts";
import { isOverdue } from "./fault.ts";
import { parsePosition } from "./position.ts";

/** What reads need: the primary, or this. */
export type Asker = Pick<Database, "all" | "get" | "reading">;

/** What was learnt of a replica is believed so long, where it was not far enough. */
const BEHIND_MS = 5;
/** A replica that failed is left alone so long. */
const AWAY_MS = 1_000;

class Replica {
  readonly db: Database;
  #replayed = -1n;
  #asking: Promise<void> | null = null;
  #notBefore = 0;

  constructor(db: Database) {
    this.db = db;
  }

  /** Whether everything up to `position` is there; asks when that is not known. */
  async has(position: bigint): Promise<boolean> {
    if (this.#replayed >= position) return true;
    if (performance.now() < this.#notBefore) return false;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
    return this.#replayed >= position;
  }

  /** Not asked for a while. */
  leave(): void {
    this.#replayed = -1n;
    this.#notBefore = performance.now() + AWAY_MS;
  }

  async #ask(): Promise<void> {
    try {
      const row = await this.db.get<{ at: string | null }>("SELECT pg_last_wal_replay_lsn()::text AS at");
      // A replica that was promoted replays nothing: it is no replica of this primary any more.
      const at = row?.at === null || row === undefined ? null : parsePosition(row.at);
      if (at === null) this.leave();
      else this.#replayed = at;
      if (at !== null) this.#notBefore = performance.now() + BEHIND_MS;
    } catch {
      this.leave();
    }
  }
}

export class Replicas implements Asker {
  readonly #primary: Database;
  readonly #replicas: readonly Replica[];
  readonly #wanted = new AsyncLocalStorage<bigint>();
  #next = 0;

  constructor(primary: Database, replicas: readonly Database[]) {
    this.#primary = primary;
    this.#replicas = replicas.map((db) => new Replica(db));
  }

  /** Runs `work` so that its reads see everything up to a position that `parsePosition` understands. */
  during<T>(position: string, work: () => T): T {
    const wanted = parsePosition(position);
    return wanted === null ? work() : this.#wanted.run(wanted, work);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: readonly Value[]): Promise<Row[]> {
    return this.#ask((db) => db.all<Row>(sql, ...params));
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  get<Row>(sql: string, ...params: readonly Value[]): Promise<Row | undefined> {
    return this.#ask((db) => db.get<Row>(sql, ...params));
  }

  reading<T>(limit_ms: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#ask((db) => db.reading(limit_ms, work));
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map(({ db }) => db.close()));
  }

  async #ask<T>(question: (db: Database) => Promise<T>): Promise<T> {
    const replica = await this.#choose();
    if (!replica) return question(this.#primary);
    try {
      return await question(replica.db);
    } catch (cause) {
      // Away, or in conflict with what it replays. Whoever has no time left has none for the primary either.
      if (isOverdue(cause) || !(cause instanceof AppError)) throw cause;
      replica.leave();
      return question(this.#primary);
    }
  }

  /** The next replica that has come far enough; undefined where none has. */
  async #choose(): Promise<Replica | undefined> {
    const wanted = this.#wanted.getStore() ?? 0n;
    const position = wanted > this.#primary.position ? wanted : this.#primary.position;
    for (let i = 0; i < this.#replicas.length; i++) {
      const replica = this.#replicas[this.#next++ % this.#replicas.length] as Replica;
      if (await replica.has(position)) return replica;
    }
    return undefined;
  }
}

/** The read-only connection of the event loop, for prepared, bounded statements. */
import { setImmediate as turn } from "node:timers/promises";
import type { Statement } from "better-sqlite3";
import type { Connection } from "./connection.ts";
import type { Reads } from "./engine.ts";
import type { ReadPause } from "./read-pause.ts";

export class LoopReader implements Reads {
  readonly #db: Connection;
  readonly #pause: ReadPause;
  #statements = new Map<string, Statement>();

  constructor(db: Connection, pause: ReadPause) {
    this.#db = db;
    this.#pause = pause;
  }

  /** First row; throws store_unavailable for faults of the file. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  get<Row>(sql: string, ...params: unknown[]): Row | undefined {
    return this.#pause.run(() => this.#prepare(sql).get(...params) as Row | undefined);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: unknown[]): Row[] {
    return this.#pause.run(() => this.#prepare(sql).all(...params) as Row[]);
  }

  /** Several reads of one state of the store: nothing is committed between them. */
  together<T>(reads: () => T): T {
    return this.#pause.run(() => this.#db.transaction(reads)());
  }

  /** Changes whenever another connection, of this process or another, has committed. */
  dataVersion(): number {
    return this.#pause.run(() => this.#db.pragma("data_version", { simple: true }) as number);
  }

  /** Lets other work of the loop go first, between the steps of a longer read. */
  turn(): Promise<void> {
    return turn();
  }

  close(): void {
    this.#db.close();
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

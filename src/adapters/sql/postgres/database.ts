/**
 * The connections of one process. Nothing here lasts longer than a transaction: no prepared names, no settings of the
 * session, so that a pooler in transaction mode (PgBouncer) may stand in between.
 */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import type { Reads } from "../engine.ts";
import { isLost, isOverdue, isRetryable, storeFault } from "./fault.ts";
import { parsePosition } from "./position.ts";

export type Value = string | number | bigint | boolean | null | Uint8Array | readonly (Value | null)[];

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database, or postgresql:// */
  readonly url: string;
  /** Connections at most. */
  readonly pool: number;
}

/** One statement of an open transaction. */
export interface Transaction {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: readonly Value[]): Promise<Row[]>;
  /** The number of rows it touched. */
  run(sql: string, ...params: readonly Value[]): Promise<number>;
}

/** How long a process waits for one of its own connections, and the server for a lock, before store_unavailable. */
const WAIT_MS = 5_000;
/** No write takes as long; a process that was stopped in the middle of one lets go of its locks. */
const WRITE_MS = 60_000;
const STALLED_MS = 30_000;
const ATTEMPTS = 8;
/** Between tries of a transaction that was undone for another's sake: longer each time, and not the same for both. */
const PAUSE_MS = 4;

const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${WAIT_MS};
  SET LOCAL statement_timeout = ${WRITE_MS}; SET LOCAL idle_in_transaction_session_timeout = ${STALLED_MS};
  SET LOCAL synchronous_commit = on`;

/** With where the log stands after it: at or behind this transaction. */
const COMMIT = "COMMIT; SELECT pg_current_wal_insert_lsn()::text AS at";

/** OIDs whose text is a number that JavaScript holds: int8 (numbers of rows and milliseconds), int4, int2, float8. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 701]);
const types = {
  getTypeParser: (oid: number) => (NUMBERS.has(oid) ? Number : pg.types.getTypeParser(oid)),
};

/** Text cannot hold NUL. Nothing that is stored has one (ids are checked, words are bytes): asked for, it is not found. */
function clean(value: Value): Value {
  return typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;
}

const numbered = new Map<string, string>();

/** The text shared with SQLite, its question marks numbered. */
function inOurWords(sql: string): string {
  let text = numbered.get(sql);
  if (text === undefined) {
    let n = 0;
    text = sql.includes("?") ? sql.replaceAll("?", () => `$${++n}`) : sql;
    numbered.set(sql, text);
  }
  return text;
}

export class Database implements Reads {
  readonly #pool: pg.Pool;
  readonly #url: string;
  #commits = 0;
  #position = 0n;

  constructor({ url, pool }: DatabaseOptions) {
    this.#url = url;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: pool,
      connectionTimeoutMillis: WAIT_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      application_name: "earshot",
      types,
    });
    // Of connections that nobody uses: the pool has dropped it, and whoever asks next gets another.
    this.#pool.on("error", () => undefined);
  }

  /** How far the server's log had come when this process last wrote, or heard of what others wrote. */
  get position(): bigint {
    return this.#position;
  }

  /** The server says how far its log has come: "16/B374D848". */
  heard(text: string): void {
    const position = parsePosition(text);
    if (position !== null && position > this.#position) this.#position = position;
  }

  /** Transactions committed. */
  get commits(): number {
    return this.#commits;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  async all<Row>(sql: string, ...params: readonly Value[]): Promise<Row[]> {
    return (await this.#ask(sql, params)).rows as Row[];
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  async get<Row>(sql: string, ...params: readonly Value[]): Promise<Row | undefined> {
    return (await this.#ask(sql, params)).rows[0] as Row | undefined;
  }

  /** Whatever is asked this way may be asked twice: a connection that was cut meanwhile costs another try. */
  async #ask(sql: string, params: readonly Value[]): Promise<pg.QueryResult> {
    const query = () => this.#pool.query(inOurWords(sql), params.map(clean));
    try {
      return await query().catch((cause: unknown) => {
        if (isLost(cause)) return query();
        throw cause;
      });
    } catch (cause) {
      throw storeFault(cause) ?? cause;
    }
  }

  /** Nobody waits here for the loop: other connections go on. */
  async turn(): Promise<void> {}

  /**
   * Runs `work` in one transaction; resolves when it is on disk. One that was undone for another's sake (a deadlock) is
   * run again, so `work` may run several times. Rejects with AppError for faults of the server.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const value = await this.#once(BEGIN, COMMIT, work);
        this.#commits++;
        return value;
      } catch (cause) {
        if (!isRetryable(cause) || attempt >= ATTEMPTS) throw storeFault(cause) ?? cause;
        await wait(PAUSE_MS * attempt * (1 + Math.random()));
      }
    }
  }

  /** Runs reads of one moment, each of which may take `limit_ms`: past it they reject with what isOverdue knows. */
  async reading<T>(limit_ms: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(limit_ms))}`;
    try {
      return await this.#once(begin, "COMMIT", work);
    } catch (cause) {
      if (isOverdue(cause)) throw cause;
      throw storeFault(cause) ?? cause;
    }
  }

  async #once<T>(begin: string, commit: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { client, release } = await this.#begin(begin);
    const query = async (sql: string, params: readonly Value[]) => client.query(inOurWords(sql), params.map(clean));
    let lost = false;
    try {
      const value = await work({
        all: async <Row>(sql: string, ...params: readonly Value[]) => (await query(sql, params)).rows as Row[],
        run: async (sql, ...params) => (await query(sql, params)).rowCount ?? 0,
      });
      const results = [await client.query<{ at: string }>(commit)].flat();
      if (results[0]?.command !== "COMMIT") throw new Error("the transaction had failed before it was committed");
      const at = results[1]?.rows[0]?.at;
      if (at !== undefined) this.heard(at);
      return value;
    } catch (cause) {
      lost ||= isLost(cause);
      if (!lost) await client.query("ROLLBACK").catch(() => (lost = true));
      throw cause;
    } finally {
      release(lost);
    }
  }

  /** A connection in a transaction. One that was cut while nobody used it is found out here, before anything was done. */
  async #begin(begin: string): Promise<{ client: pg.PoolClient; release: (lost: boolean) => void }> {
    for (let attempt = 1; ; attempt++) {
      const client = await this.#pool.connect();
      let failed = false;
      // Between two statements nobody else listens, and an error that nobody hears ends the process.
      const onError = () => {
        failed = true;
      };
      client.on("error", onError);
      const release = (lost: boolean) => {
        client.off("error", onError);
        client.release(lost || failed);
      };
      try {
        await client.query(begin);
        return { client, release };
      } catch (cause) {
        release(true);
        if (!isLost(cause) || attempt >= ATTEMPTS) throw cause;
      }
    }
  }

  /** A connection of its own, to listen on; the caller ends it. */
  dedicated(): pg.Client {
    return new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: WAIT_MS,
      keepAlive: true,
      application_name: "earshot",
    });
  }

  /** Statements outside of any transaction, one after the other on one connection (migrations). */
  async session<T>(work: (query: (sql: string) => Promise<pg.QueryResult>) => Promise<T>): Promise<T> {
    const client = this.dedicated();
    // What ends the connection is told by the statement that was under way.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await work((sql) => client.query(sql));
    } catch (cause) {
      throw storeFault(cause) ?? cause;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

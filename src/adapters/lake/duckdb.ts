/** DuckDB in this process: it writes and reads the lake's files. The library is large, and loaded by who has a lake. */
import type * as duckdb from "@duckdb/node-api";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { AppError } from "../../errors.ts";

export type DuckDb = typeof duckdb;

export interface Database {
  readonly duck: DuckDb;
  /** A connection of the user's own; its temporary tables are its own, too. */
  use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  close(): void;
}

const VERSION = "1.5.6-r.1";

async function load(): Promise<DuckDb> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    const todo = `npm install --no-save @duckdb/node-api@${VERSION}`;
    throw new AppError("store_unavailable", `The lake needs DuckDB, which is not installed here: ${todo}`, { cause });
  }
}

/** An empty database in memory that reaches for nothing by itself. @param timezone IANA name, for dates in SQL */
export async function openDatabase(timezone: string): Promise<Database> {
  const duck = await load();
  const instance = await duck.DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    threads: "2",
    memory_limit: "1GB",
    temp_directory: "",
    preserve_insertion_order: "true",
  });
  return {
    duck,
    async use(work) {
      const connection = await instance.connect();
      try {
        await connection.run(`SET TimeZone = ${quoted(timezone)}`);
        return await work(connection);
      } finally {
        connection.closeSync();
      }
    },
    close: () => instance.closeSync(),
  };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of file names for read_parquet. */
export function fileList(paths: readonly string[]): string {
  return `[${paths.map(quoted).join(", ")}]`;
}

/** All rows of a statement, by column name. */
export async function rowsOf<T extends Record<string, DuckDBValue>>(
  connection: DuckDBConnection,
  sql: string,
): Promise<T[]> {
  return (await connection.runAndReadAll(sql)).getRowObjects() as T[];
}

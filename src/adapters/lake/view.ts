/** What is asked for: every enriched call, once. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { AppError } from "../../errors.ts";
import type { LakeAnswer } from "../../ports/lake.ts";
import { rowWriter } from "./columns.ts";
import type { DuckDb } from "./duckdb.ts";
import { readFiles } from "./files.ts";
import type { LakeFile } from "./manifest.ts";

/** Makes the view `calls` over files, which are at `paths`. */
export async function makeView(
  connection: DuckDBConnection,
  duck: DuckDb,
  files: readonly LakeFile[],
  paths: readonly string[],
): Promise<void> {
  if (files.length === 0)
    await connection.run(`CREATE TEMP TABLE calls (${rowWriter(duck, false).declared}, day DATE)`);
  else await connection.run(`CREATE TEMP VIEW calls AS FROM ${readFiles(files, paths)}`);
}

/** Runs SQL whose answer JSON can hold. @throws validation with what DuckDB says of it */
export async function ask(connection: DuckDBConnection, sql: string): Promise<LakeAnswer> {
  try {
    const reader = await connection.runAndReadAll(sql);
    return { columns: reader.columnNames(), rows: reader.getRowsJson() };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    // A file that is gone is nothing that the question can help.
    if (why.startsWith("IO Error")) throw cause;
    throw new AppError("validation", why, { cause });
  }
}

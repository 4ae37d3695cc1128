/** What is asked for: each call once, in its newest version, as far as it is enriched. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { AppError } from "../../errors.ts";
import type { LakeAnswer } from "../../ports/lake.ts";
import { rowsOf } from "./duckdb.ts";
import { readFiles } from "./files.ts";
import { rowWriter } from "./columns.ts";
import type { DuckDb } from "./duckdb.ts";

/**
 * Table `replaced`: calls of more than one version, and the seq of the newest. They are few: reading every column of every
 * version to find the newest would take as long as most questions.
 * @returns days that hold versions which others have replaced
 */
export async function makeReplaced(connection: DuckDBConnection, source: string): Promise<Set<string>> {
  await connection.run(
    `CREATE TEMP TABLE replaced AS
      SELECT call_no, max(seq) AS seq FROM ${source} GROUP BY call_no HAVING count(*) > 1`,
  );
  const days = await rowsOf<{ day: string }>(
    connection,
    `SELECT DISTINCT CAST(r.day AS VARCHAR) AS day FROM ${source} AS r
      JOIN replaced AS n ON n.call_no = r.call_no AND r.seq < n.seq`,
  );
  return new Set(days.map(({ day }) => day));
}

/** Makes the view `calls` over files at these paths. */
export async function makeView(connection: DuckDBConnection, duck: DuckDb, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) {
    await connection.run(`CREATE TEMP TABLE none (${rowWriter(duck, false).declared}, day DATE)`);
    await connection.run("CREATE TEMP VIEW calls AS SELECT * EXCLUDE (enriched) FROM none");
    return;
  }
  const source = readFiles(paths);
  const spoilt = await makeReplaced(connection, source);
  const newest = spoilt.size === 0 ? "" : "ANTI JOIN replaced AS n ON n.call_no = r.call_no AND r.seq < n.seq";
  await connection.run(
    `CREATE TEMP VIEW calls AS SELECT r.* EXCLUDE (enriched) FROM ${source} AS r ${newest} WHERE enriched`,
  );
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

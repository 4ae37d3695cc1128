/** One change of the lake: new files beside the old ones, then the manifest that makes them the truth. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { LakeChange, LakeRow, LakeTerms } from "../../ports/lake.ts";
import { rowWriter } from "./columns.ts";
import { type Database, fileList, quoted, rowsOf } from "./duckdb.ts";
import { fetchAll, writeFile } from "./files.ts";
import { allFiles, createManifest, type LakeFile, type Manifest } from "./manifest.ts";
import type { Objects } from "./objects.ts";

export interface ChangeDeps {
  readonly objects: Objects;
  readonly database: Database;
  readonly now: () => number;
}

/** Rows given to DuckDB at once: the event loop waits meanwhile. */
const CHUNK = 100;

const same = (a: LakeTerms, b: LakeTerms): boolean =>
  a.log_id === b.log_id && a.timezone === b.timezone && a.text === b.text;

/** Whether the change is the truth now. What was written for nothing is left for `removeOrphans`. */
export function changeLake(deps: ChangeDeps, base: Manifest | null, change: LakeChange): Promise<boolean> {
  const { objects, database } = deps;
  const version = (base?.version ?? 0) + 1;
  return database.use(async (connection) => {
    await stage(database, connection, change);
    const own = { objects, connection };
    const added: LakeFile[] = [];
    for (const { day } of await rowsOf<{ day: string }>(connection, "SELECT DISTINCT day FROM staged ORDER BY day")) {
      const select = `SELECT * EXCLUDE (day) FROM staged WHERE day = ${quoted(day)}`;
      const file = await writeFile(own, { version, day, select });
      if (file !== null) added.push(file);
    }
    const rewritten = await withoutGone(own, version, base === null ? [] : allFiles(base), change.gone);
    const now = (files: readonly LakeFile[]): LakeFile[] =>
      files.flatMap((file) => (rewritten.has(file.path) ? (rewritten.get(file.path) ?? []) : file));
    const { step, terms, seq } = change;
    const head = {
      version,
      writer: randomUUID(),
      made_at: new Date(deps.now()).toISOString(),
      terms,
      seq,
    };
    const served = now(base?.files ?? []);
    if (step.kind === "append") return createManifest(objects, { ...head, fill: null, files: [...served, ...added] });
    const goesOn = base?.fill && same(base.terms, terms) && base.fill.seq === (step.fill?.seq ?? seq);
    const filled = [...(goesOn ? now(base.fill?.files ?? []) : []), ...added];
    if (step.fill === null) return createManifest(objects, { ...head, fill: null, files: filled });
    // The place in the log is that of the files that are read.
    const fill = { ...step.fill, files: filled };
    return createManifest(objects, { ...head, seq: base?.seq ?? 0, fill, files: served });
  });
}

/** Into a table of the connection's own, each row with its local day. */
async function stage(database: Database, connection: DuckDBConnection, { rows, terms }: LakeChange): Promise<void> {
  const writer = rowWriter(database.duck, terms.text);
  await connection.run(`CREATE TEMP TABLE arrived (${writer.declared})`);
  const appender = await connection.createAppender("arrived", null, "temp");
  const append = (some: readonly LakeRow[]): void => {
    for (let i = 0; i < some.length; i += CHUNK) writer.append(appender, some.slice(i, i + CHUNK));
  };
  try {
    for await (const some of rows) append(some);
  } finally {
    appender.closeSync();
  }
  await connection.run(
    `CREATE TEMP VIEW staged AS SELECT *,
       strftime(timezone(${quoted(terms.timezone)}, start_time), '%Y-%m-%d') AS day FROM arrived`,
  );
}

/** Files that hold rows of erased calls -> the file in their place; null: nothing else was in it. */
async function withoutGone(
  deps: { objects: Objects; connection: DuckDBConnection },
  version: number,
  files: readonly LakeFile[],
  gone: ReadonlyMap<number, number>,
): Promise<Map<string, LakeFile | null>> {
  const { objects, connection } = deps;
  const rewritten = new Map<string, LakeFile | null>();
  const numbers = [...gone.keys()].toSorted((a, b) => a - b);
  const maybe = files.filter(({ call_no: [low, high] }) => numbers.some((n) => n >= low && n <= high));
  if (maybe.length === 0) return rewritten;
  const paths = await fetchAll(objects, maybe);
  const byPath = new Map(maybe.map((file) => [join(objects.folder, file.path), file]));
  await connection.run("CREATE TEMP TABLE gone (call_no BIGINT, seq BIGINT)");
  const appender = await connection.createAppender("gone", null, "temp");
  for (const [call_no, seq] of gone) {
    appender.appendBigInt(BigInt(call_no));
    appender.appendBigInt(BigInt(seq));
    appender.endRow();
  }
  appender.closeSync();
  const touched = await rowsOf<{ filename: string }>(
    connection,
    `SELECT DISTINCT filename FROM read_parquet(${fileList(paths)}, filename = true, hive_partitioning = false) AS r
      JOIN gone ON gone.call_no = r.call_no AND r.seq < gone.seq`,
  );
  for (const { filename } of touched) {
    const file = byPath.get(filename) as LakeFile;
    const select = `SELECT r.* FROM read_parquet(${quoted(filename)}, hive_partitioning = false) AS r
      ANTI JOIN gone ON gone.call_no = r.call_no AND r.seq < gone.seq`;
    rewritten.set(file.path, await writeFile(deps, { version, day: file.day, select }));
  }
  return rewritten;
}

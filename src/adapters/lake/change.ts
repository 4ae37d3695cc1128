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
    const columns = await stage(database, connection, change);
    await gather(connection, change);
    const own = { objects, connection };
    const added: LakeFile[] = [];
    for (const { day } of await rowsOf<{ day: string }>(connection, "SELECT DISTINCT day FROM staged ORDER BY day")) {
      change.signal?.throwIfAborted();
      const select = `SELECT * EXCLUDE (day) FROM staged WHERE day = ${quoted(day)}`;
      const file = await writeFile(own, { version, day, select, columns });
      if (file !== null) added.push(file);
    }
    const rewritten = await withoutOld(own, version, base === null ? [] : allFiles(base), change.signal);
    await objects.publish([...added, ...rewritten.values()].flatMap((file) => file?.path ?? []));
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

/** Table `staged`: each row with its local day, a day's together. How many columns a file of them has. */
async function stage(database: Database, connection: DuckDBConnection, { rows, terms }: LakeChange): Promise<number> {
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
    `CREATE TEMP TABLE staged AS SELECT *,
       strftime(timezone(${quoted(terms.timezone)}, start_time), '%Y-%m-%d') AS day FROM arrived ORDER BY day`,
  );
  await connection.run("DROP TABLE arrived");
  return writer.count;
}

/** Table `old`: before which event no row of a call may stay, be it gone or written anew. */
async function gather(connection: DuckDBConnection, { gone, step }: LakeChange): Promise<void> {
  await connection.run("CREATE TEMP TABLE old (call_no BIGINT, seq BIGINT)");
  // A filling begins without anything, and writes each call once.
  if (step.kind === "append") await connection.run("INSERT INTO old SELECT call_no, seq FROM staged");
  const appender = await connection.createAppender("old", null, "temp");
  for (const [call_no, seq] of gone) {
    appender.appendBigInt(BigInt(call_no));
    appender.appendBigInt(BigInt(seq));
    appender.endRow();
  }
  appender.closeSync();
}

/** Files that hold such rows -> the file in their place; null: nothing else was in it. */
async function withoutOld(
  deps: { objects: Objects; connection: DuckDBConnection },
  version: number,
  files: readonly LakeFile[],
  signal: AbortSignal | undefined,
): Promise<Map<string, LakeFile | null>> {
  const { objects, connection } = deps;
  const rewritten = new Map<string, LakeFile | null>();
  const old = await rowsOf<{ call_no: bigint }>(connection, "SELECT call_no FROM old ORDER BY call_no");
  const numbers = old.map(({ call_no }) => Number(call_no));
  const maybe = files.filter(({ call_no: [low, high] }) => (numbers[firstAtLeast(numbers, low)] ?? Infinity) <= high);
  if (maybe.length === 0) return rewritten;
  const paths = await fetchAll(objects, maybe);
  const byPath = new Map(maybe.map((file) => [join(objects.folder, file.path), file]));
  const touched = await rowsOf<{ filename: string }>(
    connection,
    `SELECT DISTINCT filename FROM read_parquet(${fileList(paths)}, filename = true, hive_partitioning = false) AS r
      JOIN old ON old.call_no = r.call_no AND r.seq < old.seq`,
  );
  for (const { filename } of touched) {
    signal?.throwIfAborted();
    const file = byPath.get(filename) as LakeFile;
    const select = `SELECT r.* FROM read_parquet(${quoted(filename)}, hive_partitioning = false) AS r
      ANTI JOIN old ON old.call_no = r.call_no AND r.seq < old.seq`;
    rewritten.set(file.path, await writeFile(deps, { version, day: file.day, select, columns: file.columns }));
  }
  return rewritten;
}

/** Index of the first of ascending numbers that is `low` or more. */
function firstAtLeast(numbers: readonly number[], low: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((numbers[middle] as number) < low) from = middle + 1;
    else to = middle;
  }
  return from;
}

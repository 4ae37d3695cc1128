/** Writing the lake's files, and knowing what is in them. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { fileList, quoted, rowsOf } from "./duckdb.ts";
import { fileName, type LakeFile } from "./manifest.ts";
import { forEachName, type Objects } from "./objects.ts";

/** What is selected, as a file of the day; null where that is nothing. It is to be published, and counts once a manifest names it. */
export async function writeFile(
  { objects, connection }: { objects: Objects; connection: DuckDBConnection },
  { version, day, select, columns }: { version: number; day: string; select: string; columns: number },
): Promise<LakeFile | null> {
  const name = fileName(version, day, randomBytes(4).toString("hex"));
  const path = join(objects.folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A name that a killed process left would not be known as one of ours.
  await connection.run(
    `COPY (${select} ORDER BY call_no) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
  );
  // Read back: what is said of it is what others will find.
  const [facts] = await rowsOf<Record<string, bigint>>(
    connection,
    `SELECT count(*) AS rows, min(seq) AS first, max(seq) AS last, min(call_no) AS low, max(call_no) AS high
       FROM read_parquet(${quoted(path)}, hive_partitioning = false)`,
  );
  const number = (name: string): number => Number(facts?.[name] ?? 0);
  if (number("rows") === 0) {
    await rm(path, { force: true });
    return null;
  }
  return {
    path: name,
    day,
    rows: number("rows"),
    columns,
    ...(await digest(path)),
    seq: [number("first"), number("last")],
    call_no: [number("low"), number("high")],
  };
}

export async function digest(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest("hex") };
}

/** Paths to read the files at. @throws where one is not there any more: the newest manifest names others */
export async function fetchAll(objects: Objects, files: readonly LakeFile[]): Promise<string[]> {
  const names = files.map(({ path }) => path);
  await forEachName(names, async (name) => {
    if (!(await objects.fetch(name))) throw new Error(`${name} is not there`);
  });
  return names.map((name) => join(objects.folder, name));
}

/** SQL that reads the files, which are at `paths`, as one table with their day; not of no files. */
export function readFiles(files: readonly LakeFile[], paths: readonly string[]): string {
  // To unite columns every file is opened, also those of days that nobody asks for.
  const unite = new Set(files.map((file) => file.columns)).size > 1 ? ", union_by_name = true" : "";
  return `read_parquet(${fileList(paths)}, hive_partitioning = true${unite})`;
}

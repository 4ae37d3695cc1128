/** Writing the lake's files, and knowing what is in them. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { fileList, quoted, rowsOf } from "./duckdb.ts";
import { fileName, type LakeFile } from "./manifest.ts";
import type { Objects } from "./objects.ts";

/** Files on their way at the same time. */
const AT_ONCE = 8;

/** What is selected, as a file of the day; null where that is nothing. It counts once a manifest names it. */
export async function writeFile(
  { objects, connection }: { objects: Objects; connection: DuckDBConnection },
  { version, day, select }: { version: number; day: string; select: string },
): Promise<LakeFile | null> {
  const name = fileName(version, day, randomBytes(4).toString("hex"));
  const path = join(objects.folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A name that a killed process left would not be known as one of ours.
  await connection.run(
    `COPY (${select} ORDER BY call_no) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
  );
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
  await objects.publish(name);
  return {
    path: name,
    day,
    rows: number("rows"),
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
  for (let i = 0; i < files.length; i += AT_ONCE) {
    const some = files.slice(i, i + AT_ONCE);
    await Promise.all(
      some.map(async ({ path }) => {
        if (!(await objects.fetch(path))) throw new Error(`${path} is not there`);
      }),
    );
  }
  return files.map(({ path }) => join(objects.folder, path));
}

/** SQL that reads the files as one table; not of no files. */
export function readFiles(paths: readonly string[]): string {
  return `read_parquet(${fileList(paths)}, hive_partitioning = true, union_by_name = true)`;
}

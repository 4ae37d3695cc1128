/** Whether the files are what the manifest says they are. */
import { join } from "node:path";
import type { ChangeDeps } from "./change.ts";
import { rowsOf } from "./duckdb.ts";
import { digest, readFiles } from "./files.ts";
import { CALLS, isOrphan, type LakeFile, type Manifest } from "./manifest.ts";

/** What is wrong, one sentence each; reads every byte. */
export async function checkFiles({ objects, database }: ChangeDeps, manifest: Manifest): Promise<string[]> {
  const problems: string[] = [];
  const whole: { file: LakeFile; path: string }[] = [];
  for (const file of manifest.files) {
    if (!(await objects.fetch(file.path))) {
      problems.push(`${file.path} is not there`);
      continue;
    }
    const path = join(objects.folder, file.path);
    const found = await digest(path);
    if (found.sha256 === file.sha256) whole.push({ file, path });
    else problems.push(`${file.path} is not what was written: SHA-256 ${found.sha256}, not ${file.sha256}`);
  }
  const orphans = (await objects.list(CALLS)).filter(isOrphan(manifest));
  problems.push(
    ...orphans.map((name) => `${name} was left by a writer that did not finish; the next write takes it away`),
  );
  if (whole.length === 0) return problems;
  const source = readFiles(
    whole.map(({ file }) => file),
    whole.map(({ path }) => path),
  );
  await database.use(async (connection) => {
    const [facts] = await rowsOf<Record<string, bigint>>(
      connection,
      `SELECT count(*) AS rows, count(DISTINCT call_no) AS calls, max(seq) AS seq FROM ${source}`,
    );
    const { rows = 0n, calls = 0n, seq = 0n } = facts ?? {};
    const said = manifest.files.reduce((n, file) => n + file.rows, 0);
    if (whole.length === manifest.files.length && Number(rows) !== said)
      problems.push(`the files hold ${rows} rows, the manifest counts ${said}`);
    if (calls !== rows) problems.push(`${rows - calls} rows are of calls that are there already`);
    if (Number(seq) > manifest.seq) problems.push(`a row is of event ${seq}, the manifest ends with ${manifest.seq}`);
  });
  return problems;
}

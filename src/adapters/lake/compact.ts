/** Days of many small files become days of one. */
import { randomUUID } from "node:crypto";
import { quoted } from "./duckdb.ts";
import { fetchAll, readFiles, writeFile } from "./files.ts";
import { createManifest, type LakeFile, type Manifest } from "./manifest.ts";
import type { ChangeDeps } from "./change.ts";
import { makeReplaced } from "./view.ts";

/** Days of a commit: of a large lake a part becomes visible, and is safe, before the end. */
const DAYS = 32;

/** Days rewritten by one commit; `stale`: somebody else has changed the lake. */
export function compactOnce(
  { objects, database, now }: ChangeDeps,
  base: Manifest,
  options: { files: number; whole: boolean },
): Promise<number | "stale"> {
  const version = base.version + 1;
  return database.use(async (connection) => {
    const days = Map.groupBy(base.files, (file) => file.day);
    // Replaced versions may be in a day that the call has left.
    const all = options.whole ? await fetchAll(objects, base.files) : [];
    const spoilt = all.length === 0 ? new Set<string>() : await makeReplaced(connection, readFiles(all));
    const due = [...days].filter(([day, files]) => files.length >= options.files || spoilt.has(day)).slice(0, DAYS);
    if (due.length === 0) return 0;
    const merged = new Map<string, LakeFile | null>();
    for (const [day, files] of due) {
      const source = readFiles(await fetchAll(objects, files));
      if (!options.whole) {
        await connection.run("DROP TABLE IF EXISTS replaced");
        await makeReplaced(connection, source);
      }
      const select = `SELECT r.* EXCLUDE (day) FROM ${source} AS r
        ANTI JOIN replaced AS n ON n.call_no = r.call_no AND r.seq < n.seq WHERE day = ${quoted(day)}`;
      merged.set(day, await writeFile({ objects, connection }, { version, day, select }));
    }
    const files = [...base.files.filter((file) => !merged.has(file.day)), ...merged.values()].filter((f) => f !== null);
    const made = { version, writer: randomUUID(), made_at: new Date(now()).toISOString() };
    const { terms, seq, fill } = base;
    return (await createManifest(objects, { ...made, terms, seq, fill, files })) ? due.length : "stale";
  });
}

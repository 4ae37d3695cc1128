/** Days of many small files become days of one. */
import { randomUUID } from "node:crypto";
import type { ChangeDeps } from "./change.ts";
import { fetchAll, readFiles, writeFile } from "./files.ts";
import { createManifest, type LakeFile, type Manifest } from "./manifest.ts";

/** Days of a commit: of a large lake a part becomes visible, and is safe, before the end. */
const DAYS = 32;

/** Days rewritten by one commit; `stale`: somebody else has changed the lake. */
export function compactOnce(
  { objects, database, now }: ChangeDeps,
  base: Manifest,
  files: number,
  signal: AbortSignal | undefined,
): Promise<number | "stale"> {
  const days = Map.groupBy(base.files, (file) => file.day);
  const due = [...days].filter(([, of]) => of.length >= files).slice(0, DAYS);
  if (due.length === 0) return Promise.resolve(0);
  const version = base.version + 1;
  return database.use(async (connection) => {
    const merged = new Map<string, LakeFile | null>();
    for (const [day, of] of due) {
      signal?.throwIfAborted();
      const select = `SELECT * EXCLUDE (day) FROM ${readFiles(of, await fetchAll(objects, of))}`;
      const columns = Math.max(...of.map((file) => file.columns));
      merged.set(day, await writeFile({ objects, connection }, { version, day, select, columns }));
    }
    await objects.publish([...merged.values()].flatMap((file) => file?.path ?? []));
    const kept = [...base.files.filter((file) => !merged.has(file.day)), ...merged.values()].filter((f) => f !== null);
    const made = { version, writer: randomUUID(), made_at: new Date(now()).toISOString() };
    const { terms, seq, fill } = base;
    return (await createManifest(objects, { ...made, terms, seq, fill, files: kept })) ? due.length : "stale";
  });
}

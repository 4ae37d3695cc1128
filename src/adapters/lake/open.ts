/** The lake: Parquet files by day in a folder or a bucket, written and read by DuckDB, true by manifest (docs/adr/0018). */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { AppError } from "../../errors.ts";
import type { Lake } from "../../ports/lake.ts";
import { changeLake, type ChangeDeps } from "./change.ts";
import { checkFiles } from "./check.ts";
import { compactOnce } from "./compact.ts";
import { openDatabase } from "./duckdb.ts";
import { fetchAll } from "./files.ts";
import { folderObjects } from "./folder.ts";
import { forgetOrphans, type Manifest, readNewest, removeOrphans, stateOf } from "./manifest.ts";
import type { Objects } from "./objects.ts";
import { type S3Place, s3Objects } from "./s3.ts";
import { ask, makeView } from "./view.ts";

type LakePlace = { readonly kind: "folder"; readonly path: string } | ({ readonly kind: "s3" } & S3Place);

export interface LakeOptions {
  readonly place: LakePlace;
  /** For what is fetched of a bucket. */
  readonly cacheFolder: string;
  /** IANA name, for dates in SQL. */
  readonly timezone: string;
  readonly now: () => number;
}

/** Reads of a lake that is changed meanwhile begin anew so often. */
const TRIES = 5;

function objectsOf({ place, cacheFolder }: LakeOptions): Objects {
  if (place.kind === "folder") return folderObjects(place.path);
  // Files of two lakes may have the same names.
  const which = createHash("sha256").update(`${place.endpoint} ${place.bucket} ${place.prefix}`).digest("hex");
  return s3Objects(place, join(cacheFolder, which.slice(0, 12)));
}

/** Loads DuckDB; the place is looked at when something is asked. */
export async function openLake(options: LakeOptions): Promise<Lake> {
  const objects = objectsOf(options);
  const database = await openDatabase(options.timezone);
  const deps: ChangeDeps = { objects, database, now: options.now };
  /** Orphans of a process that was killed are looked for before the first commit as well. */
  let tidied = false;

  /** What goes wrong beyond what callers can expect is the lake being away. */
  const reaching = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AppError || (cause instanceof Error && cause.name === "AbortError")) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("store_unavailable", `The lake at ${objects.name} cannot be used: ${why}`, { cause });
    }
  };
  const tidy = async (): Promise<void> => {
    await removeOrphans(objects);
    tidied = true;
  };
  /** Reads by the newest manifest; files it names can be gone by then, and a newer one names others. */
  const reading = async <T>(read: (manifest: Manifest | null) => Promise<T>): Promise<T> => {
    for (let n = 1; ; n++) {
      const manifest = await readNewest(objects);
      if (manifest !== null) await forgetOrphans(objects, manifest);
      try {
        return await read(manifest);
      } catch (error) {
        const newest = await readNewest(objects);
        if (n === TRIES || newest?.version === manifest?.version) throw error;
      }
    }
  };

  return {
    state: () => reaching(async () => stateOf(await readNewest(objects))),
    commit: (base, change) =>
      reaching(async () => {
        const manifest = await readNewest(objects);
        if ((manifest?.version ?? 0) !== base.version) return "stale";
        if (!tidied) await tidy();
        try {
          return (await changeLake(deps, manifest, change)) ? "committed" : "stale";
        } catch (error) {
          // Whoever was first takes away what was written here for the same number.
          if ((await readNewest(objects))?.version === manifest?.version) throw error;
          return "stale";
        } finally {
          await tidy();
        }
      }),
    compact: (files, signal) =>
      reaching(async () => {
        let days = 0;
        for (;;) {
          const done = await reading(async (manifest) =>
            manifest === null ? 0 : compactOnce(deps, manifest, files, signal),
          );
          if (done === 0) break;
          if (done !== "stale") days += done;
          await tidy();
        }
        if (!tidied) await tidy();
        return days;
      }),
    query: (sql) =>
      reaching(() =>
        reading((manifest) =>
          database.use(async (connection) => {
            const files = manifest?.files ?? [];
            await makeView(connection, database.duck, files, await fetchAll(objects, files));
            return ask(connection, sql);
          }),
        ),
      ),
    check: () => reaching(() => reading(async (manifest) => (manifest === null ? [] : checkFiles(deps, manifest)))),
    async close() {
      database.close();
    },
  };
}

/**
 * The truth about a lake is its newest manifest: `manifests/NUMBER.json`, a number one higher each, created by whoever comes
 * first and never changed. It names every file that counts. Files are named for the manifest that they are written
 * for, so that any file of a number up to the newest that the newest does not name is nobody's any more, whatever the clock says.
 */
import { AppError } from "../../errors.ts";
import type { LakeFill, LakeState, LakeTerms } from "../../ports/lake.ts";
import type { Objects } from "./objects.ts";

const FORMAT = 1;
const DIGITS = 12;
/** Manifests kept behind the newest, to see what happened. */
const KEPT = 20;
const MANIFESTS = "manifests/";
export const CALLS = "calls/";

export interface LakeFile {
  readonly path: string;
  /** "YYYY-MM-DD". */
  readonly day: string;
  readonly rows: number;
  /** How many it has: later versions may write more. */
  readonly columns: number;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** First and last. */
  readonly seq: readonly [number, number];
  readonly call_no: readonly [number, number];
}

export interface Manifest {
  readonly format: number;
  readonly version: number;
  /** Of the writer: tells it that an answer which was lost was yes. */
  readonly writer: string;
  readonly made_at: string;
  /** Of the filling, while one is under way. */
  readonly terms: LakeTerms;
  readonly seq: number;
  /** Its files are not read yet. */
  readonly fill: (LakeFill & { readonly files: readonly LakeFile[] }) | null;
  readonly files: readonly LakeFile[];
}

const manifestName = (version: number): string => `${MANIFESTS}${String(version).padStart(DIGITS, "0")}.json`;

/** The number a file was written for; null for what is not named as ours are. */
function numberOf(name: string): number | null {
  const digits = /(?:^|\/)(\d{12})[-.][^/]*$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Name of a file that `version` will count. */
export function fileName(version: number, day: string, word: string): string {
  return `${CALLS}day=${day}/${String(version).padStart(DIGITS, "0")}-${word}.parquet`;
}

/** The newest manifest; null where there is none yet. */
export async function readNewest(objects: Objects): Promise<Manifest | null> {
  for (;;) {
    const names = (await objects.list(MANIFESTS)).filter((name) => /\/\d{12}\.json$/.test(name));
    const newest = names.at(-1);
    if (newest === undefined) return null;
    const text = await objects.read(newest);
    // So many have been written meanwhile that it was dropped.
    if (text === null) continue;
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === FORMAT) return manifest;
    throw new AppError("store_unavailable", `The lake at ${objects.name} was written by a newer Earshot`);
  }
}

/** Whether it is the truth now; false: somebody else has made another of its number. */
export async function createManifest(objects: Objects, manifest: Omit<Manifest, "format">): Promise<boolean> {
  const name = manifestName(manifest.version);
  const text = JSON.stringify({ format: FORMAT, ...manifest });
  if (await objects.create(name, text)) return true;
  // A try whose answer was lost may have come through.
  const there = await objects.read(name);
  return there !== null && (JSON.parse(there) as Manifest).writer === manifest.writer;
}

export function allFiles({ files, fill }: Manifest): readonly LakeFile[] {
  return fill === null ? files : [...files, ...fill.files];
}

/** Whether a name can never count again, by what the newest manifest says. */
export function isOrphan(newest: Manifest): (name: string) => boolean {
  const used = new Set(allFiles(newest).map((file) => file.path));
  return (name) => {
    const version = numberOf(name);
    if (version === null || version > newest.version || used.has(name)) return false;
    return name.startsWith(CALLS) || !name.endsWith(".json") || version <= newest.version - KEPT;
  };
}

/** Takes away what can never count again, by the newest manifest as it is at this moment. */
export async function removeOrphans(objects: Objects): Promise<void> {
  const newest = await readNewest(objects);
  if (newest === null) return;
  const orphan = isOrphan(newest);
  const names = [...(await objects.list(CALLS)), ...(await objects.list(MANIFESTS))];
  await objects.remove(names.filter(orphan));
  await forgetOrphans(objects, newest);
}

/** Takes away what was fetched here and does not count any more: erased calls may be in it. */
export async function forgetOrphans(objects: Objects, newest: Manifest): Promise<void> {
  await objects.forget((await objects.fetched()).filter(isOrphan(newest)));
}

export function stateOf(manifest: Manifest | null): LakeState {
  if (manifest === null)
    return { version: 0, terms: null, seq: 0, fill: null, files: 0, rows: 0, bytes: 0, most_files: 0 };
  const { version, terms, seq, fill, files } = manifest;
  const days = Map.groupBy(files, (file) => file.day);
  return {
    version,
    terms,
    seq,
    fill: fill && { seq: fill.seq, after: fill.after },
    files: files.length,
    rows: files.reduce((n, file) => n + file.rows, 0),
    bytes: files.reduce((n, file) => n + file.bytes, 0),
    most_files: Math.max(0, ...[...days.values()].map((of) => of.length)),
  };
}

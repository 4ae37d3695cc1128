import type { Models } from "../ports/models.ts";
import type { ServedVectors } from "../ports/vectors.ts";
import type { Work } from "../ports/work.ts";

export interface Readiness {
  readonly status: "ok" | "degraded" | "unavailable";
  readonly degraded: readonly string[];
  readonly checks: Readonly<Record<string, { readonly ok: boolean } & Readonly<Record<string, unknown>>>>;
}

/** A store that takes longer than this to count its work is as good as gone. */
const PATIENCE_MS = 2_000;
/** Work that waits longer than this is said to lag. */
const LAG_MS = 300_000;
/** Events that the index has not taken in yet; more is said to lag. */
const LAG_EVENTS = 10_000;
/** With less, a checkpoint or a backup may not fit any more. */
export const LOW_DISK_BYTES = 512 * 1024 * 1024;

export interface Vitals {
  /** Of the file system the store is on, in bytes. */
  disk(): Promise<{ free_bytes: number; total_bytes: number }>;
  /** Events the vector index has not taken in; null while there is none. */
  lag(): Promise<number | null>;
  /** Whether the store takes writes: one that was moved away does not. */
  writable(): Promise<boolean>;
  /** Whether events come the way they should. */
  stream(): boolean;
}

/** Looks at store, queue, models, index, stream and disk. Only a store that does not answer, or a shutdown, makes it unavailable. */
export async function readiness(
  deps: {
    work: Pick<Work, "depth">;
    models: Pick<Models, "describe">;
    vectors: Pick<ServedVectors, "describe">;
    vitals?: Vitals | undefined;
  },
  input: { draining: boolean },
): Promise<Readiness> {
  const { vitals } = deps;
  const [depth, index, disk, behind, writable] = await Promise.all([
    inTime(deps.work.depth()),
    inTime(deps.vectors.describe()),
    vitals ? inTime(vitals.disk()) : null,
    vitals ? inTime(vitals.lag()) : null,
    vitals ? inTime(vitals.writable()) : null,
  ]);
  const model = deps.models.describe();
  const lagging = depth !== null && depth.oldest_ms > LAG_MS;
  const checks = {
    store: { ok: depth !== null && writable !== false, ...(writable === false && { writable }) },
    queue: { ok: depth !== null && !lagging, ...depth },
    models: {
      ok: model.method === "model",
      method: model.method,
      model: model.model,
      ...(model.problem !== null && { problem: model.problem }),
    },
    index: { ok: index !== null, ...(index && { rows: index.rows }) },
    ...(vitals && {
      lag: { ok: behind === null || behind <= LAG_EVENTS, events: behind },
      disk: { ok: disk !== null && disk.free_bytes >= LOW_DISK_BYTES, ...disk },
    }),
    // Why not is in the log: the reason names hosts, and everybody may ask here.
    stream: { ok: vitals?.stream() ?? true },
    server: { ok: !input.draining },
  };
  const degraded = Object.entries(checks)
    .filter(([name, check]) => !check.ok && !(name === "queue" && depth === null))
    .map(([name]) => name);
  const unavailable = depth === null || input.draining;
  return { status: unavailable ? "unavailable" : degraded.length > 0 ? "degraded" : "ok", degraded, checks };
}

/** null when it fails or takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([answer, promise]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

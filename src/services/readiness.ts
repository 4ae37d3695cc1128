import type { Models } from "../ports/models.ts";
import type { ServedVectors } from "../ports/vectors.ts";
import type { Work } from "../ports/work.ts";
import type { ReplicaState } from "./replicate.ts";

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
  /** Whether events come the way they should, workers are told of work, and figures are kept for all processes. */
  stream(): boolean;
  /** Of a relay: what it does now, and what failed. */
  relay?(): { active: readonly string[]; failing: readonly string[] };
  dispatch(): boolean;
  cache(): boolean;
  /** Whether the lake follows the store; absent: there is none. */
  lake?(): boolean;
  /** How events and calls get on by way of Kafka; absent where this process has nothing to do with it. */
  kafka?(): Promise<KafkaState>;
}

export interface KafkaState {
  readonly ok: boolean;
  /** Events that the topic does not have yet. */
  readonly events_behind: number;
  /** Messages of the import topic that are not stored yet, of the parts that this process reads. */
  readonly messages_behind: number;
}

/** Looks at store, queue, models, index, stream, dispatch, cache, lake, Kafka and disk. Only a store that does not answer, the first load of a copy, or a shutdown makes it unavailable. */
export async function readiness(
  deps: {
    /** Of a server that is a copy. */
    replica?: { state(): ReplicaState } | undefined;
    work: Pick<Work, "depth">;
    /** Null where this process has no use for it. */
    models: Pick<Models, "describe"> | null;
    vectors: Pick<ServedVectors, "describe"> | null;
    vitals?: Vitals | undefined;
  },
  input: { draining: boolean },
): Promise<Readiness> {
  const { vitals } = deps;
  const [depth, index, disk, behind, kafka, writable] = await Promise.all([
    inTime(deps.work.depth()),
    deps.vectors && inTime(deps.vectors.describe()),
    vitals ? inTime(vitals.disk()) : null,
    vitals ? inTime(vitals.lag()) : null,
    vitals?.kafka ? inTime(vitals.kafka()) : null,
    vitals ? inTime(vitals.writable()) : null,
  ]);
  const model = deps.models?.describe();
  const lagging = depth !== null && depth.oldest_ms > LAG_MS;
  const copy = deps.replica?.state();
  const checks = {
    store: { ok: depth !== null && writable !== false, ...(writable === false && { writable }) },
    queue: { ok: depth !== null && !lagging, ...depth },
    ...(model && {
      models: {
        ok: model.method === "model",
        method: model.method,
        model: model.model,
        ...(model.problem !== null && { problem: model.problem }),
      },
    }),
    ...(deps.vectors && {
      index: {
        ok: index !== null,
        ...(index && { rows: index.rows }),
        ...(index?.by && { by: index.by }),
        ...(index?.building && { building: index.building }),
      },
    }),
    ...(vitals && {
      lag: { ok: behind === null || behind <= LAG_EVENTS, events: behind },
      disk: { ok: disk !== null && disk.free_bytes >= LOW_DISK_BYTES, ...disk },
    }),
    // Why not is in the log: the reason names hosts, and everybody may ask here.
    stream: { ok: vitals?.stream() ?? true },
    ...(vitals?.relay && relayCheck(vitals.relay())),
    dispatch: { ok: vitals?.dispatch() ?? true },
    cache: { ok: vitals?.cache() ?? true },
    ...(vitals?.lake && { lake: { ok: vitals.lake() } }),
    ...(vitals?.kafka && { kafka: { ...(kafka ?? { ok: false }) } }),
    ...(copy && {
      // As above: its address is in the log.
      replication: {
        ok: !copy.late,
        loading: copy.loading,
        lag_seconds: copy.lag_ms === null ? null : copy.lag_ms / 1000,
        seq: copy.seq,
        behind: copy.behind,
      },
    }),
    server: { ok: !input.draining },
  };
  const degraded = Object.entries(checks)
    .filter(([name, check]) => !check.ok && !(name === "queue" && depth === null))
    .map(([name]) => name);
  // A part of the calls is no answer: whoever shares requests out sends them elsewhere.
  const unavailable = depth === null || input.draining || copy?.loading === true;
  return { status: unavailable ? "unavailable" : degraded.length > 0 ? "degraded" : "ok", degraded, checks };
}

function relayCheck(state: { active: readonly string[]; failing: readonly string[] }): {
  relay: { ok: boolean; active: readonly string[]; failing: readonly string[] };
} {
  return { relay: { ok: state.failing.length === 0, ...state } };
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

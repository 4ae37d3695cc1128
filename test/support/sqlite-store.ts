/** A fresh SQLite store in a folder of its own, and calls to put into it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SqliteOptions, type SqliteStore, openSqlite } from "../../src/adapters/sql/open.ts";
import type { AcceptedCall, CallVectors, Insights, Provenance } from "../../src/core/call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../src/core/measures.ts";
import { DIMENSIONS, normalize, quantize } from "../../src/core/vector.ts";
import type { Calls, EnrichedCall } from "../../src/ports/calls.ts";
import type { Events } from "../../src/ports/events.ts";
import type { Idempotency } from "../../src/ports/idempotency.ts";
import type { Jobs } from "../../src/ports/jobs.ts";
import type { LiveCalls } from "../../src/ports/live-calls.ts";
import type { Rollups } from "../../src/ports/rollups.ts";
import type { VectorRows } from "../../src/ports/vectors.ts";
import type { Work, WorkItem } from "../../src/ports/work.ts";

/** What the contract suites of the write side need of a store. */
export interface TestStore {
  readonly calls: Calls;
  readonly work: Work;
  readonly events: Events;
  readonly rollups: Rollups;
  readonly vectorRows: VectorRows;
  readonly jobs: Jobs;
  readonly idempotency: Idempotency;
  readonly live: LiveCalls;
  /** The state and revision of a call; null if it is not there. */
  state(call_id: string): Promise<{ state: string; revision: number; call_no: number; error: string | null } | null>;
  /** What was said on a call, turn by turn. */
  words(call_id: string): Promise<string[]>;
  /** Numbers of stored turns that hold the word. */
  turnsWith(word: string): Promise<number>;
  /** The clock of the store: epoch ms, moved by tests. */
  readonly clock: { now: number };
  /** Puts an agent into a team. */
  setTeam(agent_id: string, team: string): Promise<void>;
  close(): Promise<void>;
}

/** part_calls: calls in a part of the full text, where an adapter has such parts. */
export type MakeStore = (options?: { timezone?: string; part_calls?: number }) => Promise<TestStore>;

export const silent = { info: () => undefined, warn: () => undefined };

/** A folder for one test's file; `remove` deletes it. */
export function temporary(): { folder: string; path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "earshot-test-"));
  return {
    folder,
    path: join(folder, "data", "earshot.db"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Opens a store in quiet defaults. */
export function openQuiet(path: string, more: Partial<SqliteOptions> = {}): Promise<SqliteStore> {
  return openSqlite({ path, timezone: "UTC", readers: 1, log: silent, ...more });
}

/** A store in a folder of its own, in quiet defaults; `remove` closes the one and deletes the other. */
export async function freshStore(): Promise<{ store: SqliteStore; path: string; remove: () => Promise<void> }> {
  const { path, remove } = temporary();
  const store = await openQuiet(path);
  return {
    store,
    path,
    async remove() {
      await store.close();
      remove();
    },
  };
}

const DIGEST = "ab".repeat(32);

/** A call of one customer turn and one agent turn, unless told otherwise. */
export function aCall(
  call_id: string,
  more: Partial<AcceptedCall> = {},
  texts = ["hello there", "good day"],
): AcceptedCall {
  return {
    call_id,
    agent_id: "ann",
    customer_id: "carl",
    language: "en",
    start_time: Date.UTC(2026, 2, 10, 12),
    duration_seconds: 60,
    outcome: null,
    turns: texts.map((text, i) => ({
      turn_id: String(i),
      speaker: i % 2 === 0 ? "agent" : "customer",
      text,
      start_ms: null,
      end_ms: null,
    })),
    digest: DIGEST,
    ...more,
  };
}

const PROVENANCE: Provenance = { method: "formula", model: "test", version: "1", computed_at: 0 };

/** Insights whose measures are null but for those given. */
export function someInsights(measures: Partial<Record<MeasureName, number>>): Insights {
  const all = Object.fromEntries(MEASURE_NAMES.map((name) => [name, measures[name] ?? null]));
  return {
    measures: all as Insights["measures"],
    reasons: {},
    turn_sentiment: [],
    provenance: { sentiment: PROVENANCE, conversation: PROVENANCE, embedding: null },
  };
}

/** Vectors that depend on `seed` alone. */
export function someVectors(seed: number, segments = 2, space_id = "space"): CallVectors {
  const row = (k: number) =>
    normalize(Float32Array.from({ length: DIMENSIONS }, (_, i) => Math.sin(seed * 31 + k * 7 + i * (1 + seed))));
  return {
    space_id,
    turns: quantize(row(99)),
    segments: Array.from({ length: segments }, (_, k) => ({
      first_turn: k * 2,
      last_turn: k * 2 + 1,
      vector: quantize(row(k)),
    })),
    call: row(50),
  };
}

/** What a worker would save for a work item. */
export function enriched(item: WorkItem, worker_id: string, more: Partial<EnrichedCall> = {}): EnrichedCall {
  return {
    call_no: item.call_no,
    revision: item.revision,
    work_no: item.work_no,
    worker_id,
    method: "model",
    model: "test-model",
    insights: someInsights({ customer_sentiment_score: 0.5, agent_talk_ratio: 0.25 }),
    vectors: null,
    ...more,
  };
}

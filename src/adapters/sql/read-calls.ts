/** CallReads on SQLite: by key and in index order on the event loop, everything else in reader threads. */
import type { CallRow, CallVectors, Insights, Scope, Segment, Turn } from "../../core/call.ts";
import type { CallList, CallReads, StoredCall, TextHit } from "../../ports.ts";
import { floats, int8s, unpack } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { listOnLoop } from "./read-list.ts";
import { ROW_COLUMNS } from "./read-sql.ts";
import { Statements } from "./read-statements.ts";
import { type ReadLog, ReadThreads } from "./read-threads.ts";
import type { WalkLimits } from "./read-walk.ts";
import { storeFault } from "./store-error.ts";

export interface ReadLimits extends WalkLimits {
  /** Long reads that may wait for a thread; more are refused at once. */
  readonly queue: number;
  /** Milliseconds after which a reader thread without an answer is ended. */
  readonly silence_ms: number;
}

const LIMITS: ReadLimits = { step: 2_000, gather: 10_000, deadline_ms: 2_000, queue: 256, silence_ms: 30_000 };

export interface ReadsOptions {
  readonly path: string;
  /** The event loop's read connection (openForReading); the caller closes it after `close`. */
  readonly db: Connection;
  readonly readers: number;
  readonly log: ReadLog;
  readonly limits?: Partial<ReadLimits>;
}

const COLUMNS = ROW_COLUMNS.map((c) => `c.${c}`).join(", ");
const FULL = `SELECT ${COLUMNS}, t.body, i.body FROM call_records AS c
  JOIN call_texts AS t ON t.call_no = c.call_no LEFT JOIN call_insights AS i ON i.call_no = c.call_no`;

type ValuesOf<Names extends readonly (keyof CallRow)[]> = { [K in keyof Names]: CallRow[Names[K]] };

/** The columns in the order of ROW_COLUMNS, then the two bodies. */
type FullRow = readonly [...ValuesOf<typeof ROW_COLUMNS>, Buffer, Buffer | null];

/** Positional on purpose: an object of 20 columns taken apart costs as much as the query. */
function stored(r: FullRow): StoredCall {
  const row: CallRow = {
    call_no: r[0],
    call_id: r[1],
    agent_id: r[2],
    customer_id: r[3],
    language: r[4],
    start_time: r[5],
    created_at: r[6],
    updated_at: r[7],
    duration_seconds: r[8],
    agent_talk_ratio: r[9],
    customer_sentiment_score: r[10],
    outcome: r[11],
    revision: r[12],
    state: r[13],
    method: r[14],
    model: r[15],
    enriched_at: r[16],
    error: r[17],
  };
  const text = r[18];
  const derived = r[19];
  let turnsJson: string | undefined;
  let turns: Turn[] | undefined;
  let insightsJson: string | null | undefined;
  let insights: Insights | null | undefined;
  return {
    row,
    get turns_json() {
      turnsJson ??= unpack(text);
      return turnsJson;
    },
    get insights_json() {
      if (insightsJson === undefined) insightsJson = derived === null ? null : unpack(derived);
      return insightsJson;
    },
    get turns() {
      turns ??= JSON.parse(this.turns_json) as Turn[];
      return turns;
    },
    get insights() {
      if (insights === undefined) insights = JSON.parse(this.insights_json ?? "null") as Insights | null;
      return insights;
    },
  };
}

/** What must run on the event loop's connection, prepared once. */
function prepareByKey(db: Connection) {
  const full = db.prepare<[string], FullRow>(`${FULL} WHERE c.call_id = ?`).raw();
  const text = db.prepare<[number], FullRow>(`${FULL} WHERE c.call_no = ?`).raw();
  const row = db.prepare<[string], CallRow>(`SELECT ${COLUMNS} FROM call_records AS c WHERE c.call_id = ?`);
  const member = db.prepare<[string, string]>("SELECT 1 FROM agents WHERE agent_id = ? AND team = ?");
  const vectors = db.prepare<[number], { space_id: string; call: Buffer; turns: Buffer }>(
    `SELECT s.space_id, v.call, v.turns FROM call_vectors AS v JOIN vector_spaces AS s ON s.space_no = v.space_no
      WHERE v.call_no = ?`,
  );
  const segments = db.prepare<[number], { first_turn: number; last_turn: number; code: Buffer }>(
    "SELECT first_turn, last_turn, code FROM segment_codes WHERE call_no = ? ORDER BY first_turn",
  );
  const visible = (agent_id: string, scope: Scope): boolean => {
    if (scope.kind === "all") return true;
    if (scope.kind === "agent") return agent_id === scope.agent_id;
    return member.get(agent_id, scope.team) !== undefined;
  };
  const vectorsOf = (call_no: number): CallVectors | null => {
    const found = vectors.get(call_no);
    if (found === undefined) return null;
    const parts = segments
      .all(call_no)
      .map((s): Segment => ({ first_turn: s.first_turn, last_turn: s.last_turn, vector: int8s(s.code) }));
    return { space_id: found.space_id, turns: int8s(found.turns), segments: parts, call: floats(found.call) };
  };
  return { full, text, row, visible, vectorsOf };
}

/** SQLite's faults as AppError (store_unavailable, storage_full). */
async function reading<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw storeFault(cause) ?? cause;
  }
}

/** The reads of one process. Threads start at once; `close` ends them and rejects what waits. */
export function openReads(options: ReadsOptions): { reads: CallReads; close(): Promise<void> } {
  const { path, db, log } = options;
  const { queue, silence_ms, ...limits } = { ...LIMITS, ...options.limits };
  const threads = new ReadThreads({ setup: { path, limits }, threads: options.readers, log, queue, silence_ms });
  const byKey = prepareByKey(db);
  const statements = new Statements(db);

  const reads: CallReads = {
    get: (call_id, scope) =>
      reading(() => {
        const found = byKey.full.get(call_id);
        return found !== undefined && byKey.visible(found[2], scope) ? stored(found) : null;
      }),
    row: (call_id, scope) =>
      reading(() => {
        const found = byKey.row.get(call_id);
        return found !== undefined && byKey.visible(found.agent_id, scope) ? found : null;
      }),
    list: (query) =>
      reading(() => {
        const list = listOnLoop(statements, query);
        return list === "thread" ? threads.ask<CallList>({ kind: "list", query }) : list;
      }),
    rows: (call_nos, scope) =>
      reading(() =>
        call_nos.flatMap((call_no) => {
          const found = statements.row(call_no);
          return found !== undefined && byKey.visible(found.agent_id, scope) ? [found] : [];
        }),
      ),
    texts: (call_nos) =>
      reading(() =>
        call_nos.flatMap((call_no) => {
          const found = byKey.text.get(call_no);
          return found === undefined ? [] : [stored(found)];
        }),
      ),
    vectors: (call_nos) =>
      reading(() =>
        call_nos.flatMap((call_no) => {
          const vectors = byKey.vectorsOf(call_no);
          return vectors === null ? [] : [{ call_no, vectors }];
        }),
      ),
    keyword: (query) => reading(() => threads.ask<TextHit[]>({ kind: "keyword", query })),
    numbers: (query) => reading(() => threads.ask<Uint32Array>({ kind: "numbers", query })),
  };
  return { reads, close: () => threads.close() };
}

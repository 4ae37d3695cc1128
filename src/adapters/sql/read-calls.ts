/** CallReads on SQLite: by key and in index order on the event loop, everything else in reader threads. */
import type { CallVectors, Scope, Segment } from "../../core/call.ts";
import type { CallList, CallReads, StoredCall, TextHit } from "../../ports/calls.ts";
import { floats, int8s, isDocument } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { type BreakerState, guardReads } from "./read-guard.ts";
import { listOnLoop } from "./read-list.ts";
import { type RawRow, ROW_COLUMNS, rowOf } from "./read-row.ts";
import { Statements } from "./read-statements.ts";
import { type ReadLog, ReadThreads } from "./read-threads.ts";
import type { WalkLimits } from "./read-walk.ts";
import { ReadPause } from "./read-pause.ts";
import { storedCall } from "./stored-call.ts";

export interface ReadLimits extends WalkLimits {
  /** Long reads that may wait for a thread; more are refused at once. */
  readonly queue: number;
  /** Milliseconds after which a reader thread without an answer is ended. */
  readonly silence_ms: number;
  /** Milliseconds a long read may take, waiting for a thread included; for the numbers of a filter three times that. */
  readonly patience_ms: number;
  /** Milliseconds for which nothing is asked after several have hung. */
  readonly pause_ms: number;
}

const LIMITS: ReadLimits = {
  step: 2_000,
  gather: 10_000,
  deadline_ms: 2_000,
  queue: 256,
  silence_ms: 15_000,
  patience_ms: 5_000,
  pause_ms: 5_000,
};

export interface ReadsOptions {
  readonly path: string;
  /** The event loop's read connection (openForReading); the caller closes it after `close`. */
  readonly db: Connection;
  readonly readers: number;
  readonly log: ReadLog;
  readonly limits?: Partial<ReadLimits>;
  /** Shared with whoever else reads on this connection. */
  readonly pause?: ReadPause;
  /** Told when the breaker of long reads changes. */
  readonly onBreaker?: (state: BreakerState) => void;
  /** What the threads run; tests put a broken one here. */
  readonly thread?: URL;
}

const COLUMNS = ROW_COLUMNS.map((c) => `c.${c}`).join(", ");
// Subqueries by key: half the time of the same tables joined.
const WORDS = `SELECT ${COLUMNS},
  (SELECT body FROM call_texts AS t WHERE t.call_no = c.call_no)`;
const WORDS_AND_INSIGHTS = `${WORDS}, (SELECT body FROM call_insights AS i WHERE i.call_no = c.call_no)`;

/** A row and its text; and the insights where they were stored apart (before documents). */
type FullRow = RawRow;

const text = (r: FullRow) => r[18] as Buffer | null;

/** True for a call whose insights, if it has any, are not where its words are. */
function apart(r: FullRow): boolean {
  const body = text(r);
  return body !== null && !isDocument(body);
}

const stored = (r: FullRow): StoredCall => storedCall(rowOf(r), text(r), r[19] as Buffer | null | undefined);

/** What must run on the event loop's connection, prepared once. */
function prepareByKey(db: Connection) {
  const byId = db.prepare<[string], FullRow>(`${WORDS} FROM call_records AS c WHERE c.call_id = ?`).raw();
  const byNo = db.prepare<[number], FullRow>(`${WORDS} FROM call_records AS c WHERE c.call_no = ?`).raw();
  const whole = db.prepare<[number], FullRow>(`${WORDS_AND_INSIGHTS} FROM call_records AS c WHERE c.call_no = ?`).raw();
  const row = db.prepare<[string], RawRow>(`SELECT ${COLUMNS} FROM call_records AS c WHERE c.call_id = ?`).raw();
  const member = db.prepare<[string, string]>("SELECT 1 FROM agents WHERE agent_id = ? AND team = ?");
  const vectors = db.prepare<[number], { space_id: string; call: Buffer; turns: Buffer }>(
    `SELECT s.space_id, v.call, v.turns FROM call_vectors AS v JOIN vector_spaces AS s ON s.space_no = v.space_no
      WHERE v.call_no = ?`,
  );
  const callVector = db.prepare<[number], { space_id: string; call: Buffer }>(
    `SELECT s.space_id, v.call FROM call_vectors AS v JOIN vector_spaces AS s ON s.space_no = v.space_no
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
  /** Words and insights of one moment, wherever they are. */
  const complete = (r: FullRow | undefined) => (r !== undefined && apart(r) ? whole.get(r[0]) : r);
  return {
    full: (call_id: string) => complete(byId.get(call_id)),
    text: (call_no: number) => complete(byNo.get(call_no)),
    row,
    visible,
    callVector,
    vectorsOf,
  };
}

/** The reads of one process. Threads start at once; `close` ends them and rejects what waits. */
export function openReads(options: ReadsOptions): { reads: CallReads; close(): Promise<void> } {
  const { path, db, log, thread, pause = new ReadPause(), onBreaker = () => undefined } = options;
  const { queue, silence_ms, patience_ms, pause_ms, ...limits } = { ...LIMITS, ...options.limits };
  const setup = { path, limits };
  const threads = new ReadThreads({
    setup,
    threads: options.readers,
    log,
    queue,
    silence_ms,
    ...(thread && { thread }),
  });
  const ask = guardReads({
    threads,
    patience_ms: (kind) => (kind === "numbers" ? 3 * patience_ms : patience_ms),
    pause_ms,
    onChange: onBreaker,
  });
  const byKey = prepareByKey(db);
  const statements = new Statements(db);
  const reading = async <T>(read: () => T): Promise<T> => pause.run(read);

  const reads: CallReads = {
    get: (call_id, scope) =>
      reading(() => {
        const found = byKey.full(call_id);
        return found !== undefined && byKey.visible(found[2], scope) ? stored(found) : null;
      }),
    row: (call_id, scope) =>
      reading(() => {
        const found = byKey.row.get(call_id);
        return found !== undefined && byKey.visible(found[2], scope) ? rowOf(found) : null;
      }),
    list: async (query) => {
      const list = pause.run(() => listOnLoop(statements, query));
      return list === "thread" ? ask<CallList>({ kind: "list", query }) : list;
    },
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
          const found = byKey.text(call_no);
          return found === undefined ? [] : [stored(found)];
        }),
      ),
    callVector: (call_no) =>
      reading(() => {
        const found = byKey.callVector.get(call_no);
        return found === undefined ? null : { space_id: found.space_id, call: floats(found.call) };
      }),
    vectors: (call_nos) =>
      reading(() =>
        call_nos.flatMap((call_no) => {
          const vectors = byKey.vectorsOf(call_no);
          return vectors === null ? [] : [{ call_no, vectors }];
        }),
      ),
    keyword: (query) => ask<TextHit[]>({ kind: "keyword", query }),
    numbers: (query) => ask<Uint32Array>({ kind: "numbers", query }),
  };
  return { reads, close: () => threads.close() };
}

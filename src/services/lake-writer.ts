/** Keeps the lake what the store says: fills it once, then follows the event log, a commit for each run of events. */
import { setImmediate as turn } from "node:timers/promises";
import { EVERYTHING } from "../core/call.ts";
import type { Keyset } from "../core/list.ts";
import { AppError } from "../errors.ts";
import type { CallReads } from "../ports/calls.ts";
import type { EventRow, Events } from "../ports/events.ts";
import type { Lake, LakeChange, LakeRow, LakeState, LakeTerms } from "../ports/lake.ts";

export interface LakeWriterDeps {
  readonly lake: Lake;
  readonly events: Pick<Events, "after" | "head">;
  readonly reads: Pick<CallReads, "list" | "texts">;
  readonly terms: LakeTerms;
  /** Ends what is under way before its commit. */
  readonly signal?: AbortSignal;
  /** Events, and calls of a filling, in a commit at most (10,000, and 100,000 or with words 20,000). */
  readonly limits?: { readonly events: number; readonly calls: number };
}

/** idle: nothing is new. stale: somebody else writes as well, and was first. */
export interface LakeStep {
  readonly status: "idle" | "stale" | "committed";
  readonly seq: number;
  readonly rows: number;
  /** Whether it was one of a filling. */
  readonly filled: boolean;
}

/** A commit is held in memory, and words are most of it where they are written. */
const limitsOf = ({ text }: LakeTerms) => ({ events: 10_000, calls: text ? 20_000 : 100_000 });
const EVENTS_PAGE = 1_000;
const CALLS_PAGE = 500;
/** Calls read at once: the event loop waits meanwhile. */
const READ = 20;
/** A day of so many files is written anew as one. */
const MANY_FILES = 8;

/** What a run of events leaves to do: which calls to write and which to take out, with the seq that says so. */
function lakeChanges(events: readonly EventRow[]): { put: Map<number, number>; gone: Map<number, number> } {
  const put = new Map<number, number>();
  const gone = new Map<number, number>();
  for (const { type, call_no, seq } of events) {
    if (call_no === 0) continue;
    if (type === "call.enriched") put.set(call_no, seq);
    else if (type === "call.replaced" || type === "call.deleted") {
      put.delete(call_no);
      gone.set(call_no, seq);
    }
  }
  return { put, gone };
}

/** Rows of calls, a few at a time. A call that is erased or has a new text by now is left out: a later event says so. */
async function* readRows(
  { reads, signal }: LakeWriterDeps,
  wanted: readonly (readonly [call_no: number, seq: number])[],
): AsyncGenerator<LakeRow[]> {
  for (let i = 0; i < wanted.length; i += READ) {
    signal?.throwIfAborted();
    const seqs = new Map(wanted.slice(i, i + READ));
    const calls = await reads.texts([...seqs.keys()]);
    yield calls.flatMap(({ row, insights, turns }) =>
      insights === null ? [] : { row, insights, turns, seq: seqs.get(row.call_no) ?? 0 },
    );
    await turn();
  }
}

/** Whether the log still holds all that follows `seq`. One that ends before it is another log, or an older copy. */
function reachesBack({ oldest, head }: { oldest: number; head: number }, seq: number): boolean {
  return head === seq || (head > seq && oldest > 0 && oldest <= seq + 1);
}

/** One commit, if there is anything to say. Rejects with conflict where the lake is that of another store. */
export async function advanceLake(deps: LakeWriterDeps): Promise<LakeStep> {
  const { lake, events, terms, limits = limitsOf(terms) } = deps;
  const state = await lake.state();
  if (state.terms !== null && state.terms.log_id !== terms.log_id) {
    const todo = "give each database a lake of its own, or empty the place";
    throw new AppError("conflict", `The lake holds the calls of another database: ${todo}`);
  }
  const { oldest, head } = await events.after(state.seq, 1, EVERYTHING);
  const same = state.terms?.timezone === terms.timezone && state.terms.text === terms.text;
  if (state.fill !== null || !same || !reachesBack({ oldest, head }, state.seq)) return fillLake(deps, state);

  const found: EventRow[] = [];
  let seq = state.seq;
  while (found.length < limits.events && seq < head) {
    const page = await events.after(seq, Math.min(EVENTS_PAGE, limits.events - found.length), EVERYTHING);
    if (page.events.length === 0) break;
    found.push(...page.events);
    seq = page.events.at(-1)?.seq ?? seq;
  }
  const { put, gone } = lakeChanges(found);
  // Where only other things happened, the place in the log is worth a commit once there are many of them.
  if (put.size + gone.size === 0 && found.length < limits.events)
    return { status: "idle", seq, rows: 0, filled: false };
  const rows = readRows(deps, [...put]);
  return commit(deps, state, { terms, seq, gone, rows, step: { kind: "append" } });
}

async function commit(
  { lake, signal }: LakeWriterDeps,
  state: LakeState,
  change: Omit<LakeChange, "signal">,
): Promise<LakeStep> {
  let rows = 0;
  const counted = async function* (): AsyncGenerator<readonly LakeRow[]> {
    for await (const some of change.rows) {
      rows += some.length;
      yield some;
    }
  };
  const status = await lake.commit(state, { ...change, rows: counted(), ...(signal && { signal }) });
  return { status, seq: change.seq, rows, filled: change.step.kind === "fill" };
}

/** The next calls of a filling, oldest first; it begins anew where the log no longer reaches back to its beginning. */
async function fillLake(deps: LakeWriterDeps, state: LakeState): Promise<LakeStep> {
  const { events, reads, terms, limits = limitsOf(terms) } = deps;
  const head = await events.head();
  const { oldest } = await events.after(head, 1, EVERYTHING);
  const begun = state.fill;
  const same = state.terms?.timezone === terms.timezone && state.terms.text === terms.text;
  const goesOn = begun !== null && same && reachesBack({ oldest, head }, begun.seq);
  const seq = goesOn ? begun.seq : head;
  let after: Keyset | null = goesOn ? begun.after : null;
  let whole = false;
  const rows = async function* (): AsyncGenerator<readonly LakeRow[]> {
    for (let n = 0; n < limits.calls; ) {
      const page = { limit: Math.min(CALLS_PAGE, limits.calls - n), offset: 0, after };
      const sort = { field: "created_at", descending: false } as const;
      const list = await reads.list({ scope: EVERYTHING, filter: {}, sort, page, total: false });
      const wanted = list.rows.map((row) => [row.call_no, seq] as const);
      yield* readRows(deps, wanted);
      n += list.rows.length;
      after = list.next;
      whole = list.next === null;
      if (whole) return;
    }
  };
  // What comes next is known when the rows have been read, which is before the manifest is written.
  const step: LakeChange["step"] = {
    kind: "fill",
    get fill() {
      return whole ? null : { seq, after };
    },
  };
  return commit(deps, state, { terms, seq, gone: new Map(), rows: rows(), step });
}

/** Commits until nothing is new, and gives the days that have come to many files one. What was written. */
export async function writeLake(
  deps: LakeWriterDeps,
  onStep: (step: LakeStep) => void = () => undefined,
): Promise<{ rows: number; seq: number }> {
  let rows = 0;
  // A filling leaves a file a day and commit, and nothing else will make those days grow.
  let files = MANY_FILES;
  for (;;) {
    deps.signal?.throwIfAborted();
    const step = await advanceLake(deps);
    if (step.status === "committed") rows += step.rows;
    if (step.filled) files = 2;
    onStep(step);
    if (step.status !== "idle") continue;
    if ((await deps.lake.state()).most_files >= files) await deps.lake.compact(files, deps.signal);
    return { rows, seq: step.seq };
  }
}

export interface LakeKeeper {
  /** Why the lake does not follow the store; null while it does. */
  problem(): string | null;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Writes what is new every `interval_ms`, for as long as it takes; a lake that is away is tried again after as long. */
export function keepLake(
  deps: Omit<LakeWriterDeps, "signal"> & {
    readonly interval_ms: number;
    /** Told when it begins to fail, and when it goes well again (null). */
    readonly onChange: (problem: string | null) => void;
  },
): LakeKeeper {
  const { interval_ms, onChange } = deps;
  const stopping = new AbortController();
  let problem: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const tell = (now: string | null): void => {
    if (now === problem) return;
    problem = now;
    onChange(now);
  };
  const run = async (): Promise<void> => {
    try {
      await writeLake({ ...deps, signal: stopping.signal });
      tell(null);
    } catch (error) {
      if (stopping.signal.aborted) return;
      tell(error instanceof Error ? error.message : String(error));
    }
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => void (running = run()), interval_ms);
    timer.unref();
  };
  let running = run();
  return {
    problem: () => problem,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

/**
 * The index in the database as a process serves it. While it is being built, an index of this process stands in, so that a
 * process that is told to use it answers as before from its first moment on; when it is whole it takes over. When it fails
 * there is none, and whoever asks is told so, until it answers again.
 */
import { DIMENSIONS } from "../core/vector.ts";
import type { ServedVectors, SharedVectors, VectorKind } from "../ports/vectors.ts";
import type { IndexHost } from "./index-host.ts";

interface SharedLimits {
  /** A search is waited for as long, ms; others are not asked before the index has answered a trial. */
  readonly patience_ms: number;
  /** How often one that is being built is looked at, ms. */
  readonly poll_ms: number;
  /** How often one that is whole is looked after, ms. */
  readonly keep_ms: number;
  /** First and longest pause before one that failed is tried again, ms. */
  readonly pause_ms: readonly [number, number];
  /** Failures in a row after which an index of this process stands in. */
  readonly failures: number;
}

const LIMITS: SharedLimits = {
  patience_ms: 2_000,
  poll_ms: 500,
  keep_ms: 30_000,
  pause_ms: [250, 10_000],
  failures: 4,
};
const KINDS: readonly VectorKind[] = ["call", "segment"];

export interface SharedIndexDeps {
  readonly shared: SharedVectors;
  /** An index of this process; `onChange` as below. */
  readonly standIn: (onChange: (whole: boolean) => void) => IndexHost;
  readonly onError: (error: unknown) => void;
  /** Told when an index that should be there is away or late, and when it answers again. */
  readonly onChange: (whole: boolean) => void;
  /** Told who answers from now on. */
  readonly onServe: (by: "database" | "process") => void;
  readonly limits?: Partial<SharedLimits>;
}

export function createSharedIndex(deps: SharedIndexDeps): IndexHost {
  const { shared } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  let wanted: string | null = null;
  /** The space that the database answers for. */
  let serving: string | null = null;
  let standIn: IndexHost | null = null;
  let away = false;
  let whole = true;
  let failures = 0;
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let wake: (() => void) | null = null;

  const tell = (is: boolean) => {
    if (whole === is || stopping.signal.aborted) return;
    whole = is;
    deps.onChange(is);
  };
  const pause = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, ms).unref();
    await promise;
    clearTimeout(timer);
  };
  const suspect = () => {
    away = true;
    tell(false);
    wake?.();
  };

  /** Whether it answers, asked the way it is asked for real. */
  const answers = async (space_id: string): Promise<boolean> => {
    const trial = new Float32Array(DIMENSIONS).fill(1);
    for (const kind of KINDS) if ((await shared.search(space_id, kind, trial, 1)) === null) return false;
    return true;
  };
  const takeOver = async (space_id: string): Promise<void> => {
    if (serving !== space_id) deps.onServe("database");
    [serving, away] = [space_id, false];
    tell(true);
    const old = standIn;
    standIn = null;
    await old?.close();
  };
  const stepAside = async (space_id: string): Promise<void> => {
    serving = null;
    if (standIn?.space() === space_id) return;
    if (standIn === null) deps.onServe("process");
    standIn ??= deps.standIn(tell);
    await standIn.use(space_id);
  };
  /** One look at the index, and what it leaves to do; how long to wait for the next. */
  const look = async (space_id: string, ready: () => void): Promise<number> => {
    try {
      const is = await answers(space_id);
      if (stopping.signal.aborted) return 0;
      await (is ? takeOver(space_id) : stepAside(space_id));
      ready();
      await shared.tend(space_id, stopping.signal);
      failures = 0;
      return is ? limits.keep_ms : limits.poll_ms;
    } catch (error) {
      if (stopping.signal.aborted) return 0;
      deps.onError(error);
      if (serving !== null) suspect();
      if (++failures >= limits.failures || serving === null) await stepAside(space_id);
      ready();
      const [first, longest] = limits.pause_ms;
      return Math.min(longest, first * 2 ** (failures - 1));
    }
  };
  const run = async (space_id: string, signal: AbortSignal, ready: () => void): Promise<void> => {
    while (!signal.aborted) {
      const ms = await look(space_id, ready);
      // Somebody's question may have failed in the meantime.
      if (!signal.aborted) await pause(away ? Math.min(ms, limits.pause_ms[0]) : ms);
    }
    ready();
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    wake?.();
    await running;
  };

  const search: ServedVectors["search"] = async (...question) => {
    if (serving === null) return standIn === null ? null : standIn.vectors.search(...question);
    if (away) return null;
    const lapsed = Promise.withResolvers<null>();
    const timer = setTimeout(() => lapsed.resolve(null), limits.patience_ms);
    try {
      const hits = await Promise.race([shared.search(serving, ...question), lapsed.promise]);
      if (hits === null) suspect();
      return hits;
    } catch (error) {
      // A question that makes no sense is the asker's fault.
      if (error instanceof TypeError) throw error;
      suspect();
      return null;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async use(space_id) {
      if (wanted === space_id) return;
      wanted = space_id;
      await stop();
      stopping = new AbortController();
      const ready = Promise.withResolvers<void>();
      running = run(space_id, stopping.signal, ready.resolve);
      await ready.promise;
    },
    // The database's follows its rows by itself.
    refill: async () => standIn?.refill(),
    space: () => serving ?? standIn?.space() ?? null,
    // What the database does in the transaction of a change cannot lag behind it.
    lag: async () => (serving !== null ? 0 : ((await standIn?.lag()) ?? null)),
    vectors: {
      search,
      async describe() {
        if (wanted === null) return { rows: { call: 0, segment: 0 }, bytes: 0 };
        if (serving !== null) return away ? null : { ...(await shared.describe(serving)), by: "database" };
        const facts = (await standIn?.vectors.describe()) ?? null;
        const building = await shared.progress(wanted).catch(() => null);
        return facts && { ...facts, by: "process", ...(building && { building }) };
      },
    },
    async close() {
      await stop();
      await standIn?.close();
    },
  };
}

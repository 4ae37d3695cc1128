/**
 * The index that is served. Which space it holds is known only when a model runs (or the store says what it holds),
 * so the server is given this stand-in at once and the index behind it when it is full. An index that is lost is
 * opened and filled again by itself; until then there is none, and whoever asks is told so.
 */
import type { Events } from "../ports/events.ts";
import type { ServedVectors, VectorKind, VectorRows, Vectors } from "../ports/vectors.ts";
import { followIndex } from "./follow-index.ts";
import type { Follower } from "./follow-index.ts";

export interface IndexLimits {
  /** A search is waited for as long, ms; what comes after it is not asked before it is answered. */
  readonly patience_ms: number;
  /** First and longest pause before an index is opened again, ms. */
  readonly pause_ms: readonly [number, number];
  /** An index that was served as long counts as well: the next pause is the first one again, ms. */
  readonly steady_ms: number;
}

const LIMITS: IndexLimits = { patience_ms: 2_000, pause_ms: [250, 30_000], steady_ms: 60_000 };

interface OpenIndex {
  readonly vectors: Vectors;
  /** Loads all stored rows of one kind. */
  readonly fill: (kind: VectorKind) => Promise<number>;
  /** Resolves when the index is lost: nothing will be answered any more. */
  readonly ended: Promise<void>;
}

export interface IndexHostDeps {
  readonly events: Events;
  readonly rows: VectorRows;
  /** An empty index for one space, and how to load it. */
  readonly open: (space_id: string) => OpenIndex;
  readonly onError: (error: unknown) => void;
  /** Told when an index that should be there is away or late, and when it answers again. */
  readonly onChange: (whole: boolean) => void;
  readonly limits?: Partial<IndexLimits>;
}

export interface IndexHost {
  readonly vectors: ServedVectors;
  /** Fills and serves an index of this space, then drops the one before. A no-op for the space that is served. */
  use(space_id: string): Promise<void>;
  /** Fills another index and drops the one before, which serves until then. */
  refill(): Promise<void>;
  /** The space that is served; null while there is none. */
  space(): string | null;
  /** Events the index has not taken in yet; null while there is no index. */
  lag(): Promise<number | null>;
  close(): Promise<void>;
}

interface Served {
  readonly space_id: string;
  readonly vectors: Vectors;
  readonly follower: Follower;
  /** performance.now() when it was full. */
  readonly since: number;
  /** A search has run out of patience and is not answered yet. */
  late: boolean;
  /** It can no longer follow; it serves until another is full. */
  outdated: boolean;
}

export function createIndexHost(deps: IndexHostDeps): IndexHost {
  const limits = { ...LIMITS, ...deps.limits };
  let current: Served | null = null;
  let filling: OpenIndex | null = null;
  let wanted: string | null = null;
  let closed = false;
  let turn: Promise<void> = Promise.resolve();
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let whole = true;
  let stale = false;

  const tell = (is: boolean) => {
    if (whole === is || closed) return;
    whole = is;
    deps.onChange(is);
  };
  const drop = async (old: Served | null) => {
    await old?.follower.stop();
    await old?.vectors.close();
  };
  const change = async () => {
    const space_id = wanted;
    if (closed || space_id === null || (current?.space_id === space_id && !current.outdated && !stale)) return;
    stale = false;
    const old = current;
    try {
      filling = deps.open(space_id);
      const { vectors, fill, ended } = filling;
      const follower = await followIndex({ ...deps, vectors, fill, space_id });
      const served = { space_id, vectors, follower, since: performance.now(), late: false, outdated: false };
      current = served;
      void ended.then(() => lose(served));
      void follower.lost.then(() => outgrow(served));
      filling = null;
    } catch (error) {
      if (!closed) deps.onError(error);
      await filling?.vectors.close();
      filling = null;
      again();
      return;
    }
    tell(true);
    await drop(old).catch(deps.onError);
  };
  const enqueue = (): Promise<void> => {
    turn = turn.then(change);
    return turn;
  };
  function again(): void {
    if (closed) return;
    if (current === null) tell(false);
    const [first, longest] = limits.pause_ms;
    clearTimeout(retry);
    retry = setTimeout(() => void enqueue(), Math.min(longest, first * 2 ** failures++)).unref();
  }
  function lose(served: Served): void {
    if (current !== served) return;
    current = null;
    if (performance.now() - served.since >= limits.steady_ms) failures = 0;
    void drop(served).catch(deps.onError);
    again();
  }
  function outgrow(served: Served): void {
    served.outdated = true;
    again();
  }
  function answered(served: Served): void {
    if (!served.late) return;
    served.late = false;
    if (current === served) tell(true);
  }

  const search: ServedVectors["search"] = async (...question) => {
    const served = current;
    // Commands are answered in order: behind a late one nothing would be answered in time.
    if (served === null || served.late) return null;
    const lapsed = Promise.withResolvers<null>();
    const timer = setTimeout(() => {
      served.late = true;
      tell(false);
      lapsed.resolve(null);
    }, limits.patience_ms);
    try {
      const answer = served.vectors.search(...question).finally(() => answered(served));
      return await Promise.race([answer, lapsed.promise]);
    } catch (error) {
      // An index that has gone is no error of the question.
      if (current === served) throw error;
      return null;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    use(space_id) {
      wanted = space_id;
      return enqueue();
    },
    refill() {
      // Also the one that is being filled may have passed what it was not told of.
      stale = true;
      if (current) current.outdated = true;
      return enqueue();
    },
    space: () => current?.space_id ?? null,
    async lag() {
      return current === null ? null : (await deps.events.head()) - current.follower.seq();
    },
    vectors: {
      search,
      async describe() {
        if (wanted === null) return { rows: { call: 0, segment: 0 }, bytes: 0 };
        return current === null || current.late ? null : current.vectors.describe();
      },
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await filling?.vectors.close();
      await turn;
      await drop(current);
      current = null;
    },
  };
}

/**
 * The index that is served. Which space it holds is known only when a model runs (or the store says what it holds),
 * so the server is given this stand-in at once and the index behind it when it is full.
 */
import type { Events, VectorKind, VectorRows, Vectors } from "../ports.ts";
import { followIndex } from "./follow-index.ts";
import type { Follower } from "./follow-index.ts";

export interface IndexHostDeps {
  readonly events: Events;
  readonly rows: VectorRows;
  /** An empty index for one space, and how to load it. */
  readonly open: (space_id: string) => { vectors: Vectors; fill: (kind: VectorKind) => Promise<number> };
  readonly onError: (error: unknown) => void;
}

export interface IndexHost {
  readonly vectors: Vectors;
  /** Fills and serves an index of this space, then drops the one before. A no-op for the space that is served. */
  use(space_id: string): Promise<void>;
  /** The space that is served; null while there is none. */
  space(): string | null;
  /** Events the index has not taken in yet; null while there is no index. */
  lag(): Promise<number | null>;
}

export function createIndexHost(deps: IndexHostDeps): IndexHost {
  let current: { space_id: string; vectors: Vectors; follower: Follower } | null = null;
  let wanted: string | null = null;
  let closed = false;
  let turn: Promise<void> = Promise.resolve();

  const drop = async (old: typeof current) => {
    await old?.follower.stop();
    await old?.vectors.close();
  };
  const change = async (space_id: string) => {
    if (closed || wanted !== space_id || current?.space_id === space_id) return;
    const { vectors, fill } = deps.open(space_id);
    try {
      const follower = await followIndex({ ...deps, vectors, fill, space_id });
      const old = current;
      current = { space_id, vectors, follower };
      await drop(old);
    } catch (error) {
      await vectors.close();
      deps.onError(error);
    }
  };

  return {
    use(space_id) {
      wanted = space_id;
      turn = turn.then(() => change(space_id));
      return turn;
    },
    space: () => current?.space_id ?? null,
    async lag() {
      return current === null ? null : (await deps.events.head()) - current.follower.seq();
    },
    vectors: {
      upsert: async (kind, chunk) => current?.vectors.upsert(kind, chunk),
      remove: async (kind, call_nos) => current?.vectors.remove(kind, call_nos),
      search: async (kind, query, k, filter) => current?.vectors.search(kind, query, k, filter) ?? [],
      describe: async () => current?.vectors.describe() ?? { rows: { call: 0, segment: 0 }, bytes: 0 },
      async close() {
        closed = true;
        await turn;
        await drop(current);
        current = null;
      },
    },
  };
}

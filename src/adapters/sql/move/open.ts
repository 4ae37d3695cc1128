/** Both sides of a move, and what copies between them. */
import type { MoveCopier, MoveSource, MoveTarget } from "../../../ports/move.ts";
import { openCopier } from "./copier.ts";
import { openMoveSource } from "./source.ts";
import { openMoveTarget } from "./target.ts";

export interface MoveOptions {
  /** The SQLite file. */
  readonly path: string;
  /** postgres://user:password@host:port/database */
  readonly url: string;
  /** Parts that are copied at a time: a thread and a connection each. */
  readonly lanes: number;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface Move {
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly copier: MoveCopier;
  close(): Promise<void>;
}

export function openMove({ path, url, lanes, now }: MoveOptions): Move {
  const source = openMoveSource(path, now);
  const target = openMoveTarget(url, lanes);
  const copier = openCopier({ path, url }, lanes);
  return {
    source,
    target,
    copier,
    async close() {
      await copier.close();
      await target.close();
      source.close();
    },
  };
}

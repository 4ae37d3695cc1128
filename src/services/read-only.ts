/** A store whose calls come from elsewhere: reads go on, and every write is refused with the address that takes it. */
import { AppError } from "../errors.ts";
import type { Calls } from "../ports/calls.ts";
import type { Idempotency, KeyedWrites } from "../ports/idempotency.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { Mirror } from "../ports/replication.ts";
import type { Work } from "../ports/work.ts";

interface Written {
  readonly calls: Calls;
  readonly work: Work;
  readonly jobs: Jobs;
  readonly live: LiveCalls;
  readonly idempotency: Idempotency;
}

export function readOnly(primary: string): AppError {
  return new AppError("read_only", `This server is a read-only copy: send writes to ${primary}`);
}

/** Nobody is looked for here who is to be scored or ended. */
const none = async (): Promise<string[]> => [];

/** The store as the surface of a replica has it; sessions and socket tickets are its own. */
export function withoutWrites<S extends Written>(store: S, primary: string): S {
  const refuse = (): Promise<never> => Promise.reject(readOnly(primary));
  const keyed: KeyedWrites = {
    calls: { accept: refuse, replace: refuse, reprocess: refuse, remove: refuse },
    work: { redrive: refuse },
    jobs: { begin: refuse },
    live: { start: refuse, append: refuse, end: refuse },
  };
  return {
    ...store,
    calls: { ...store.calls, ...keyed.calls, saveEnrichment: refuse, erase: refuse, purge: refuse },
    work: { ...store.work, ...keyed.work, requeueDegraded: refuse },
    live: { ...store.live, ...keyed.live, saveScores: refuse, unscored: none, idle: none },
    idempotency: { ...store.idempotency, under: () => keyed },
  };
}

/** What is written into a copy would be in the way of what its primary gives the same number. */
export async function refuseCopies({ mirror }: { readonly mirror?: Mirror }): Promise<void> {
  if (!mirror || (await mirror.place()) === null) return;
  throw new AppError(
    "validation",
    "The database is a replica's: ask its primary, or start it with EARSHOT_REPLICA_OF; `earshot promote` makes it a store of its own",
  );
}

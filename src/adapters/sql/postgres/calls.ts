/** Calls (write) over commands. */
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../../errors.ts";
import type { Calls } from "../../../ports/calls.ts";
import { makeAcceptFrom, makeCallWrites } from "../calls.ts";
import type { Writes } from "../engine.ts";
import type { Database } from "./database.ts";
import type { Partitions } from "./partitions.ts";

/** Calls erased in one transaction, so that nobody waits long for their rows. */
const ERASE_STEP = 100;
const PURGE_STEP = 20;
/** A step of a purge is followed by a pause as long as it took, so that it takes half a connection's time at most. */
const PAUSE = 1;

interface Deps {
  readonly writer: Writes;
  readonly db: Database;
  readonly partitions: Partitions;
  readonly now: () => number;
}

export function makeCalls(deps: Deps): Calls {
  const { writer, db, now } = deps;
  return {
    ...makeCallWrites((...command) => writer.run(...command), now),
    acceptFrom: makeAcceptFrom(writer, now),
    saveEnrichment: (batch) => writer.run("save", { batch }, now()),
    async erase(customer_id) {
      let erased = 0;
      for (;;) {
        const step = await writer.run("erase", { customer_id, limit: ERASE_STEP }, now());
        erased += step;
        if (step < ERASE_STEP) return erased;
      }
    },
    purge: (before, options = {}) => purge(deps, before, options),
    async receivedBefore(before) {
      const found = await db.get<{ n: number }>("SELECT count(*) AS n FROM call_records WHERE created_at < $1", before);
      return found?.n ?? 0;
    },
  };
}

/** The oldest calls first, in small steps; then the months that hold no call any more, and with them their files. */
async function purge(
  { writer, partitions, now }: Deps,
  before: number,
  { onProgress, signal, hurry = false }: NonNullable<Parameters<Calls["purge"]>[1]>,
): Promise<number> {
  const stopped = () => signal?.aborted === true;
  let erased = 0;
  while (!stopped()) {
    const began = performance.now();
    try {
      const step = await writer.run("purge", { before, calls: PURGE_STEP, turns: 0, recurring: false }, now());
      erased += step.erased;
      onProgress?.(erased);
      if (step.finished) break;
      if (!hurry) await pause(PAUSE * (performance.now() - began), signal);
    } catch (error) {
      if (stopped() || !(error instanceof AppError) || error.code !== "store_unavailable") throw error;
      await pause(1_000 * (error.retryAfter ?? 1), signal);
    }
  }
  if (!stopped()) await partitions.dropEmpty(before);
  return erased;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // An abort ends the pause, and then the loop.
  await wait(ms, undefined, signal && { signal }).catch(() => undefined);
}

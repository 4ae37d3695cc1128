/** Calls (write) over the writer thread. */
import { setTimeout as wait } from "node:timers/promises";
import type { AcceptedCall, PackedCall } from "../../core/call.ts";
import { turnsText } from "../../core/turns-text.ts";
import { AppError } from "../../errors.ts";
import type { Calls } from "../../ports/calls.ts";
import type { KeyedWrites } from "../../ports/idempotency.ts";
import type { AcceptedRow } from "./commands.ts";
import type { Run, Writes } from "./engine.ts";
import type { LoopReader } from "./loop-reader.ts";
import { countReceivedBefore, purgeSlowly } from "./purge.ts";
import type { Writer } from "./writer.ts";

const SCRUB_RETRY_MS = 50;

/** Calls erased in one transaction, so that other writes do not wait for a customer with many. */
const ERASE_STEP = 100;

export function makeCalls(deps: {
  writer: Writer;
  reader: LoopReader;
  now: () => number;
  lock_wait_ms: number;
}): Calls {
  const { writer, reader, now, lock_wait_ms } = deps;
  return {
    ...makeCallWrites((...command) => writer.run(...command), now),
    acceptFrom: makeAcceptFrom(writer, now),
    saveEnrichment: (batch) => writer.run("save", { batch }, now()),
    async erase(customer_id) {
      let erased = 0;
      for (;;) {
        const step = await writer.run("erase", { customer_id, limit: ERASE_STEP }, now());
        erased += step;
        if (step < ERASE_STEP) break;
      }
      await writer.giveBack(now);
      await emptyLog(writer, lock_wait_ms);
      return erased;
    },
    purge: (before, options = {}) => purgeSlowly({ writer, now }, before, options),
    receivedBefore: (before) => countReceivedBefore(reader, before),
  };
}

/** The writes that a request can ask for. */
export function makeCallWrites(
  run: Run<"accept" | "replace" | "reprocess" | "remove">,
  now: () => number,
): KeyedWrites["calls"] {
  return {
    accept: (batch, priority) => run("accept", { rows: batch.map(toRow), priority }, now()),
    replace: (call, priority) => run("replace", { row: toRow(call), priority }, now()),
    reprocess: (call_id, scope, priority) => run("reprocess", { call_id, scope, priority }, now()),
    remove: (call_id, scope) => run("remove", { call_id, scope }, now()),
  };
}

export function makeAcceptFrom(writer: Writes, now: () => number): Calls["acceptFrom"] {
  return (batch, priority, mark) => writer.run("acceptFrom", { rows: batch.map(toRow), priority, mark }, now());
}

/** As it goes to the writer thread. */
export function toRow(call: AcceptedCall | PackedCall): AcceptedRow {
  const { call_id, agent_id, customer_id, language, start_time, duration_seconds, outcome, digest } = call;
  const text = "turns" in call ? (call.turns_text ?? turnsText(call.turns)) : call.turns_zlib;
  return { call_id, agent_id, customer_id, language, start_time, duration_seconds, outcome, digest, text };
}

/** Rejects with store_unavailable when a reader does not let go of the log within `wait_ms`. */
async function emptyLog(writer: Writer, wait_ms: number): Promise<void> {
  const end = performance.now() + wait_ms;
  while (!(await writer.scrub())) {
    if (performance.now() >= end) {
      throw new AppError(
        "store_unavailable",
        "The calls are erased, but their bytes are still in the log of the database, which a backup or another program is reading. Erase again when it is done.",
        { retryAfter: 10 },
      );
    }
    await wait(SCRUB_RETRY_MS);
  }
}

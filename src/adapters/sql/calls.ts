/** Calls (write) over the writer thread. */
import type { AcceptedCall } from "../../core/call.ts";
import type { Calls } from "../../ports.ts";
import type { AcceptedRow } from "./commands.ts";
import type { Writer } from "./writer.ts";

/** Calls erased in one transaction, so that other writes do not wait for a customer with many. */
const ERASE_STEP = 100;

export function makeCalls(deps: { writer: Writer; now: () => number }): Calls {
  const { writer, now } = deps;
  return {
    accept: (batch, priority) => writer.run("accept", { rows: batch.map(toRow), priority }, now()),
    replace: (call, priority) => writer.run("replace", { row: toRow(call), priority }, now()),
    reprocess: (call_id, scope, priority) => writer.run("reprocess", { call_id, scope, priority }, now()),
    saveEnrichment: (batch) => writer.run("save", { batch }, now()),
    remove: (call_id, scope) => writer.run("remove", { call_id, scope }, now()),
    async erase(customer_id) {
      let erased = 0;
      for (;;) {
        const step = await writer.run("erase", { customer_id, limit: ERASE_STEP }, now());
        erased += step;
        if (step < ERASE_STEP) break;
      }
      if (erased > 0) await writer.scrub();
      return erased;
    },
  };
}

function toRow({ turns, ...call }: AcceptedCall): AcceptedRow {
  return { ...call, turns_json: JSON.stringify(turns) };
}

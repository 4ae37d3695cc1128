/** Writes under request keys, over commands. */
import { AppError } from "../../errors.ts";
import type { Idempotency } from "../../ports/idempotency.ts";
import { makeCallWrites } from "./calls.ts";
import type { KeyedName } from "./commands.ts";
import type { Run, Writes } from "./engine.ts";
import { makeBegin } from "./jobs.ts";
import { makeLiveWrites } from "./live-calls.ts";
import { makeRedrive } from "./work.ts";

const PRUNE_STEP = 5_000;
const REUSED = {
  pointer: "Idempotency-Key",
  message: "stands for another request",
  expected: "a key of its own for each request",
  received: "the key of another request",
};

export function makeIdempotency(deps: { writer: Writes; now: () => number }): Idempotency {
  const { writer, now } = deps;
  return {
    under(key, onReplay) {
      const run: Run<KeyedName> = async (name, input, at) => {
        const answer = await writer.runOnce(key, name, input, at);
        if (answer.status === "other_request")
          throw new AppError("idempotency_key_reused", undefined, { errors: [REUSED] });
        if (answer.replayed) onReplay();
        return answer.value;
      };
      return {
        calls: makeCallWrites(run, now),
        work: makeRedrive(run, now),
        jobs: makeBegin(run, now),
        live: makeLiveWrites(run, now),
      };
    },
    async prune() {
      let pruned = 0;
      for (;;) {
        const step = await writer.run("pruneKeys", { limit: PRUNE_STEP }, now());
        pruned += step;
        if (step < PRUNE_STEP) return pruned;
      }
    },
  };
}

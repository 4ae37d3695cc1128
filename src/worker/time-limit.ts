/** A bound on how long a worker waits for the model, whatever the model does. */
import { AppError, EnrichmentError } from "../errors.ts";
import type { Models } from "../ports/models.ts";

export interface InferenceLimits {
  readonly base_ms: number;
  /** For each turn that this worker waits for: they queue for the same threads. */
  readonly turn_ms: number;
}

/**
 * A turn takes at most 14 ms on an idle core (256 word pieces), typically 1 ms; the model replaces a thread that is
 * silent for 20 s. Longer than this it is not coming back.
 */
export const INFERENCE_LIMITS: InferenceLimits = { base_ms: 30_000, turn_ms: 50 };

/**
 * `infer` that rejects with EnrichmentError when its time is over, so that a call whose inference hangs costs itself an
 * attempt and holds up nobody, and with shutting_down as soon as `abandon` fires.
 */
export function limitInference(
  models: Pick<Models, "infer">,
  limits: InferenceLimits,
  abandon: AbortSignal,
): Pick<Models, "infer"> {
  let turns = 0;
  return {
    async infer(texts) {
      turns += texts.length;
      const ms = limits.base_ms + limits.turn_ms * turns;
      const over = Promise.withResolvers<never>();
      const timer = setTimeout(() => over.reject(new EnrichmentError(`no answer within ${ms / 1000} s`)), ms);
      const leave = () => over.reject(new AppError("shutting_down"));
      abandon.addEventListener("abort", leave);
      if (abandon.aborted) leave();
      try {
        return await Promise.race([models.infer(texts), over.promise]);
      } finally {
        clearTimeout(timer);
        abandon.removeEventListener("abort", leave);
        turns -= texts.length;
      }
    },
  };
}

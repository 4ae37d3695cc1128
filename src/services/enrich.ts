/** Turns the words of calls into insight: leased work, from the store through the model and back. */
import type { CallVectors, Insights, Segment, Turn } from "../core/call.ts";
import { describeFault } from "../core/fault.ts";
import { measureCall } from "../core/measure-call.ts";
import { FORMULAS, supportsLanguage } from "../core/measures.ts";
import { poolVectors, segments } from "../core/pool.ts";
import { quantize } from "../core/vector.ts";
import { countWords } from "../core/words.ts";
import { AppError, EnrichmentError } from "../errors.ts";
import type { CallReads, Calls } from "../ports/calls.ts";
import type { Inference, Models } from "../ports/models.ts";
import type { WorkItem } from "../ports/work.ts";

export interface EnrichDeps {
  readonly reads: Pick<CallReads, "texts">;
  readonly calls: Pick<Calls, "saveEnrichment">;
  readonly models: Pick<Models, "infer">;
  readonly now: () => number;
}

type Step = "read" | "infer" | "measure" | "save";

export interface FailedItem {
  readonly item: WorkItem;
  readonly step: Step;
  readonly error: Error;
}

export interface EnrichOutcome {
  readonly saved: number;
  /** Changed or deleted meanwhile: newer work stands for them. */
  readonly stale: number;
  /** Items whose own text made a step throw, or hang until its time was over. */
  readonly failed: readonly FailedItem[];
  /** Left as they are, because the model or the worker is shutting down. */
  readonly unfinished: readonly WorkItem[];
  readonly method: Inference["method"] | null;
}

/**
 * Enriches the items of one batch side by side. Each is saved as soon as it is done and fails alone: neither one that
 * throws nor one that hangs holds up its neighbours or costs them an attempt.
 * @throws AppError when the store cannot be reached; the leases then run out or are released by the caller
 */
export async function enrichBatch(
  deps: EnrichDeps,
  input: { items: readonly WorkItem[]; worker_id: string },
): Promise<EnrichOutcome> {
  const { items, worker_id } = input;
  const stored = new Map((await deps.reads.texts(items.map((i) => i.call_no))).map((s) => [s.row.call_no, s]));
  const failed: FailedItem[] = [];
  const unfinished: WorkItem[] = [];
  let saved = 0;
  let stale = 0;
  let method: Inference["method"] | null = null;

  const enrichOne = async (item: WorkItem): Promise<void> => {
    const { call_no, revision, work_no } = item;
    const call = stored.get(call_no);
    let step: Step = "read";
    try {
      if (call?.row.revision !== revision) {
        stale++;
        return;
      }
      const { language, duration_seconds } = call.row;
      const { turns } = call;
      step = "infer";
      const inference = await deps.models.infer(turns.map((t) => t.text));
      method = inference.method;
      step = "measure";
      const derived = deriveCall({ turns, language, duration_seconds }, inference, deps.now());
      step = "save";
      const made = { method: inference.method, model: inference.model, ...derived };
      // Saves of one moment are one transaction of the writer.
      const [result] = await deps.calls.saveEnrichment([{ call_no, revision, work_no, worker_id, ...made }]);
      if (result === "saved") saved++;
      else stale++;
    } catch (error) {
      if (step === "infer" && error instanceof AppError && error.code === "shutting_down") unfinished.push(item);
      // The store itself is in trouble: no call is to blame.
      else if (error instanceof AppError && error.code !== "internal") throw error;
      else failed.push({ item, step, error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  const ends = await Promise.allSettled(items.map(enrichOne));
  const trouble = ends.find((end) => end.status === "rejected");
  if (trouble) throw trouble.reason;
  return { saved, stale, failed, unfinished, method };
}

/** Why an item failed, for the dead letter and the log: never a word of its call. */
export function reasonOf({ step, error }: FailedItem): string {
  const said = error instanceof AppError || error instanceof EnrichmentError ? error.message : describeFault(error);
  return `${step}: ${said}`.slice(0, 500);
}

/** Insights and vectors of one call from the inference over its turns. */
export function deriveCall(
  call: { turns: readonly Turn[]; language: string; duration_seconds: number | null },
  inference: Inference,
  now: number,
): { insights: Insights; vectors: CallVectors | null } {
  const { turns, language, duration_seconds } = call;
  const words = turns.map((t) => countWords(t.text));
  const supported = supportsLanguage(language);
  const turnSentiment = turns.map((_, i) =>
    supported && (words[i] as number) > 0 ? (inference.sentiment[i] as number) : null,
  );
  const { measures, reasons } = measureCall({ turns, language, duration_seconds, turnSentiment });
  const made = { method: inference.method, model: inference.model, version: inference.version, computed_at: now };
  let vectors: CallVectors | null = null;
  if (inference.vectors !== null && inference.space_id !== null && turns.length > 0) {
    const own = inference.vectors;
    vectors = {
      space_id: inference.space_id,
      turns: quantize(own),
      segments: segments(words).map(
        (s): Segment => ({ ...s, vector: quantize(poolVectors(own, words, s.first_turn, s.last_turn)) }),
      ),
      call: poolVectors(own, words, 0, turns.length - 1),
    };
  }
  return {
    insights: {
      measures,
      reasons,
      turn_sentiment: turnSentiment,
      provenance: {
        sentiment: made,
        conversation: { method: "formula", model: FORMULAS.name, version: FORMULAS.version, computed_at: now },
        embedding: vectors === null ? null : made,
      },
    },
    vectors,
  };
}

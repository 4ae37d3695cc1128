/** Turns the words of calls into insight: one batch of leased work, from the store through the model and back. */
import type { CallVectors, Insights, Segment, Turn } from "../core/call.ts";
import { measureCall } from "../core/measure-call.ts";
import { FORMULAS, supportsLanguage } from "../core/measures.ts";
import { poolVectors, segments } from "../core/pool.ts";
import { DIMENSIONS, quantize } from "../core/vector.ts";
import { countWords } from "../core/words.ts";
import { AppError } from "../errors.ts";
import type { CallReads, Calls, EnrichedCall, Inference, Models, WorkItem } from "../ports.ts";

export interface EnrichDeps {
  readonly reads: Pick<CallReads, "texts">;
  readonly calls: Pick<Calls, "saveEnrichment">;
  readonly models: Pick<Models, "infer">;
  readonly now: () => number;
}

export interface EnrichOutcome {
  readonly saved: number;
  /** Changed or deleted meanwhile: newer work stands for them. */
  readonly stale: number;
  /** Items whose own text made a step throw. */
  readonly failed: readonly { readonly item: WorkItem; readonly error: Error }[];
  readonly method: Inference["method"] | null;
}

/**
 * Enriches one batch and saves it in one transaction. A call that makes the model throw fails alone: the batch is
 * taken apart and its neighbours are done.
 * @throws AppError when the store cannot be reached; the leases then run out or are released by the caller
 */
export async function enrichBatch(
  deps: EnrichDeps,
  input: { items: readonly WorkItem[]; worker_id: string },
): Promise<EnrichOutcome> {
  const { items, worker_id } = input;
  const stored = new Map((await deps.reads.texts(items.map((i) => i.call_no))).map((s) => [s.row.call_no, s]));
  const current = items.filter((item) => stored.get(item.call_no)?.row.revision === item.revision);
  const turnsOf = (item: WorkItem): readonly Turn[] => stored.get(item.call_no)?.turns ?? [];

  const failed: { item: WorkItem; error: Error }[] = [];
  const enriched: EnrichedCall[] = [];
  const derive = (item: WorkItem, inference: Inference, offset: number) => {
    const row = stored.get(item.call_no)?.row;
    if (row === undefined) return;
    try {
      enriched.push({
        call_no: item.call_no,
        revision: item.revision,
        work_no: item.work_no,
        worker_id,
        method: inference.method,
        model: inference.model,
        ...deriveCall(
          { turns: turnsOf(item), language: row.language, duration_seconds: row.duration_seconds },
          inference,
          offset,
          deps.now(),
        ),
      });
    } catch (error) {
      failed.push({ item, error: asError(error) });
    }
  };

  let method: Inference["method"] | null = null;
  try {
    const inference = await deps.models.infer(current.flatMap((item) => turnsOf(item).map((t) => t.text)));
    method = inference.method;
    let offset = 0;
    for (const item of current) {
      derive(item, inference, offset);
      offset += turnsOf(item).length;
    }
  } catch (error) {
    if (current.length === 1) failed.push({ item: current[0] as WorkItem, error: asError(error) });
    else {
      for (const item of current) {
        try {
          const inference = await deps.models.infer(turnsOf(item).map((t) => t.text));
          method = inference.method;
          derive(item, inference, 0);
        } catch (alone) {
          failed.push({ item, error: asError(alone) });
        }
      }
    }
  }
  const saved = await save(deps, enriched, (call_no, error) => {
    const item = items.find((i) => i.call_no === call_no);
    if (item !== undefined) failed.push({ item, error });
  });
  return { saved, stale: items.length - saved - failed.length, failed, method };
}

/** Saves the batch, or each call alone where the batch was refused for one of them; the number saved. */
async function save(
  deps: EnrichDeps,
  batch: readonly EnrichedCall[],
  refuse: (call_no: number, error: Error) => void,
): Promise<number> {
  if (batch.length === 0) return 0;
  try {
    return (await deps.calls.saveEnrichment(batch)).filter((r) => r === "saved").length;
  } catch (error) {
    // The store itself is in trouble: no call is to blame.
    if (error instanceof AppError && error.code !== "internal") throw error;
    if (batch.length === 1) {
      refuse((batch[0] as EnrichedCall).call_no, asError(error));
      return 0;
    }
    let saved = 0;
    for (const call of batch) saved += await save(deps, [call], refuse);
    return saved;
  }
}

/** Insights and vectors of one call from the inference over a batch, whose texts begin for this call at `offset`. */
export function deriveCall(
  call: { turns: readonly Turn[]; language: string; duration_seconds: number | null },
  inference: Inference,
  offset: number,
  now: number,
): { insights: Insights; vectors: CallVectors | null } {
  const { turns, language, duration_seconds } = call;
  const words = turns.map((t) => countWords(t.text));
  const supported = supportsLanguage(language);
  const turnSentiment = turns.map((_, i) =>
    supported && (words[i] as number) > 0 ? (inference.sentiment[offset + i] as number) : null,
  );
  const { measures, reasons } = measureCall({ turns, language, duration_seconds, turnSentiment });
  const made = { method: inference.method, model: inference.model, version: inference.version, computed_at: now };
  let vectors: CallVectors | null = null;
  if (inference.vectors !== null && inference.space_id !== null && turns.length > 0) {
    const own = inference.vectors.subarray(offset * DIMENSIONS, (offset + turns.length) * DIMENSIONS);
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

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

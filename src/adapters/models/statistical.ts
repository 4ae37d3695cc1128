/** The answer without a model: VADER for sentiment, no vectors. */
import type { Inference } from "../../ports/models.ts";
import { statisticalSentiment } from "./sentiment-head.ts";

export const VADER = { model: "vader", version: "1" } as const;

export function statisticalInference(texts: readonly string[]): Inference {
  return {
    method: "statistical",
    ...VADER,
    vectors: null,
    space_id: null,
    sentiment: Float32Array.from(texts, statisticalSentiment),
  };
}

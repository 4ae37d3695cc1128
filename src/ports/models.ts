import type { Method } from "../core/call.ts";

/** What was made of n texts, in order. */
export interface Inference {
  readonly method: Method;
  /** For example "all-MiniLM-L6-v2" or "vader". */
  readonly model: string;
  readonly version: string;
  /** n x 384 float32 unit vectors, null when the statistical fallback ran. */
  readonly vectors: Float32Array | null;
  readonly space_id: string | null;
  /** n values, -1..1. */
  readonly sentiment: Float32Array;
}

export interface ModelState {
  readonly method: Method;
  readonly model: string;
  readonly version: string;
  readonly space_id: string | null;
  readonly graph_id: string | null;
  readonly threads: number;
  /** Why the model is not running and what to do about it; null when it runs. */
  readonly problem: string | null;
}

export interface Models {
  /** Never rejects for want of a model: it falls back and says so in `method`. One text a run. */
  infer(texts: readonly string[]): Promise<Inference>;
  /** One unit vector for a query; null when no model runs. Goes before enrichment in the queue. */
  embed(text: string): Promise<Float32Array | null>;
  /**
   * The sentiment of texts that somebody waits for, as `infer` gives it. Goes before enrichment in the queue. Falls back
   * and says so also for a text that the model cannot read, and where the model takes longer than two seconds.
   */
  feel(texts: readonly string[]): Promise<Pick<Inference, "method" | "model" | "version" | "sentiment">>;
  describe(): ModelState;
  /** Called when the model comes or goes. Returns the unsubscriber. */
  onChange(listener: (state: ModelState) => void): () => void;
  close(): Promise<void>;
}

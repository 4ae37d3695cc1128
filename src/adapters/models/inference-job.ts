/** One infer() or embed() on its way: what was asked, what has come back, and the parts still out. */
import { AppError, EnrichmentError } from "../../errors.ts";
import { DIMENSIONS } from "./pinned-model.ts";
import type { TurnCache } from "./turn-cache.ts";

export interface JobResult {
  readonly vectors: Float32Array;
  readonly sentiment: Float32Array;
}

/** A small run of texts for one thread: small, so that all threads stay busy and a query waits milliseconds. */
export interface Part {
  readonly id: number;
  readonly job: InferenceJob;
  readonly texts: readonly string[];
  attempts: number;
}

const PART_TEXTS = 8;
const PART_CHARACTERS = 1200;
let lastId = 0;

/** Resolves with null where the model went away before the end: the caller then falls back. */
export class InferenceJob {
  readonly #vectors: Float32Array;
  readonly #sentiment: Float32Array;
  readonly #cache: TurnCache;
  /** Where each distinct text belongs in the answer. */
  readonly #places = new Map<string, number[]>();
  readonly #promise: PromiseWithResolvers<JobResult | null> = Promise.withResolvers();
  #open = 0;
  settled = false;

  constructor(texts: readonly string[], cache: TurnCache) {
    this.#cache = cache;
    this.#vectors = new Float32Array(texts.length * DIMENSIONS);
    this.#sentiment = new Float32Array(texts.length);
    for (const [i, text] of texts.entries()) {
      const places = this.#places.get(text);
      if (places) places.push(i);
      else this.#places.set(text, [i]);
    }
  }

  get result(): Promise<JobResult | null> {
    return this.#promise.promise;
  }

  /** Fills in what the cache knows and returns the rest in parts. */
  split(): Part[] {
    const parts: Part[] = [];
    let texts: string[] = [];
    let characters = 0;
    const cut = (): void => {
      if (texts.length > 0) parts.push({ id: ++lastId, job: this, texts, attempts: 0 });
      texts = [];
      characters = 0;
    };
    for (const text of this.#places.keys()) {
      const known = this.#cache.get(text);
      if (known) {
        this.#fill(text, known.vector, known.sentiment);
        continue;
      }
      texts.push(text);
      // A caller's mistake (not a string) is for the thread to report, as this job's error.
      characters += typeof text === "string" ? text.length : 0;
      if (texts.length >= PART_TEXTS || characters >= PART_CHARACTERS) cut();
    }
    cut();
    this.#open = parts.length;
    if (this.#open === 0) this.#settle(() => this.#promise.resolve(this.#all()));
    return parts;
  }

  finish(part: Part, vectors: Float32Array, sentiment: Float32Array): void {
    if (this.settled) return;
    for (const [i, text] of part.texts.entries()) {
      const vector = vectors.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS);
      const value = sentiment[i] ?? 0;
      this.#fill(text, vector, value);
      this.#cache.put(text, { vector, sentiment: value });
    }
    if (--this.#open === 0) this.#settle(() => this.#promise.resolve(this.#all()));
  }

  fail(reason: string): void {
    this.#settle(() => this.#promise.reject(new EnrichmentError(`a text could not be read by the model: ${reason}`)));
  }

  giveUp(): void {
    this.#settle(() => this.#promise.resolve(null));
  }

  close(): void {
    this.#settle(() => this.#promise.reject(new AppError("shutting_down")));
  }

  #all(): JobResult {
    return { vectors: this.#vectors, sentiment: this.#sentiment };
  }

  #fill(text: string, vector: Float32Array, sentiment: number): void {
    for (const place of this.#places.get(text) ?? []) {
      this.#vectors.set(vector, place * DIMENSIONS);
      this.#sentiment[place] = sentiment;
    }
  }

  #settle(how: () => void): void {
    if (this.settled) return;
    this.settled = true;
    how();
  }
}

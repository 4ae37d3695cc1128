/**
 * The Models port: a pool of model threads, the queue before them, and the statistical answer while none runs.
 * The model comes and goes by itself: a missing folder is set up or noticed, a lost thread is started again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, EnrichmentError } from "../../errors.ts";
import type { Inference, ModelState, Models } from "../../ports/models.ts";
import type { Part } from "./inference-job.ts";
import { InferenceJob } from "./inference-job.ts";
import { hasModel } from "./model-folder.ts";
import type { Finished, Ready, SlotOptions } from "./model-slot.ts";
import { ModelSlot } from "./model-slot.ts";
import { pinnedFolder } from "./pinned-model.ts";
import type { PullProgress } from "./pull-model.ts";
import { pullModel } from "./pull-model.ts";
import { HEAD_VERSION } from "./sentiment-head.ts";
import { statisticalInference, VADER } from "./statistical.ts";
import { TurnCache } from "./turn-cache.ts";

export interface OpenModelsOptions {
  /** The folder to run, `pinnedFolder(dataDir)` for the built-in model; null runs without a model. */
  readonly modelDir: string | null;
  readonly dataDir: string;
  readonly threads: number;
  /** Set the built-in model up when its folder is not there. */
  readonly autoPull: boolean;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly log?: (level: "info" | "warn", message: string) => void;
  readonly npmCommand?: readonly string[];
  /** ms: answer to one small task, loading, first and longest pause before another try. */
  readonly limits?: {
    readonly deadlineMs?: number;
    readonly loadMs?: number;
    readonly backoffMs?: readonly [number, number];
  };
  /** The script the threads run; another one only where a fault is to be shown. */
  readonly threadScript?: URL;
}

export interface OpenedModels extends Models {
  /** Resolves when the first attempt is through: the model runs, or `problem` says why not. Downloads count. */
  settled(): Promise<ModelState>;
  /** Counters since the start, for metrics. */
  counters(): { cacheHits: number; cacheMisses: number; queued: number; restarts: number };
}

/** Opens at once; loading goes on behind. Close it, else its threads keep the process alive. */
export function openModels(options: OpenModelsOptions): OpenedModels {
  return new ModelPool(options);
}

/** Tasks a thread holds: one running, one waiting, so that it never waits for this thread's event loop. */
const AHEAD = 2;
const LOOK_AGAIN_MS = 15_000;
/** How long a call that goes on waits for the model. */
const FEEL_MS = 2_000;
/** Longer than any task takes, shorter than a worker waits for it. */
export const DEADLINE_MS = 20_000;
const LONGEST_PULL_PAUSE_MS = 10 * 60_000;

class ModelPool implements OpenedModels {
  readonly #options: OpenModelsOptions;
  readonly #slots: ModelSlot[] = [];
  readonly #cache = new TurnCache();
  readonly #queries: Part[] = [];
  readonly #parts: Part[] = [];
  readonly #running = new Map<number, Part>();
  readonly #listeners = new Set<(state: ModelState) => void>();
  readonly #closing = new AbortController();
  /** Open while the first load may still succeed: infer() waits for it rather than make work that is done again. */
  readonly #loaded = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  #ready: Ready | null = null;
  #problem: string | null = "the model is being loaded";
  #restarts = 0;
  #started: Promise<void> = Promise.resolve();

  constructor(options: OpenModelsOptions) {
    this.#options = options;
    if (options.modelDir === null) {
      this.#fail("EARSHOT_MODEL_DIR is statistical: set it to a model folder, or unset it, for the model");
    } else this.#started = this.#bringUp(options.modelDir);
  }

  infer(texts: readonly string[]): Promise<Inference> {
    return this.#infer(texts, this.#parts);
  }

  async #infer(texts: readonly string[], queue: Part[]): Promise<Inference> {
    await this.#loaded.promise;
    if (this.#closing.signal.aborted) throw new AppError("shutting_down");
    const ready = this.#ready;
    const result = ready && (await this.#run(texts, queue));
    if (!ready || !result) return statisticalInference(texts);
    return {
      method: "model",
      model: ready.model,
      version: versionOf(ready),
      space_id: ready.space_id,
      vectors: result.vectors,
      sentiment: result.sentiment,
    };
  }

  async embed(text: string): Promise<Float32Array | null> {
    await this.#loaded.promise;
    if (this.#closing.signal.aborted) throw new AppError("shutting_down");
    const job = this.#ready && this.#run([text], this.#queries);
    const result = await job?.catch((error: unknown) => {
      // A query that takes threads down is answered without the model, as a query without one is.
      if (error instanceof EnrichmentError) return null;
      throw error;
    });
    return result ? result.vectors : null;
  }

  async feel(texts: readonly string[]): Promise<Inference> {
    const patience = new AbortController();
    const late = sleep(FEEL_MS, null, { signal: patience.signal, ref: false }).catch(() => null);
    try {
      const felt = await Promise.race([this.#infer(texts, this.#queries), late]);
      return felt ?? statisticalInference(texts);
    } catch (error) {
      // A text that takes threads down is felt without the model.
      if (error instanceof EnrichmentError) return statisticalInference(texts);
      throw error;
    } finally {
      patience.abort();
    }
  }

  describe(): ModelState {
    const running = this.#slots.filter((s) => s.isReady).length;
    const ready = this.#ready;
    return ready
      ? {
          method: "model",
          model: ready.model,
          version: versionOf(ready),
          space_id: ready.space_id,
          graph_id: ready.graph_id,
          threads: running,
          problem: null,
        }
      : { method: "statistical", ...VADER, space_id: null, graph_id: null, threads: 0, problem: this.#problem };
  }

  onChange(listener: (state: ModelState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async settled(): Promise<ModelState> {
    await this.#settled.promise;
    return this.describe();
  }

  counters(): { cacheHits: number; cacheMisses: number; queued: number; restarts: number } {
    const queued = this.#queries.length + this.#parts.length + this.#running.size;
    return { cacheHits: this.#cache.hits, cacheMisses: this.#cache.misses, queued, restarts: this.#restarts };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#listeners.clear();
    for (const part of this.#drain()) part.job.close();
    this.#ready = null;
    this.#fail("the server is shutting down");
    // A set-up that is under way removes its half-made files first.
    await this.#started;
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  async #run(texts: readonly string[], queue: Part[]): Promise<Awaited<InferenceJob["result"]>> {
    const job = new InferenceJob(texts, this.#cache);
    queue.push(...job.split());
    this.#pump();
    return job.result;
  }

  /** Gives waiting parts to the threads with the least to do; queries first. */
  #pump(): void {
    for (;;) {
      const slot = this.#slots
        .filter((s) => s.isReady && !s.isLate && s.load < AHEAD)
        .reduce<ModelSlot | null>((best, s) => (best && best.load <= s.load ? best : s), null);
      const part = slot && (this.#queries.shift() ?? this.#parts.shift());
      if (!slot || !part) return;
      if (part.job.settled) continue;
      this.#running.set(part.id, part);
      slot.give({ id: part.id, texts: part.texts });
    }
  }

  #onFinished(reply: Finished): void {
    const part = this.#running.get(reply.id);
    this.#running.delete(reply.id);
    if (part && reply.kind === "done") part.job.finish(part, reply.vectors, reply.sentiment);
    if (part && reply.kind === "failed") part.job.fail(reply.reason);
    this.#pump();
  }

  #onReady(ready: Ready): void {
    if (this.#ready?.graph_id !== ready.graph_id) this.#cache.clear();
    const back = this.#ready === null;
    this.#ready = ready;
    this.#problem = null;
    this.#loaded.resolve();
    this.#settled.resolve();
    if (back) {
      this.#log("info", `the model runs: ${ready.model} ${versionOf(ready)}`);
      this.#tell();
    }
    this.#pump();
  }

  /** What waits behind a slow task goes to another thread, if there is one. */
  #onLate(slot: ModelSlot): void {
    if (!this.#slots.some((s) => s.isReady && !s.isLate)) return;
    for (const { id } of slot.handOver()) {
      const part = this.#running.get(id);
      // Until another thread has it, an answer of this one is nobody's: a part must not be counted twice.
      this.#running.delete(id);
      if (part) this.#parts.unshift(part);
    }
    this.#pump();
  }

  #onDown(reason: string, lost: readonly { readonly id: number }[]): void {
    this.#restarts++;
    const another = this.#slots.some((s) => s.isReady);
    for (const [i, { id }] of lost.entries()) {
      const part = this.#running.get(id);
      this.#running.delete(id);
      if (!part) continue;
      // Only the one that ran may be to blame. It gets one more thread, then it is its caller's: answered without the
      // model, it would come back with the model and take the next thread down.
      const suspect = i === 0;
      if (another && (!suspect || part.attempts++ === 0)) this.#queries.unshift(part);
      else if (suspect) part.job.fail(reason);
      else part.job.giveUp();
    }
    if (another) {
      this.#log("warn", reason);
      this.#pump();
    } else this.#fail(reason);
  }

  /** No thread runs: everything that waits is answered without the model. */
  #fail(reason: string): void {
    const changed = this.#ready !== null || this.#problem !== reason;
    this.#ready = null;
    this.#problem = reason;
    for (const part of this.#drain()) part.job.giveUp();
    this.#loaded.resolve();
    this.#settled.resolve();
    if (changed) {
      this.#log("warn", reason);
      this.#tell();
    }
  }

  #drain(): Part[] {
    const parts = [...this.#queries.splice(0), ...this.#parts.splice(0), ...this.#running.values()];
    this.#running.clear();
    return parts;
  }

  async #bringUp(folder: string): Promise<void> {
    const { dataDir, autoPull, threads, limits = {} } = this.#options;
    if (autoPull && folder === pinnedFolder(dataDir)) await this.#pull(folder);
    const slotOptions: SlotOptions = {
      script: this.#options.threadScript ?? new URL("./model-thread.ts", import.meta.url),
      folder,
      deadlineMs: limits.deadlineMs ?? DEADLINE_MS,
      loadMs: limits.loadMs ?? 60_000,
      backoffMs: limits.backoffMs ?? [1000, LOOK_AGAIN_MS],
    };
    for (let i = 0; i < threads && !this.#closing.signal.aborted; i++) {
      const slot = new ModelSlot(slotOptions, {
        ready: (_slot, ready) => this.#onReady(ready),
        finished: (_slot, reply) => this.#onFinished(reply),
        late: (slot) => this.#onLate(slot),
        down: (_slot, reason, lost) => this.#onDown(reason, lost),
      });
      this.#slots.push(slot);
      slot.start();
    }
  }

  /** Returns when the folder is there, set up here or put there by somebody else. */
  async #pull(folder: string): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !hasModel(folder) && !signal.aborted; failures++) {
      try {
        this.#problem = "the model is being set up; until then values are statistical";
        this.#loaded.resolve();
        this.#tell();
        const { dataDir, onProgress = () => undefined, npmCommand } = this.#options;
        await pullModel({ dataDir, onProgress, signal, ...(npmCommand ? { npmCommand } : {}) });
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error instanceof Error ? error.message : String(error));
        const [first, longest] = this.#options.limits?.backoffMs ?? [LOOK_AGAIN_MS, LONGEST_PULL_PAUSE_MS];
        await this.#pause(folder, Math.min(longest, first * 2 ** failures));
      }
    }
  }

  /** Waits, but no longer than until the folder appears or the pool closes. */
  async #pause(folder: string, ms: number): Promise<void> {
    const { signal } = this.#closing;
    const end = performance.now() + ms;
    while (performance.now() < end && !hasModel(folder) && !signal.aborted) {
      const ms = Math.min(LOOK_AGAIN_MS, Math.max(1, end - performance.now()));
      // Rejects when the pool closes, which the loop sees by itself.
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #tell(): void {
    const state = this.describe();
    for (const listener of this.#listeners) listener(state);
  }

  #log(level: "info" | "warn", message: string): void {
    this.#options.log?.(level, message);
  }
}

/** Weights, graph and the numbers of the sentiment head. */
function versionOf(ready: Ready): string {
  return `${ready.version}+${HEAD_VERSION}`;
}

/** One onnxruntime session with its tokenizer: text in, unit vector out. One text a run. Blocks the thread it runs on. */
import "./no-telemetry.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import * as ort from "onnxruntime-node";
import { dot } from "../../core/vector.ts";
import type { Optimization } from "./model-folder.ts";
import { ModelFolderError } from "./model-folder.ts";
import { DIMENSIONS, MAX_CHARACTERS, MAX_TOKENS } from "./pinned-model.ts";

export class Encoder {
  readonly #session: ort.InferenceSession;
  readonly #tokenizer: Tokenizer;
  /** A graph made by fuseForOneText pools by itself and takes int32 ids alone. */
  readonly #fused: boolean;

  private constructor(session: ort.InferenceSession, tokenizer: Tokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#fused = session.outputNames[0] === "sentence_embedding" && session.inputNames.length === 1;
  }

  /** Loads `file` (relative to `folder`) and tries it on three sentences. @throws ModelFolderError with the reason */
  static async open(folder: string, file: string, optimization: Optimization): Promise<Encoder> {
    const json = (name: string): object => JSON.parse(readFileSync(join(folder, name), "utf8")) as object;
    try {
      const tokenizer = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
      const session = await ort.InferenceSession.create(join(folder, file), {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: optimization,
        // Errors only: warnings about unused weights of foreign exports would go to stderr as they are.
        logSeverityLevel: 3,
      });
      const encoder = new Encoder(session, tokenizer);
      await encoder.#probe(folder, file);
      return encoder;
    } catch (error) {
      if (error instanceof ModelFolderError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelFolderError(`the model in ${folder} does not load (${reason}); run \`earshot models check\``);
    }
  }

  /** 384 float32 values of unit length. The first 256 word pieces count. */
  async encode(text: string): Promise<Float32Array> {
    return this.encodeIds(this.tokens(text));
  }

  /** Word piece ids with [CLS] and [SEP], at most 256. */
  tokens(text: string): number[] {
    const { ids } = this.#tokenizer.encode(text.slice(0, MAX_CHARACTERS));
    if (ids.length > MAX_TOKENS) ids.splice(MAX_TOKENS - 1, ids.length - MAX_TOKENS);
    return ids;
  }

  async encodeIds(ids: readonly number[]): Promise<Float32Array> {
    const dims = [1, ids.length];
    if (this.#fused) {
      const { sentence_embedding: pooled } = await this.#session.run({
        input_ids: new ort.Tensor("int32", Int32Array.from(ids), dims),
      });
      return pooled?.data as Float32Array;
    }
    const long = (values: BigInt64Array): ort.Tensor => new ort.Tensor("int64", values, dims);
    const feeds: Record<string, ort.Tensor> = {
      input_ids: long(BigInt64Array.from(ids, BigInt)),
      attention_mask: long(new BigInt64Array(ids.length).fill(1n)),
      token_type_ids: long(new BigInt64Array(ids.length)),
    };
    const known = this.#session.inputNames.filter((name) => feeds[name]);
    const out = await this.#session.run(Object.fromEntries(known.map((name) => [name, feeds[name] as ort.Tensor])));
    const first = out["last_hidden_state"] ?? out[this.#session.outputNames[0] ?? ""];
    return meanUnit(first?.data as Float32Array, first?.dims.at(-1) ?? 0);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #probe(folder: string, file: string): Promise<void> {
    const near = await this.encode("The price is too high for us.");
    const alike = await this.encode("That is too expensive.");
    const far = await this.encode("The volcano erupted at dawn.");
    const where = join(folder, file);
    if (near.length !== DIMENSIONS) {
      throw new ModelFolderError(`${where} makes vectors of ${near.length} values; Earshot stores ${DIMENSIONS}`);
    }
    if (!(dot(near, alike) > dot(near, far) + 0.1)) {
      throw new ModelFolderError(`${where} runs, but its vectors do not tell related sentences from unrelated ones`);
    }
  }
}

/** Mean over the tokens (there is no padding), scaled to unit length. */
function meanUnit(hidden: Float32Array, width: number): Float32Array {
  const sum = new Float64Array(width);
  for (let i = 0; i < hidden.length; i++) sum[i % width] = (sum[i % width] ?? 0) + (hidden[i] ?? 0);
  const length = Math.sqrt(sum.reduce((a, x) => a + x * x, 0)) || 1;
  return Float32Array.from(sum, (x) => x / length);
}

/**
 * Thread: one encoder. Answers each task (texts) with vectors and sentiment, or with the error it met; a task that throws
 * leaves the thread as it was. Dies with the reason when the model does not load.
 */
import { parentPort, workerData } from "node:worker_threads";
import { describeFault } from "../../core/fault.ts";
import { Encoder } from "./encoder.ts";
import { chooseGraph } from "./model-folder.ts";
import { DIMENSIONS } from "./pinned-model.ts";
import { sentimentOf } from "./sentiment-head.ts";

/**
 * Main to thread: a task, or "close". A thread is asked to end and does so between two runs: terminating one inside
 * onnxruntime throws from native code and takes the whole process down.
 */
export type Order = Task | "close";

export interface Task {
  readonly id: number;
  readonly texts: readonly string[];
}

/** Thread to main. */
export type Reply =
  | {
      readonly kind: "ready";
      readonly model: string;
      readonly version: string;
      readonly graph_id: string;
      readonly space_id: string;
    }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "done"; readonly id: number; readonly vectors: Float32Array; readonly sentiment: Float32Array }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string };

const port = parentPort;
if (!port) throw new Error("model-thread.ts runs as a worker thread only");

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfer);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function load(folder: string): Promise<Encoder | null> {
  try {
    // Every file is compared with its recorded hash at each start: a tenth of a second.
    const { file, optimization, model, version, graph_id, space_id } = await chooseGraph(folder);
    const encoder = await Encoder.open(folder, file, optimization);
    send({ kind: "ready", model, version, graph_id, space_id });
    return encoder;
  } catch (error) {
    send({ kind: "refused", reason: message(error) });
    return null;
  }
}

async function run(encoder: Encoder, { id, texts }: Task): Promise<void> {
  try {
    const vectors = new Float32Array(texts.length * DIMENSIONS);
    const sentiment = new Float32Array(texts.length);
    for (const [i, text] of texts.entries()) {
      const vector = await encoder.encode(text);
      vectors.set(vector, i * DIMENSIONS);
      sentiment[i] = sentimentOf(text, vector);
    }
    send({ kind: "done", id, vectors, sentiment }, [vectors.buffer, sentiment.buffer]);
  } catch (error) {
    // The message may quote the text.
    send({ kind: "failed", id, reason: describeFault(error) });
  }
}

const encoder = await load((workerData as { folder: string }).folder);
if (encoder) {
  let last = Promise.resolve();
  // One after another: tasks that arrive during a run wait here, in order.
  port.on("message", (order: Order) => {
    if (order === "close") process.exit();
    last = last.then(() => run(encoder, order));
  });
} else {
  process.exitCode = 1;
}

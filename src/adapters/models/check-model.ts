/** `earshot models check` and `earshot models bench`: is the model in this folder whole and right, and how fast is it here. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Agreement } from "./compare-graphs.ts";
import { agreement, agrees, BENCH_LENGTHS, speed } from "./compare-graphs.ts";
import { Encoder } from "./encoder.ts";
import type { ChosenGraph, Optimization } from "./model-folder.ts";
import { chooseGraph } from "./model-folder.ts";

export interface ModelCheck {
  readonly ok: boolean;
  /** What is wrong and what to do; null when all is well. */
  readonly problem: string | null;
  readonly chosen: ChosenGraph | null;
  /** Cosines of the graph in use against the one shipped; null where there is only one. */
  readonly agreement: Agreement | null;
}

export interface GraphBench {
  readonly file: string;
  /** True for the graph that is in use. */
  readonly chosen: boolean;
  /** One thread: median ms of one run and runs a second, by word pieces. */
  readonly lengths: readonly { readonly tokens: number; readonly ms: number; readonly per_second: number }[];
}

const SHIPPED = "onnx/model_q4.onnx";

/** Compares every file with its recorded hash, loads the graph, runs it, holds it against the shipped graph. Never throws. */
export async function checkModel(folder: string): Promise<ModelCheck> {
  try {
    const chosen = await chooseGraph(folder);
    const encoder = await Encoder.open(folder, chosen.file, chosen.optimization);
    let found: Agreement | null = null;
    if (chosen.file !== SHIPPED && existsSync(join(folder, SHIPPED))) {
      const shipped = await Encoder.open(folder, SHIPPED, "all");
      found = await agreement(shipped, encoder);
      await shipped.close();
    }
    await encoder.close();
    const ok = found === null || agrees(found);
    const problem = ok ? null : `${chosen.file} differs too much from ${SHIPPED} here; run \`earshot models pull\``;
    return { ok, problem, chosen, agreement: found };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ok: false, problem, chosen: null, agreement: null };
  }
}

/** Measures every graph of the folder that earshot may run. @throws ModelFolderError where there is none */
export async function benchModel(
  folder: string,
  onGraph: (bench: GraphBench) => void = () => undefined,
): Promise<GraphBench[]> {
  const chosen = await chooseGraph(folder);
  const graphs: { file: string; optimization: Optimization }[] = [chosen];
  if (chosen.file !== SHIPPED && existsSync(join(folder, SHIPPED))) graphs.push({ file: SHIPPED, optimization: "all" });
  const found: GraphBench[] = [];
  for (const { file, optimization } of graphs) {
    const encoder = await Encoder.open(folder, file, optimization);
    const lengths = [];
    for (const tokens of BENCH_LENGTHS) {
      const ms = await speed(encoder, tokens, Math.max(10, Math.round(1200 / tokens)));
      lengths.push({ tokens, ms, per_second: Math.round(1000 / ms) });
    }
    await encoder.close();
    const bench = { file, chosen: file === chosen.file, lengths };
    onGraph(bench);
    found.push(bench);
  }
  return found;
}

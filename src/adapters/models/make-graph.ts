/**
 * From the shipped 4-bit graph to the one this machine runs: make the int8 graph, hold it against the shipped one,
 * measure both, keep the fastest that passes, write graph.json. Blocks for seconds: runs in a thread (prepare-thread.ts).
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Agreement } from "./compare-graphs.ts";
import { agreement, agrees, speed } from "./compare-graphs.ts";
import { Encoder } from "./encoder.ts";
import { fuseForOneText } from "./fuse-graph.ts";
import type { GraphRecord, Optimization } from "./model-folder.ts";
import { graphHash, ModelFolderError, sha256, spaceId } from "./model-folder.ts";
import { readGraph, writeGraph } from "./onnx-file.ts";
import { PINNED } from "./pinned-model.ts";
import { quantizeGraph } from "./quantize-graph.ts";

const SHIPPED = "onnx/model_q4.onnx";

interface Candidate {
  readonly file: string;
  readonly optimization: Optimization;
  readonly agreement: Agreement;
  /** ms a run at 16 and 128 word pieces. */
  readonly ms: { readonly 16: number; readonly 128: number };
}

/** Makes the graphs in `folder` and writes its graph.json. */
export async function makeGraph(folder: string, progress: (message: string) => void): Promise<GraphRecord> {
  const shipped = await Encoder.open(folder, SHIPPED, "all");
  const candidates = [await measure(folder, shipped, { file: SHIPPED, optimization: "all" })];
  for (const to of ["int8", "float32"] as const) {
    // float32 is for processors whose int8 product fails the check or is slow; where int8 wins it is not even made.
    if (candidates.some((c) => c.file !== SHIPPED && c.ms[128] < (candidates[0] as Candidate).ms[128])) break;
    progress(`making the ${to} graph`);
    const made = convert(folder, to);
    if (!made) break;
    progress(`checking the ${to} graph on 200 sentences and measuring it`);
    const candidate = await measure(folder, shipped, made);
    if (agrees(candidate.agreement)) candidates.push(candidate);
    else rmSync(join(folder, made.file));
  }
  await shipped.close();
  const best = candidates.reduce((a, b) => (b.ms[128] < a.ms[128] ? b : a));
  for (const c of candidates) if (c !== best && c.file !== SHIPPED) rmSync(join(folder, c.file));
  const graph = await graphHash(folder, best.file);
  const record: GraphRecord = {
    model: PINNED.name,
    version: `${PINNED.version}-${best.file.replace(/^onnx\/model_|\.onnx$/g, "")}`,
    file: best.file,
    optimization: best.optimization,
    graph_id: graph.slice(0, 16),
    space_id: spaceId(await graphHash(folder, SHIPPED)),
    files: await hashes(folder),
    measured: { processor: cpus()[0]?.model ?? "unknown", graphs: candidates },
  };
  writeFileSync(join(folder, "graph.json"), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

function convert(folder: string, to: "int8" | "float32"): { file: string; optimization: Optimization } | null {
  const graph = readGraph(join(folder, SHIPPED));
  if (quantizeGraph(graph, to) === 0) throw new ModelFolderError(`${join(folder, SHIPPED)} has no 4-bit products`);
  const fused = fuseForOneText(graph);
  const file = `onnx/model_${to}.onnx`;
  writeGraph(graph, join(folder, file));
  return { file, optimization: fused ? "basic" : "all" };
}

async function measure(
  folder: string,
  shipped: Encoder,
  graph: { file: string; optimization: Optimization },
): Promise<Candidate> {
  const encoder = graph.file === SHIPPED ? shipped : await Encoder.open(folder, graph.file, graph.optimization);
  const found = encoder === shipped ? { median: 1, p5: 1, min: 1 } : await agreement(shipped, encoder);
  const ms = { 16: await speed(encoder, 16, 30), 128: await speed(encoder, 128, 15) };
  if (encoder !== shipped) await encoder.close();
  return { ...graph, agreement: found, ms };
}

async function hashes(folder: string): Promise<Record<string, string>> {
  const names = [...readdirSync(folder), ...readdirSync(join(folder, "onnx")).map((name) => `onnx/${name}`)];
  const found: Record<string, string> = {};
  for (const name of names.filter((n) => /\.(onnx|onnx_data|json|txt)$/.test(n) && n !== "graph.json").toSorted()) {
    if (existsSync(join(folder, name))) found[name] = await sha256(join(folder, name));
  }
  return found;
}

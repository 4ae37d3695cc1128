/**
 * A BERT encoder graph reduced to one text a run: no padding, hence no mask and one segment; embeddings in one node;
 * mean pooling and unit length inside the graph. Input `input_ids` int32 [1, tokens], output `sentence_embedding`
 * float32 [1, width].
 *
 * Load it at optimisation level "basic": the extended level would merge sums into SkipLayerNormalization, whose kernel
 * took 2.7 ms of 9 at 128 tokens where Add and LayerNormalization take 0.5 (onnxruntime 1.30, x64). Merging query, key
 * and value into one product gained nothing.
 */
import type { Graph } from "./onnx-file.ts";
import { ELEMENT, floatAttribute, floatTensor, floats, int64Tensor, maker, node, prune, value } from "./onnx-file.ts";

/** Rewrites in place; false (graph untouched) where the one exact pattern it knows is not there. */
export function fuseForOneText(graph: Graph): boolean {
  const attention = graph.nodes.filter((n) => n.opType === "MultiHeadAttention");
  const plain = attention.every((n) => !n.input?.[3] && !n.input?.[4]);
  if (attention.length === 0 || !plain || graph.outputs.length !== 1 || !fuseEmbeddings(graph)) return false;
  // Inputs 0 to 2 are query, key, value; then bias and masks. Without a mask the flash attention kernel runs.
  for (const n of attention) n.input = n.input?.slice(0, 3) ?? [];
  addPooling(graph);
  graph.inputs = [value("input_ids", ELEMENT.int32, [1, "tokens"])];
  prune(graph);
  return true;
}

/** LayerNormalization(word + position + segment) -> EmbedLayerNormalization with segment 0 added to the positions. */
function fuseEmbeddings(graph: Graph): boolean {
  const norm = graph.nodes.find((n) => n.opType === "LayerNormalization");
  const sum = maker(graph, norm?.input?.[0]);
  const partial = maker(graph, sum?.input?.[0]);
  const segment = maker(graph, sum?.input?.[1]);
  const [word, position] = (partial?.input ?? []).map((name) => maker(graph, name));
  if (!norm || sum?.opType !== "Add" || partial?.opType !== "Add") return false;
  if ([word, position, segment].some((n) => n?.opType !== "Gather")) return false;
  if (word?.input?.[1] !== "input_ids" || segment?.input?.[1] !== "token_type_ids") return false;
  const [wordName = "", positionName = "", segmentName = ""] = [word, position, segment].map((n) => n?.input?.[0]);
  const positions = graph.weights.get(positionName);
  const segments = graph.weights.get(segmentName);
  const width = positions?.dims[1] ?? 0;
  if (!positions || !segments || segments.dims[1] !== width || !graph.weights.has(wordName)) return false;
  const merged = floats(positions);
  const first = floats(segments);
  for (let i = 0; i < merged.length; i++) merged[i] = (merged[i] as number) + (first[i % width] as number);
  graph.weights.set("position_and_segment", floatTensor(positions.dims, merged));
  const [, gamma = "", beta = ""] = norm.input ?? [];
  const inputs = ["input_ids", "", wordName, "position_and_segment", "", gamma, beta];
  const outputs = [norm.output?.[0] ?? "", "embeddings_mask"];
  const epsilon = { epsilon: { float: floatAttribute(norm, "epsilon", 1e-12) } };
  graph.nodes[graph.nodes.indexOf(norm)] = node(
    "EmbedLayerNormalization",
    "embeddings",
    inputs,
    outputs,
    epsilon,
    "com.microsoft",
  );
  return true;
}

function addPooling(graph: Graph): void {
  const hidden = graph.outputs[0]?.name ?? "";
  graph.weights.set("pool_axis", int64Tensor([1]));
  graph.nodes.push(
    node("ReduceMean", "pool", [hidden, "pool_axis"], ["pooled"], { keepdims: 0 }),
    node("LpNormalization", "unit", ["pooled"], ["sentence_embedding"], { axis: -1, p: 2 }),
  );
  graph.outputs = [value("sentence_embedding", ELEMENT.float32, [1, "width"])];
}

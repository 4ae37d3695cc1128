/** Reading, editing and writing ONNX files: the few operations that making the int8 graph needs. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import onnxProto from "onnx-proto";
import type { onnx as Onnx } from "onnx-proto";

const { onnx } = onnxProto;

/** The file formats' numbers for element types (TensorProto.DataType). */
export const ELEMENT = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

export type Node = Onnx.INodeProto;

export interface Tensor {
  readonly dims: readonly number[];
  readonly type: number;
  readonly data: Uint8Array;
}

/** A graph that can be edited: nodes in topological order, weights with their bytes inline. */
export interface Graph {
  readonly model: Onnx.ModelProto;
  nodes: Node[];
  readonly weights: Map<string, Tensor>;
  inputs: Onnx.IValueInfoProto[];
  outputs: Onnx.IValueInfoProto[];
}

/** Reads a graph with its external data (files beside it), all of it in memory. */
export function readGraph(file: string): Graph {
  const model = onnx.ModelProto.decode(readFileSync(file));
  const graph = model.graph;
  if (!graph) throw new Error(`${file} holds no graph`);
  const external = new Map<string, Uint8Array>();
  const weights = new Map<string, Tensor>();
  for (const t of graph.initializer ?? []) {
    weights.set(t.name ?? "", {
      dims: (t.dims ?? []).map((d) => Number(String(d))),
      type: t.dataType ?? 0,
      data: tensorBytes(t, (location) => {
        let bytes = external.get(location);
        if (!bytes) external.set(location, (bytes = readFileSync(join(dirname(file), location))));
        return bytes;
      }),
    });
  }
  return { model, nodes: graph.node ?? [], weights, inputs: graph.input ?? [], outputs: graph.output ?? [] };
}

/** The model as one self-contained file's bytes (external data inline). */
function encodeGraph(graph: Graph): Uint8Array {
  const inner = graph.model.graph;
  if (!inner) throw new Error("the model holds no graph");
  inner.node = graph.nodes;
  inner.input = graph.inputs;
  inner.output = graph.outputs;
  inner.valueInfo = [];
  inner.initializer = [...graph.weights].map(([name, t]) => ({
    name,
    dims: [...t.dims],
    dataType: t.type,
    rawData: t.data,
  }));
  return onnx.ModelProto.encode(graph.model).finish();
}

export function writeGraph(graph: Graph, file: string): void {
  writeFileSync(file, encodeGraph(graph));
}

/** An empty graph to build on (tests, tools); opset 21 and the com.microsoft operators. */
export function emptyGraph(inputs: Onnx.IValueInfoProto[], outputs: Onnx.IValueInfoProto[]): Graph {
  const model = onnx.ModelProto.create({
    irVersion: 10,
    opsetImport: [
      { domain: "", version: 21 },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: { name: "graph", node: [], initializer: [], input: inputs, output: outputs },
  });
  return { model, nodes: [], weights: new Map(), inputs, outputs };
}

/** A graph input or output; a string is a symbolic dimension. */
export function value(name: string, elemType: number, dims: readonly (number | string)[]): Onnx.IValueInfoProto {
  const dim = dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

export function node(
  opType: string,
  name: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, number | readonly number[] | { readonly float: number }>> = {},
  domain = "",
): Node {
  const { INT, INTS, FLOAT } = onnx.AttributeProto.AttributeType;
  const attribute = Object.entries(attributes).map(([key, v]) =>
    typeof v === "number"
      ? { name: key, type: INT, i: v }
      : "float" in v
        ? { name: key, type: FLOAT, f: v.float }
        : { name: key, type: INTS, ints: [...v] },
  );
  return { opType, name, input, output, attribute, domain };
}

/** An integer attribute, or `fallback`. */
export function intAttribute(n: Node, name: string, fallback: number): number {
  const found = n.attribute?.find((a) => a.name === name)?.i;
  return found === undefined || found === null ? fallback : Number(String(found));
}

/** A float attribute, or `fallback`. */
export function floatAttribute(n: Node, name: string, fallback: number): number {
  return n.attribute?.find((a) => a.name === name)?.f ?? fallback;
}

export function floats(t: Tensor): Float32Array {
  if (t.type !== ELEMENT.float32) throw new Error(`expected float32 weights, found element type ${t.type}`);
  // A copy: the bytes may start anywhere in the file, a Float32Array only at a multiple of four.
  return new Float32Array(new Uint8Array(t.data).buffer);
}

export function floatTensor(dims: readonly number[], data: Float32Array): Tensor {
  return { dims, type: ELEMENT.float32, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

export function int64Tensor(values: readonly number[]): Tensor {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { dims: [values.length], type: ELEMENT.int64, data };
}

/** The nodes that read a value. */
export function readers(graph: Graph, name: string): Node[] {
  return graph.nodes.filter((n) => n.input?.includes(name));
}

/** The node that makes a value; undefined for inputs and weights. */
export function maker(graph: Graph, name: string | undefined): Node | undefined {
  return graph.nodes.find((n) => n.output?.includes(name ?? ""));
}

/** Drops nodes, weights and inputs that no output depends on. */
export function prune(graph: Graph): void {
  const needed = new Set(graph.outputs.map((o) => o.name ?? ""));
  const kept: Node[] = [];
  for (const n of graph.nodes.toReversed()) {
    if (!n.output?.some((o) => o !== "" && needed.has(o))) continue;
    kept.push(n);
    for (const i of n.input ?? []) needed.add(i);
  }
  graph.nodes = kept.toReversed();
  for (const name of graph.weights.keys()) if (!needed.has(name)) graph.weights.delete(name);
  graph.inputs = graph.inputs.filter((i) => needed.has(i.name ?? ""));
}

function tensorBytes(t: Onnx.ITensorProto, load: (location: string) => Uint8Array): Uint8Array {
  if (t.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL) {
    const entries = new Map((t.externalData ?? []).map((e) => [e.key ?? "", e.value ?? ""]));
    const bytes = load(entries.get("location") ?? "");
    const offset = Number(entries.get("offset") ?? 0);
    const length = Number(entries.get("length") ?? bytes.byteLength - offset);
    if (offset + length > bytes.byteLength) throw new Error(`the external data of ${t.name} is cut short`);
    return bytes.subarray(offset, offset + length);
  }
  if (t.rawData && t.rawData.byteLength > 0) return t.rawData;
  if (t.floatData && t.floatData.length > 0) return new Uint8Array(Float32Array.from(t.floatData).buffer);
  if (t.int64Data && t.int64Data.length > 0) {
    return new Uint8Array(BigInt64Array.from(t.int64Data, (x) => BigInt(String(x))).buffer);
  }
  if (t.int32Data && t.int32Data.length > 0) {
    const narrow = t.dataType === ELEMENT.int8 || t.dataType === ELEMENT.uint8;
    return narrow ? Uint8Array.from(t.int32Data) : new Uint8Array(Int32Array.from(t.int32Data).buffer);
  }
  return new Uint8Array(0);
}

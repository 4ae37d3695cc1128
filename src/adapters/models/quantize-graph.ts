/**
 * 4-bit block weights (MatMulNBits) to per-column int8 (DynamicQuantizeMatMul), which processors multiply two to three
 * times as fast. Activations are quantised by the runtime, over the whole run: so one text a run.
 */
import type { Graph, Node, Tensor } from "./onnx-file.ts";
import { ELEMENT, floatTensor, floats, intAttribute, node, prune, readers } from "./onnx-file.ts";

/** K x N weights, row after row. */
export interface Matrix {
  readonly k: number;
  readonly n: number;
  readonly data: Float32Array;
}

/**
 * Unpacks MatMulNBits weights as onnxruntime stores them: [N, K / block, block / 2] bytes, low nibble first,
 * w = (nibble - zero point) * scale, zero point 8 where none is given (else packed two a byte along the blocks).
 */
export function unpackBlocks(
  shape: { k: number; n: number; block: number },
  packed: Uint8Array,
  scales: Float32Array,
  zeroPoints: Uint8Array | null,
): Matrix {
  const { k, n, block } = shape;
  const blocks = Math.ceil(k / block);
  const blockBytes = block / 2;
  const zeroBytes = Math.ceil(blocks / 2);
  const data = new Float32Array(k * n);
  for (let column = 0; column < n; column++) {
    for (let b = 0; b < blocks; b++) {
      const scale = scales[column * blocks + b] ?? 0;
      const pair = zeroPoints?.[column * zeroBytes + (b >> 1)] ?? 0x88;
      const zero = b % 2 === 0 ? pair & 15 : pair >> 4;
      const end = Math.min(block, k - b * block);
      for (let i = 0; i < end; i++) {
        const byte = packed[(column * blocks + b) * blockBytes + (i >> 1)] ?? 0;
        const nibble = i % 2 === 0 ? byte & 15 : byte >> 4;
        data[(b * block + i) * n + column] = (nibble - zero) * scale;
      }
    }
  }
  return { k, n, data };
}

/** Symmetric int8 a column: scale = max|w| / 127, so that every weight is within half a scale of its value. */
export function quantizeColumns({ k, n, data }: Matrix): { weights: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(n);
  for (let i = 0; i < k * n; i++) {
    const column = i % n;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(data[i] ?? 0));
  }
  // A column of zeros keeps a scale of 1: a scale of 0 would make the runtime divide by it.
  for (let column = 0; column < n; column++) scales[column] = Math.fround((scales[column] ?? 0) / 127) || 1;
  const weights = new Int8Array(k * n);
  for (let i = 0; i < k * n; i++) weights[i] = Math.round((data[i] ?? 0) / (scales[i % n] as number));
  return { weights, scales };
}

/**
 * Replaces every 4-bit MatMulNBits node: by int8 (with the bias added after it), or by the same weights unpacked to
 * float32, which is slower but exact, for processors whose int8 product fails the check. The number replaced.
 */
export function quantizeGraph(graph: Graph, to: "int8" | "float32"): number {
  let replaced = 0;
  const out: Node[] = [];
  const gone = new Set<Node>();
  for (const n of graph.nodes) {
    if (gone.has(n)) continue;
    const weights = n.opType === "MatMulNBits" ? unpackNode(graph, n) : null;
    if (!weights) {
      out.push(n);
      continue;
    }
    const [input = "", packedName = ""] = n.input ?? [];
    const name = packedName.replace(/_Q4$/, "");
    replaced++;
    if (to === "float32") {
      graph.weights.set(`${name}_float`, floatTensor([weights.k, weights.n], weights.data));
      out.push(node("MatMul", n.name ?? name, [input, `${name}_float`], n.output ?? []));
      continue;
    }
    const bias = biasAfter(graph, n, weights.n);
    if (bias) gone.add(bias.add);
    setQuantized(graph, name, weights);
    const result = bias?.add.output ?? n.output ?? [];
    const inputs = [input, `${name}_int8`, `${name}_scale`, ...(bias ? ["", bias.name] : [])];
    out.push(node("DynamicQuantizeMatMul", n.name ?? name, inputs, [...result], {}, "com.microsoft"));
  }
  graph.nodes = out;
  prune(graph);
  return replaced;
}

function setQuantized(graph: Graph, name: string, matrix: Matrix): void {
  const { weights, scales } = quantizeColumns(matrix);
  graph.weights.set(`${name}_int8`, {
    dims: [matrix.k, matrix.n],
    type: ELEMENT.int8,
    data: new Uint8Array(weights.buffer),
  });
  graph.weights.set(`${name}_scale`, floatTensor([matrix.n], scales));
}

function unpackNode(graph: Graph, n: Node): Matrix | null {
  const [, packed, scales, zeros] = (n.input ?? []).map((name) => graph.weights.get(name));
  if (!packed || !scales || intAttribute(n, "bits", 4) !== 4) return null;
  // Group indices (input 4) and float zero points are other formats: such a node stays as it is.
  if (n.input?.[4] || (zeros && zeros.type !== ELEMENT.uint8)) return null;
  const shape = { k: intAttribute(n, "K", 0), n: intAttribute(n, "N", 0), block: intAttribute(n, "block_size", 32) };
  return unpackBlocks(shape, packed.data, floats(scales), zeros?.data ?? null);
}

/** The Add of a one-dimensional weight that alone reads the product. */
function biasAfter(graph: Graph, n: Node, width: number): { add: Node; name: string } | null {
  const product = n.output?.[0] ?? "";
  const [add, ...others] = readers(graph, product);
  if (!add || others.length > 0 || add.opType !== "Add") return null;
  const name = add.input?.find((i) => i !== product) ?? "";
  const bias: Tensor | undefined = graph.weights.get(name);
  return bias?.dims.length === 1 && bias.dims[0] === width && bias.type === ELEMENT.float32 ? { add, name } : null;
}

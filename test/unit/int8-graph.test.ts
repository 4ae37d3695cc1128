import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/adapters/models/onnx-file.ts";
import {
  ELEMENT,
  emptyGraph,
  floatTensor,
  node,
  readGraph,
  value,
  writeGraph,
} from "../../src/adapters/models/onnx-file.ts";
import { quantizeColumns, quantizeGraph, unpackBlocks } from "../../src/adapters/models/quantize-graph.ts";

/** A numbered sequence that looks random. */
function noise(n: number, seed: number): number[] {
  let x = seed;
  return Array.from({ length: n }, () => (x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32);
}

/** x -> MatMulNBits (K 64, N 8, block 32) -> Add bias. */
function fourBitGraph(): Graph {
  const graph = emptyGraph(
    [value("x", ELEMENT.float32, [1, "rows", 64])],
    [value("y", ELEMENT.float32, [1, "rows", 8])],
  );
  const packed = Uint8Array.from(noise(8 * 2 * 16, 1), (v) => Math.floor(v * 256));
  graph.weights.set("w_Q4", { dims: [8, 2, 16], type: ELEMENT.uint8, data: packed });
  graph.weights.set(
    "w_scales",
    floatTensor(
      [16],
      Float32Array.from(noise(16, 2), (v) => 0.01 + v / 50),
    ),
  );
  graph.weights.set(
    "bias",
    floatTensor(
      [8],
      Float32Array.from(noise(8, 3), (v) => v - 0.5),
    ),
  );
  const sizes = { K: 64, N: 8, bits: 4, block_size: 32 };
  graph.nodes.push(
    node("MatMulNBits", "product", ["x", "w_Q4", "w_scales"], ["p"], sizes, "com.microsoft"),
    node("Add", "sum", ["p", "bias"], ["y"]),
  );
  return graph;
}

async function run(file: string, x: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(file);
  const { y } = await session.run({ x: new ort.Tensor("float32", x, [1, x.length / 64, 64]) });
  await session.release();
  return y?.data as Float32Array;
}

describe("unpacking 4-bit blocks", () => {
  test("low nibble first, minus 8, times the block's scale", () => {
    // N = 2 columns, K = 4 in blocks of 2: one byte a block.
    const packed = Uint8Array.of(0x9a, 0x80, 0x0f, 0x71);
    const scales = Float32Array.of(1, 10, 0.5, 2);
    const { data } = unpackBlocks({ k: 4, n: 2, block: 2 }, packed, scales, null);
    // Column 0: a-8, 9-8 | (0-8)*10, (8-8)*10. Column 1: (f-8)/2, (0-8)/2 | (1-8)*2, (7-8)*2.
    expect([...data]).toEqual([2, 3.5, 1, -4, -80, -14, 0, -2]);
  });

  test("zero points are packed two a byte along the blocks", () => {
    const packed = Uint8Array.of(0x9a, 0x80, 0x0f, 0x71);
    const { data } = unpackBlocks(
      { k: 4, n: 2, block: 2 },
      packed,
      Float32Array.of(1, 1, 1, 1),
      Uint8Array.of(0x21, 0x43),
    );
    expect([...data]).toEqual([9, 12, 8, -3, -2, -3, 6, 3]);
  });
});

describe("int8 a column", () => {
  test("every weight is within half a step, the largest is ±127", () => {
    const column = fc.integer({ min: -100_000, max: 100_000 }).map((x) => x / 1000);
    fc.assert(
      fc.property(fc.array(fc.tuple(column, column, column), { minLength: 1, maxLength: 40 }), (rows) => {
        const matrix = { k: rows.length, n: 3, data: Float32Array.from(rows.flat()) };
        const { weights, scales } = quantizeColumns(matrix);
        for (const [i, w] of matrix.data.entries()) {
          const scale = scales[i % 3] ?? 0;
          expect(Math.abs((weights[i] ?? 0) * scale - w)).toBeLessThanOrEqual(scale * 0.5001);
        }
        for (let c = 0; c < 3; c++) {
          const largest = Math.max(...Array.from(weights).flatMap((w, i) => (i % 3 === c ? [Math.abs(w)] : [])));
          expect([0, 127]).toContain(largest);
        }
      }),
    );
  });

  test("the runtime gives what the 4-bit graph gives, within the rounding of weights and activations", async () => {
    const folder = mkdtempSync(join(tmpdir(), "earshot-graph-"));
    const file = (name: string): string => join(folder, `${name}.onnx`);
    writeGraph(fourBitGraph(), file("q4"));
    for (const to of ["int8", "float32"] as const) {
      const graph = readGraph(file("q4"));
      expect(quantizeGraph(graph, to)).toBe(1);
      expect([...graph.weights.keys()]).not.toContain("w_Q4");
      writeGraph(graph, file(to));
    }
    expect(readGraph(file("int8")).nodes.map((n) => n.opType)).toEqual(["DynamicQuantizeMatMul"]);
    const x = Float32Array.from(noise(5 * 64, 4), (v) => v * 2 - 1);
    const exact = await run(file("float32"), x);
    const rounded = await run(file("int8"), x);
    const largest = Math.max(...Array.from(exact, Math.abs));
    for (const [i, y] of exact.entries()) expect(Math.abs((rounded[i] ?? 99) - y)).toBeLessThan(largest * 0.02);
    expect(rounded).not.toEqual(exact);
    rmSync(folder, { recursive: true });
  });

  test("a graph without 4-bit products is left alone", () => {
    const graph = emptyGraph([value("x", ELEMENT.float32, [1])], [value("y", ELEMENT.float32, [1])]);
    graph.nodes.push(node("Identity", "same", ["x"], ["y"]));
    expect(quantizeGraph(graph, "int8")).toBe(0);
    expect(graph.nodes).toHaveLength(1);
  });
});

/**
 * node bench/eval-embedding.ts [FOLDER]   (or EARSHOT_DATA_SETS)
 * The product's embeddings against human judgement: Spearman on STS-B dev (sts-benchmark), with the shipped 4-bit graph
 * beside it as the reference, and leave-one-out precision at 1 on 500 sampled queries of banking77 against all others.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Encoder } from "../src/adapters/models/encoder.ts";
import { DIMENSIONS, dot } from "../src/core/vector.ts";
import { embedAll, toolModel } from "../tools/embedding-cache.ts";
import { readRecords, readTable } from "../tools/read-csv.ts";
import { correlation } from "../tools/sentiment-training.ts";
import { machine } from "./machine.ts";

const folder = process.argv[2] ?? process.env["EARSHOT_DATA_SETS"];
if (!folder) throw new Error("name the data's folder: node bench/eval-embedding.ts FOLDER");

console.log(JSON.stringify(machine()));
await sts(join(folder, "sts-benchmark", "dev.csv"));
await banking(join(folder, "banking77", "train.csv"));

async function sts(file: string): Promise<void> {
  const pairs = await readRecords(file);
  const texts = pairs.flatMap(([a = "", b = ""]) => [a, b]);
  const gold = pairs.map((p) => Number(p[2]));
  const own = await embedAll(texts);
  const similar = (vectors: Float32Array): number[] =>
    gold.map((_, i) => dot(at(vectors, 2 * i), at(vectors, 2 * i + 1)));
  const line = { measure: "sts_dev_spearman", pairs: pairs.length };
  console.log(JSON.stringify({ ...line, graph: "product", value: spearman(similar(own.vectors), gold) }));

  const { folder: model } = await toolModel();
  const shipped = "onnx/model_q4.onnx";
  if (!existsSync(join(model, shipped))) return;
  const encoder = await Encoder.open(model, shipped, "all");
  const vectors = new Float32Array(texts.length * DIMENSIONS);
  for (const [i, text] of texts.entries()) vectors.set(await encoder.encode(text), i * DIMENSIONS);
  await encoder.close();
  console.log(JSON.stringify({ ...line, graph: shipped, value: spearman(similar(vectors), gold) }));
}

async function banking(file: string): Promise<void> {
  const rows = await readTable(file);
  const texts = rows.map((r) => r["text"] ?? "");
  const { vectors, made, ms } = await embedAll(texts);
  const queries = sample(rows.length, 500);
  let right = 0;
  for (const q of queries) {
    const query = at(vectors, q);
    let best = -1;
    let score = -2;
    for (let i = 0; i < rows.length; i++) {
      const s = i === q ? -2 : dot(query, at(vectors, i));
      if (s > score) [best, score] = [i, s];
    }
    if (rows[best]?.["category"] === rows[q]?.["category"]) right++;
  }
  const value = Number((right / queries.length).toFixed(4));
  console.log(JSON.stringify({ measure: "banking77_p_at_1", queries: queries.length, rows: rows.length, value }));
  if (made)
    console.log(
      JSON.stringify({
        measure: "texts_per_second",
        texts: texts.length,
        value: Math.round((texts.length / ms) * 1000),
      }),
    );
}

function at(vectors: Float32Array, i: number): Float32Array {
  return vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
}

/** Rank correlation, equal values at their mean rank. */
function spearman(a: readonly number[], b: readonly number[]): number {
  return Number(correlation(ranks(a), ranks(b)).toFixed(4));
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).toSorted((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const out: number[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let i = start; i < end; i++) out[order[i] ?? 0] = (start + end - 1) / 2;
    start = end;
  }
  return out;
}

/** `count` distinct numbers below n, the same ones each time (a full-period congruential walk over n). */
function sample(n: number, count: number): number[] {
  const chosen = new Set<number>();
  for (let x = 12_345; chosen.size < count; x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0) chosen.add(x % n);
  return [...chosen];
}

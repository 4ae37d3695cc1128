/** Recall on vectors of the real model: calls pooled from real sentences, as enrichment pools turns. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Encoder } from "../../src/adapters/models/encoder.ts";
import { chooseGraph } from "../../src/adapters/models/model-folder.ts";
import { type EmbeddedVectors, openVectors } from "../../src/adapters/vectors/embedded.ts";
import { fill } from "../../src/adapters/vectors/fill.ts";
import { poolVectors } from "../../src/core/pool.ts";
import type { VectorFilter } from "../../src/ports/vectors.ts";
import { seededRandom } from "../support/clustered-vectors.ts";
import { chunkOf, ExactVectors } from "../support/exact-vectors.ts";
import { modelDir } from "../support/model.ts";

const CALLS = 4_000;
const QUERIES = 60;

describe("embedded index, real vectors", () => {
  const exact = new ExactVectors();
  const opened: EmbeddedVectors[] = [];
  let queries: Float32Array[] = [];

  beforeAll(async () => {
    const sentences = JSON.parse(
      readFileSync(new URL("../../src/adapters/models/fixed-sentences.json", import.meta.url), "utf8"),
    ) as string[];
    const graph = await chooseGraph(await modelDir());
    const encoder = await Encoder.open(graph.folder, graph.file, graph.optimization);
    const vectors: Float32Array[] = [];
    for (const sentence of sentences) vectors.push(await encoder.encode(sentence));
    await encoder.close();

    const random = seededRandom(6);
    const call = () => {
      const turns = Array.from({ length: 4 + Math.floor(random() * 10) }, () =>
        Math.floor(random() * sentences.length),
      );
      const matrix = new Float32Array(turns.length * 384);
      for (const [i, turn] of turns.entries()) matrix.set(vectors[turn] as Float32Array, i * 384);
      const words = turns.map((turn) => (sentences[turn] as string).split(" ").length);
      return poolVectors(matrix, words, 0, turns.length - 1);
    };
    const rows = Array.from({ length: CALLS }, (_, i) => ({
      call_no: i + 1,
      part: 0,
      part_end: 0,
      agent: `agent-${i % 100}`,
      start_time: i,
      vector: call(),
    }));
    await exact.upsert("call", chunkOf(rows));
    queries = Array.from({ length: QUERIES }, call);
  });
  afterAll(async () => {
    for (const vectors of opened) await vectors.close();
  });

  const open = async (options = {}) => {
    const log = {
      error(fields: object, message: string) {
        throw new Error(message, { cause: fields });
      },
    };
    const vectors = openVectors({ rows: exact, spaceId: "test", log, centred: [], options });
    opened.push(vectors);
    await fill(vectors, exact, "call", "test");
    return vectors;
  };
  const recall = async (vectors: EmbeddedVectors, filter: VectorFilter) => {
    let found = 0;
    for (const query of queries) {
      const wanted = new Set((await exact.search("call", query, 10, filter)).map((hit) => hit.call_no));
      for (const hit of await vectors.search("call", query, 10, filter)) if (wanted.has(hit.call_no)) found++;
    }
    return found / (10 * queries.length);
  };

  test("the int8 scan with float32 rescoring finds the ten nearest", async () => {
    expect(await recall(await open(), {})).toBeGreaterThanOrEqual(0.999);
  });

  test("filters lose nothing", async () => {
    const vectors = await open();
    expect(await recall(vectors, { agent_ids: ["agent-7"] })).toBe(1);
    expect(await recall(vectors, { from: 1_000, to: 1_399 })).toBe(1);
  });

  test("the sign stage loses at most five in a thousand", async () => {
    const vectors = await open({ signsFrom: 1_000, signCandidates: 800 });
    expect(await recall(vectors, {})).toBeGreaterThanOrEqual(0.995);
  });
});

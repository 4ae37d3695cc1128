import { fill } from "../../src/adapters/vectors/fill.ts";
import { openVectors, type OpenVectors } from "../../src/adapters/vectors/embedded.ts";
import { afterEach, describe, expect, test } from "vitest";
import { dequantize, INT8_SCALE, quantize } from "../../src/core/vector.ts";
import { clusteredVectors } from "../support/clustered-vectors.ts";
import { chunkOf, ExactVectors } from "../support/exact-vectors.ts";
import { vectorsContract } from "./vectors.contract.ts";

const log = {
  error(fields: object, message: string) {
    throw new Error(message, { cause: fields });
  },
};

vectorsContract("embedded", async (rows) => openVectors({ rows, spaceId: "test", log, centred: [] }));

describe("embedded index", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const vectors of opened.splice(0)) await vectors.close();
  });
  const open = (exact: ExactVectors | null, more: Partial<OpenVectors> = {}) => {
    const vectors = openVectors({ rows: exact, spaceId: "test", log, centred: [], ...more });
    opened.push(vectors);
    return vectors;
  };

  test("finds the ten nearest of clustered float32 call vectors after a fill from int8 rows", async () => {
    const { exact, cloud } = await calls(1_500, 0.77);
    const vectors = open(exact);
    const seen: number[] = [];
    expect(await fill(vectors, exact, "call", "test", (rows) => seen.push(rows))).toBe(1_500);
    expect(seen.at(-1)).toBe(1_500);
    expect(await recall(vectors, exact, cloud, 40)).toBeGreaterThanOrEqual(0.999);
  });

  test("the sign stage keeps the ten nearest", async () => {
    const { exact, cloud } = await calls(1_500, 0.77);
    const vectors = open(exact, { options: { signsFrom: 1_000, signCandidates: 500 } });
    await fill(vectors, exact, "call", "test");
    expect(await recall(vectors, exact, cloud, 40)).toBeGreaterThanOrEqual(0.995);
  });

  test("rows that move or come after the sign codes were made have codes of their own", async () => {
    const { exact, cloud } = await calls(1_500, 0.77);
    const vectors = open(exact, { options: { signsFrom: 1_000, signCandidates: 10 } });
    const all = rowsOf(cloud, 1);
    await vectors.upsert("segment", chunkOf(all.slice(0, 1_400)));
    await vectors.search("segment", cloud.slice(0, 384), 1);
    await vectors.upsert("segment", chunkOf(all.slice(1_400)));
    await vectors.remove(
      "segment",
      Array.from({ length: 200 }, (_, i) => 1 + i),
    );
    // Calls 1301 to 1400 have moved into the gaps, 1401 to 1500 came late and moved.
    for (const row of all.slice(1_300)) {
      const [nearest] = await vectors.search("segment", row.vector, 1);
      expect(nearest?.call_no).toBe(row.call_no);
    }
  });

  test("what changes during a fill wins over what SQL held before", async () => {
    const { exact, cloud } = await calls(40, 0.5);
    const vectors = open(exact);
    const query = cloud.slice(0, 384);
    const scan: ExactVectors["scan"] = async (kind, space_id, after, limit) => {
      const chunk = await exact.scan(kind, space_id, after, limit);
      if (after === 0) {
        await exact.remove("call", [1]);
        await vectors.remove("call", [1]);
        const moved = rowsOf(
          query.map((x) => -x),
          2,
        );
        await exact.upsert("call", chunkOf(moved));
        await vectors.upsert("call", chunkOf(moved));
      }
      return chunk;
    };
    await fill(vectors, { scan }, "call", "test");
    expect((await vectors.describe()).rows.call).toBe(39);
    expect(await vectors.search("call", query, 39)).toEqual(await exact.search("call", query, 39));
  });

  test("rows and fills of several chunks, every vector forty times", async () => {
    const some = clusteredVectors(450, { seed: 3 });
    const n = 40 * 450;
    const cloud = new Float32Array(n * 384);
    for (let i = 0; i < 40; i++) cloud.set(some, i * some.length);
    const exact = new ExactVectors();
    await exact.upsert("segment", chunkOf(rowsOf(cloud, 1)));
    const vectors = open(exact);
    expect(await fill(vectors, exact, "segment", "test")).toBe(n);
    for (const i of [0, 16_383, 16_384, n - 1]) {
      const query = cloud.slice(i * 384, (i + 1) * 384);
      expect(await vectors.search("segment", query, 60)).toEqual(await exact.search("segment", query, 60));
    }
  });

  test("rows are compared about their mean, and about the new one when many have changed", async () => {
    const { exact, cloud } = await calls(300, 0.77);
    const vectors = open(exact, { centred: ["call", "segment"] });
    await fill(vectors, exact, "call", "test");
    await vectors.upsert("segment", chunkOf(rowsOf(cloud, 1)));
    const check = async (all: Float32Array) => {
      const n = all.length / 384;
      const mean = new Float64Array(384);
      for (const [i, x] of quantize(all).entries()) mean[i % 384] = (mean[i % 384] as number) + x;
      // In the scale of unit vectors; that of a few rows counts less.
      const less = (v: Float32Array) => v.map((x, i) => x - (mean[i % 384] as number) / INT8_SCALE / (n + 10));
      for (const kind of ["call", "segment"] as const) {
        const centred = new ExactVectors();
        await centred.upsert("call", chunkOf(rowsOf(less(kind === "call" ? all : dequantize(quantize(all))), 1)));
        for (let i = 0; i < 20; i++) {
          const query = all.slice(i * 384, (i + 1) * 384);
          const found = await vectors.search(kind, query, 10);
          const wanted = await centred.search("call", less(query), 10);
          expect(found.map((hit) => hit.call_no)).toEqual(wanted.map((hit) => hit.call_no));
          for (const [j, hit] of found.entries()) expect(hit.score).toBeCloseTo(wanted[j]?.score as number, 5);
        }
      }
    };
    await check(cloud);
    const others = rowsOf(clusteredVectors(300, { seed: 8, common: 0.3 }), 1);
    await exact.upsert("call", chunkOf(others));
    for (const kind of ["call", "segment"] as const) await vectors.upsert(kind, chunkOf(others));
    await check(clusteredVectors(300, { seed: 8, common: 0.3 }));
  });

  test("a call without words is like no other, about the mean too", async () => {
    const { exact } = await calls(50, 0.77);
    const vectors = open(exact, { centred: ["call"] });
    await exact.upsert("call", chunkOf(rowsOf(new Float32Array(384), 60)));
    await fill(vectors, exact, "call", "test");
    const nearest = await vectors.search("call", new Float32Array(384), 3);
    expect(nearest.map((hit) => [hit.call_no, hit.score])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    const all = await vectors.search("call", clusteredVectors(1, { seed: 2, common: 0.77 }), 51);
    expect(all.find((hit) => hit.call_no === 60)?.score).toBe(0);
  });

  test("a closed index refuses, and pending questions end", async () => {
    const vectors = open(null);
    const pending = expect(vectors.describe()).rejects.toMatchObject({ code: "shutting_down" });
    await vectors.close();
    await pending;
    await expect(vectors.search("call", new Float32Array(384), 1)).rejects.toMatchObject({ code: "shutting_down" });
  });

  test("refuses a query of another width or with a value that is no number", async () => {
    const vectors = open(null);
    await expect(vectors.search("call", new Float32Array(383), 1)).rejects.toThrow("384");
    await expect(vectors.search("call", new Float32Array(384).fill(Number.NaN), 1)).rejects.toThrow("finite");
  });
});

function rowsOf(cloud: Float32Array, firstCallNo: number) {
  return Array.from({ length: cloud.length / 384 }, (_, i) => ({
    call_no: firstCallNo + i,
    part: 0,
    part_end: 0,
    agent: "a",
    start_time: 0,
    vector: cloud.slice(i * 384, (i + 1) * 384),
  }));
}

async function calls(n: number, common: number) {
  const cloud = clusteredVectors(n, { seed: 2, common });
  const exact = new ExactVectors();
  await exact.upsert("call", chunkOf(rowsOf(cloud, 1)));
  return { exact, cloud };
}

/** Share of the exact ten nearest that the index finds, over `queries` stored vectors. */
async function recall(
  vectors: ReturnType<typeof openVectors>,
  exact: ExactVectors,
  cloud: Float32Array,
  queries: number,
): Promise<number> {
  let found = 0;
  for (let i = 0; i < queries; i++) {
    const query = cloud.slice(i * 13 * 384, (i * 13 + 1) * 384);
    const wanted = new Set((await exact.search("call", query, 10)).map((hit) => hit.call_no));
    for (const hit of await vectors.search("call", query, 10)) if (wanted.has(hit.call_no)) found++;
  }
  return found / (10 * queries);
}

/** What every adapter of the Vectors port must do; the oracle is test/support/exact-vectors.ts. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { normalize } from "../../src/core/vector.ts";
import type { VectorFilter, VectorKind, VectorRows, Vectors } from "../../src/ports/vectors.ts";
import { clusteredVectors } from "../support/clustered-vectors.ts";
import { chunkOf, type ExactRow, ExactVectors } from "../support/exact-vectors.ts";

/** `open` gives an empty index whose truth is `rows`: what is put in `rows` is put in the index right after. */
export function vectorsContract(
  name: string,
  open: (rows: VectorRows) => Promise<Vectors>,
  { numRuns = 200 } = {},
): void {
  describe(`Vectors: ${name}`, () => {
    const opened: Vectors[] = [];
    const start = async () => {
      const exact = new ExactVectors();
      const vectors = await open(exact);
      opened.push(vectors);
      return { exact, vectors };
    };
    afterEach(async () => {
      for (const vectors of opened.splice(0)) await vectors.close();
    });

    test("an empty index finds nothing and says it is empty", async () => {
      const { vectors } = await start();
      expect(await vectors.search("call", unit(0), 5)).toEqual([]);
      expect(await vectors.search("segment", unit(0), 5, { agent_ids: ["a"] })).toEqual([]);
      expect((await vectors.describe()).rows).toEqual({ call: 0, segment: 0 });
    });

    test("kinds are apart", async () => {
      const { exact, vectors } = await start();
      const chunk = () => chunkOf([row({ call_no: 1, vector: unit(0) })]);
      await exact.upsert("segment", chunk());
      await vectors.upsert("segment", chunk());
      expect(await vectors.search("call", unit(0), 5)).toEqual([]);
      expect(await vectors.search("segment", unit(0), 5)).toEqual([{ call_no: 1, part: 0, part_end: 0, score: 1 }]);
      expect((await vectors.describe()).rows).toEqual({ call: 0, segment: 1 });
    });

    test("an upsert leaves the caller's buffers alone and takes views of larger ones", async () => {
      const { exact, vectors } = await start();
      const shared = new Float32Array(3 * 384).fill(1);
      shared.set(unit(7), 384);
      const chunk = { ...chunkOf([row({ call_no: 4, vector: unit(0) })]), vectors: shared.subarray(384, 768) };
      await exact.upsert("call", chunk);
      await vectors.upsert("call", chunk);
      expect(shared[0]).toBe(1);
      expect(await vectors.search("call", unit(7), 1)).toEqual([{ call_no: 4, part: 0, part_end: 0, score: 1 }]);
    });

    test("a replaced call loses the rows it no longer has", async () => {
      const { exact, vectors } = await start();
      for (const parts of [5, 2]) {
        const chunk = () =>
          chunkOf(Array.from({ length: parts }, (_, part) => row({ call_no: 9, part, vector: unit(part) })));
        await exact.upsert("segment", chunk());
        await vectors.upsert("segment", chunk());
      }
      expect((await vectors.describe()).rows.segment).toBe(2);
      expect((await vectors.search("segment", unit(4), 10)).map((hit) => hit.part)).toEqual([0, 1]);
    });

    test("thousands of rows: filters of every kind answer what exact search answers", async () => {
      const { exact, vectors } = await start();
      const n = 3_000;
      const cloud = clusteredVectors(n, { seed: 11, common: 0.77 });
      const rows = Array.from({ length: n }, (_, i) =>
        row({
          call_no: 1 + (i >> 1),
          part: (i & 1) * 3,
          agent: `agent-${i % 7}`,
          start_time: 1_000 * i,
          vector: cloud.slice(i * 384, (i + 1) * 384),
        }),
      );
      await exact.upsert("segment", chunkOf(rows));
      await vectors.upsert("segment", chunkOf(rows));
      const filters: VectorFilter[] = [
        {},
        { agent_ids: ["agent-3"] },
        { agent_ids: ["agent-1", "agent-5", "nobody"] },
        { agent_ids: [] },
        { from: 100_000, to: 130_000 },
        { from: 2_500_000 },
        { to: 40_000, agent_ids: ["agent-0"] },
        { call_nos: Uint32Array.of(3, 77, 1_400, 99_999) },
        { call_nos: Uint32Array.of(3, 77, 1_400), from: 5_000, to: 152_000 },
        { call_nos: Uint32Array.of(3, 77, 1_400), agent_ids: ["agent-5"] },
        { call_nos: Uint32Array.from({ length: 1_000 }, (_, i) => 100 + i), from: 500_000 },
        { call_nos: new Uint32Array() },
        { except: [1, 2, 3, 700] },
        { except: [500], call_nos: Uint32Array.of(499, 500, 501) },
      ];
      for (const [i, filter] of filters.entries()) {
        const query = cloud.slice(i * 384, (i + 1) * 384);
        for (const k of [1, 10, 200]) {
          expect(await vectors.search("segment", query, k, filter), `filter ${i}, k ${k}`).toEqual(
            await exact.search("segment", query, k, filter),
          );
        }
      }
    });

    test("the length of a row does not matter, nor whether the row had to move", async () => {
      const { exact, vectors } = await start();
      const cloud = clusteredVectors(300, { seed: 4, common: 0.77 });
      const rows = Array.from({ length: 300 }, (_, i) =>
        row({
          call_no: i + 1,
          vector: cloud.slice(i * 384, (i + 1) * 384).map((x) => x * (0.2 + 0.8 * ((i * 7) % 10) * 0.1)),
        }),
      );
      const gone = Array.from({ length: 150 }, (_, i) => i + 1);
      for (const held of [exact, vectors]) {
        await held.upsert("segment", chunkOf(rows));
        await held.remove("segment", gone);
      }
      for (let i = 0; i < 20; i++) {
        const query = cloud.slice(i * 384, (i + 1) * 384);
        expect(await vectors.search("segment", query, 10)).toEqual(await exact.search("segment", query, 10));
      }
    });

    test("any sequence of upserts, removals and searches answers what exact search answers", async () => {
      const { exact, vectors } = await start();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25, size: "max" }), async (steps) => {
          for (const kind of ["call", "segment"] as const) {
            await exact.remove(kind, CALL_NOS);
            await vectors.remove(kind, CALL_NOS);
          }
          for (const { kind, change, query, k, filter } of steps) {
            if (change.type === "upsert") {
              await exact.upsert(kind, chunkOf(change.rows));
              await vectors.upsert(kind, chunkOf(change.rows, change.form));
            } else {
              await exact.remove(kind, change.call_nos);
              await vectors.remove(kind, change.call_nos);
            }
            expect(await vectors.search(kind, query, k, filter)).toEqual(await exact.search(kind, query, k, filter));
            expect((await vectors.describe()).rows).toEqual((await exact.describe()).rows);
          }
        }),
        { numRuns },
      );
    });
  });
}

/** 384 values, 1 at `i`. */
function unit(i: number): Float32Array {
  return Float32Array.from({ length: 384 }, (_, j) => (i === j ? 1 : 0));
}

function row(fields: Partial<ExactRow> & Pick<ExactRow, "call_no" | "vector">): ExactRow {
  const part = fields.part ?? 0;
  return { agent: "a", start_time: 0, ...fields, part, part_end: part };
}

// Few directions and few values: equal vectors, opposite vectors and zero vectors come up all the time.
const vector = fc.array(fc.tuple(fc.nat(383), fc.integer({ min: -2, max: 2 })), { maxLength: 4 }).map((pairs) => {
  const v = new Float32Array(384);
  for (const [i, x] of pairs) v[i % 16 === 0 ? i : i % 3] = x;
  return normalize(v);
});
const CALL_NOS = Array.from({ length: 12 }, (_, i) => i + 1);
const callNo = fc.constantFrom(...CALL_NOS);
const agent = fc.constantFrom("a", "b", "c");

const upsert = fc
  .array(
    fc.record({
      call_no: callNo,
      agent,
      start_time: fc.nat(50),
      vectors: fc.array(vector, { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((calls) => Array.from(new Map(calls.map((call) => [call.call_no, call])).values()));

const step = fc.constantFrom<VectorKind>("call", "segment").chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    change: fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant("upsert" as const),
          form: fc.constantFrom("float32" as const, "int8" as const),
          rows: upsert.map((calls) => rowsOf(kind, calls)),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant("remove" as const), call_nos: fc.array(callNo, { maxLength: 6 }) }),
      },
    ),
    query: vector,
    k: fc.constantFrom(0, 1, 2, 5, 100),
    filter: fc.record(
      {
        agent_ids: fc.array(fc.constantFrom("a", "b", "d"), { maxLength: 2 }),
        from: fc.nat(50),
        to: fc.nat(50),
        call_nos: fc.uniqueArray(callNo, { maxLength: 8 }).map((nos) => Uint32Array.from(nos).toSorted()),
        except: fc.array(callNo, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  }),
);

function rowsOf(
  kind: VectorKind,
  calls: readonly { call_no: number; agent: string; start_time: number; vectors: readonly Float32Array[] }[],
): ExactRow[] {
  return calls.flatMap(({ call_no, agent, start_time, vectors }) =>
    vectors.slice(0, kind === "call" ? 1 : undefined).map((vector, i) => ({
      call_no,
      part: 2 * i,
      part_end: kind === "call" ? 0 : 2 * i + 1,
      agent,
      start_time,
      vector,
    })),
  );
}

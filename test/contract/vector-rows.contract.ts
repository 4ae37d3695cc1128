import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { DIMENSIONS, quantize } from "../../src/core/vector.ts";
import { type MakeStore, type TestStore, aCall, enriched, someVectors } from "../support/sqlite-store.ts";

/** Holds a VectorRows adapter to the port. */
export function vectorRowsContract(name: string, make: MakeStore): void {
  describe(`VectorRows: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    /** Calls 1..n; call i has `segments(i)` segments and is of agent a<i % 2>. */
    async function fill(n: number, segments: (i: number) => number): Promise<void> {
      await store.calls.accept(
        Array.from({ length: n }, (_, i) => aCall(`c${i + 1}`, { agent_id: `a${(i + 1) % 2}`, start_time: i + 1 })),
        2,
      );
      const items = await store.work.take(n, "w", 60_000);
      const saved = items.map((item) =>
        enriched(item, "w", { vectors: someVectors(item.call_no, segments(item.call_no)) }),
      );
      await store.calls.saveEnrichment(saved);
    }

    it("scans call vectors in call_no order, step by step", async () => {
      await fill(5, () => 1);
      const first = await store.vectorRows.scan("call", "space", 0, 3);
      expect([...first.call_no]).toEqual([1, 2, 3]);
      expect(first.agent).toEqual(["a1", "a0", "a1"]);
      expect([...first.start_time]).toEqual([1, 2, 3]);
      expect([...first.part, ...first.part_end]).toEqual([0, 0, 0, 0, 0, 0]);
      expect(first.vectors.subarray(DIMENSIONS, 2 * DIMENSIONS)).toEqual(quantize(someVectors(2).call));
      expect([...(await store.vectorRows.scan("call", "space", 3, 3)).call_no]).toEqual([4, 5]);
      expect((await store.vectorRows.scan("call", "space", 5, 3)).call_no).toHaveLength(0);
      expect((await store.vectorRows.scan("call", "elsewhere", 0, 3)).call_no).toHaveLength(0);
    });

    it("scans segments by whole calls, even one larger than the limit", async () => {
      await fill(4, (i) => (i === 3 ? 9 : 2));
      const steps: number[][] = [];
      let after = 0;
      for (;;) {
        const { call_no } = await store.vectorRows.scan("segment", "space", after, 5);
        const last = call_no.at(-1);
        if (last === undefined) break;
        steps.push([...call_no]);
        after = last;
      }
      expect(steps).toEqual([
        [1, 1, 2, 2],
        [3, 3, 3, 3, 3, 3, 3, 3, 3],
        [4, 4],
      ]);
      const { part, part_end } = await store.vectorRows.scan("segment", "space", 0, 2);
      expect([...part]).toEqual([0, 2]);
      expect([...part_end]).toEqual([1, 3]);
    });

    it("gives full precision for named calls, unknown ones left out", async () => {
      await fill(3, () => 2);
      const calls = await store.vectorRows.of("call", "space", [3, 99, 1]);
      expect([...calls.call_no]).toEqual([1, 3]);
      expect(calls.vectors).toBeInstanceOf(Float32Array);
      expect(calls.vectors.subarray(DIMENSIONS)).toEqual(someVectors(3).call);
      const segments = await store.vectorRows.of("segment", "space", [2]);
      expect([...segments.call_no]).toEqual([2, 2]);
      expect(segments.vectors.subarray(DIMENSIONS)).toEqual(someVectors(2).segments[1]?.vector);
    });

    it("gives call vectors alone for rescoring, unknown calls and other spaces left out", async () => {
      await fill(3, () => 2);
      const found = await store.vectorRows.exact("space", [3, 99, 1]);
      expect(new Map(found.map(({ call_no, vector }) => [call_no, vector]))).toEqual(
        new Map([3, 1].map((call_no) => [call_no, someVectors(call_no).call])),
      );
      expect(await store.vectorRows.exact("elsewhere", [1])).toEqual([]);
    });

    it("holds nothing of a removed call", async () => {
      await fill(2, () => 2);
      await store.calls.remove("c1", EVERYTHING);
      expect([...(await store.vectorRows.scan("segment", "space", 0, 100)).call_no]).toEqual([2, 2]);
      expect((await store.vectorRows.of("call", "space", [1])).call_no).toHaveLength(0);
      expect(await store.vectorRows.exact("space", [1])).toEqual([]);
    });
  });
}

/** The index in the database beyond the contract: its graph, its mean, how it is filled, and what it does when it breaks. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { Database } from "../../src/adapters/sql/postgres/database.ts";
import { installPoints } from "../../src/adapters/sql/postgres/points-install.ts";
import { openVectors } from "../../src/adapters/vectors/embedded.ts";
import { fill } from "../../src/adapters/vectors/fill.ts";
import type { VectorFilter } from "../../src/ports/vectors.ts";
import { clusteredVectors } from "../support/clustered-vectors.ts";
import { chunkOf, type ExactRow, ExactVectors } from "../support/exact-vectors.ts";
import { openPoints, SPACE } from "../support/points-index.ts";
import { ask, findPgvector, findPostgres, freshDatabase } from "../support/postgres-server.ts";
import { requirement } from "../support/requirements.ts";

const plain = requirement("postgres");

function rowsOf(cloud: Float32Array, firstCallNo = 1): ExactRow[] {
  return Array.from({ length: cloud.length / 384 }, (_, i) => ({
    call_no: firstCallNo + i,
    part: 0,
    part_end: 0,
    agent: `agent-${i % 10}`,
    start_time: i,
    vector: cloud.slice(i * 384, (i + 1) * 384),
  }));
}

describe.skipIf(requirement("pgvector") === null)("the index in the database", () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  });
  /** `stored`: rows of both kinds that were there before the index. */
  const start = async (more: Parameters<typeof openPoints>[1] = {}, stored: readonly ExactRow[] = []) => {
    const exact = new ExactVectors();
    const points = await openPoints(exact, more, async (put) => {
      for (const kind of ["call", "segment"] as const) {
        await exact.upsert(kind, chunkOf(stored));
        await put(kind, chunkOf(stored));
      }
    });
    undo.push(() => points.close());
    if (stored.length === 0) await points.tend();
    return { exact, points };
  };

  test("the graph finds nearly all of the ten nearest, under filters too, and where few pass all of them", async () => {
    const cloud = clusteredVectors(1_300, { seed: 5, common: 0.77 });
    const { exact, points } = await start({ exactRows: 100 }, rowsOf(cloud));
    await points.tend();
    const recall = async (kind: "call" | "segment", filter: VectorFilter) => {
      let found = 0;
      for (let i = 0; i < 20; i++) {
        const query = cloud.slice(i * 60 * 384, (i * 60 + 1) * 384);
        const wanted = new Set((await exact.search(kind, query, 10, filter)).map((hit) => hit.call_no));
        const hits = await points.search(kind, query, 10, filter);
        expect(hits).toHaveLength(10);
        for (const hit of hits) if (wanted.has(hit.call_no)) found++;
      }
      return found / 200;
    };
    for (const kind of ["call", "segment"] as const) {
      expect(await recall(kind, {})).toBeGreaterThanOrEqual(0.97);
      expect(await recall(kind, { agent_ids: ["agent-3"] })).toBeGreaterThanOrEqual(0.97);
      expect(await recall(kind, { from: 400, to: 1_000, except: [600] })).toBeGreaterThanOrEqual(0.97);
      expect(await recall(kind, { from: 100, to: 190 })).toBe(1);
      expect(await recall(kind, { call_nos: Uint32Array.from({ length: 90 }, (_, i) => 1 + 14 * i) })).toBe(1);
    }
    // The server counts the walks of its graphs, a little later.
    const graphs =
      "SELECT idx_scan::int AS n FROM pg_stat_all_indexes WHERE indexrelname LIKE 'call\\_1\\_%' OR indexrelname LIKE 'segment\\_1\\_%'";
    await vi.waitFor(
      async () => {
        const walks = (await ask<{ n: number }>(points.url, graphs)).map((row) => row.n);
        expect(walks).toHaveLength(2);
        for (const n of walks) expect(n).toBeGreaterThan(0);
      },
      { timeout: 20_000, interval: 100 },
    );
    // Nobody is near enough for the walk to meet: all that pass are compared.
    const far = cloud.slice(0, 384).map((x) => -x);
    const few = { agent_ids: ["agent-1"], from: 0, to: 1_200 };
    expect(await points.search("segment", far, 120, few)).toEqual(await exact.search("segment", far, 120, few));
  });

  test("it ranks as the embedded index does, about the mean of the calls", async () => {
    const cloud = clusteredVectors(600, { seed: 9, common: 0.77 });
    const rows = [...rowsOf(cloud), ...rowsOf(new Float32Array(384), 601)];
    const { exact, points } = await start({ centred: ["call"] }, rows);
    await points.tend();
    const embedded = openVectors({ rows: exact, spaceId: SPACE, log: console });
    undo.push(() => embedded.close());
    await fill(embedded, exact, "call", SPACE);
    const filters: VectorFilter[] = [{}, { agent_ids: ["agent-3", "agent-4"] }, { from: 50, to: 99 }, { except: [3] }];
    for (let i = 0; i < 40; i++) {
      const query = cloud.slice(i * 384, (i + 1) * 384);
      const filter = filters[i % filters.length];
      const [ours, theirs] = [
        await points.search("call", query, 10, filter),
        await embedded.search("call", query, 10, filter),
      ];
      expect(ours.map((hit) => hit.call_no)).toEqual(theirs.map((hit) => hit.call_no));
      for (const [j, hit] of ours.entries()) expect(hit.score).toBeCloseTo(theirs[j]?.score as number, 5);
    }
    const all = await points.search("call", cloud.slice(0, 384), 601);
    expect(all.find((hit) => hit.call_no === 601)?.score).toBe(0);
    expect((await points.search("call", new Float32Array(384), 3)).map((hit) => [hit.call_no, hit.score])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
  });

  test("the mean follows its rows, and the graph is made anew where they have doubled", async () => {
    const { exact, points } = await start({ centred: ["call"], exactRows: 100 });
    const graph = async () =>
      (
        await ask<{ graph: string; n: number; mean: boolean }>(
          points.url,
          `SELECT graph, graph_mean IS NOT NULL AS mean, (SELECT count(*)::int FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
            WHERE a.amname = 'hnsw' AND relname LIKE 'call%') AS n FROM earshot_points.spaces WHERE kind = 'call'`,
        )
      )[0];
    const first = await graph();
    expect(first).toMatchObject({ mean: false, n: 1 });
    const cloud = clusteredVectors(200, { seed: 7, common: 0.77 });
    await exact.upsert("call", chunkOf(rowsOf(cloud)));
    await points.upsert("call", chunkOf(rowsOf(cloud)));
    const [raw] = await points.search("call", cloud.slice(0, 384), 2).then((hits) => hits.slice(1));
    await points.tend();
    const second = await graph();
    expect(second).toMatchObject({ mean: true, n: 1 });
    expect(second?.graph).not.toBe(first?.graph);
    const [centred] = await points.search("call", cloud.slice(0, 384), 2).then((hits) => hits.slice(1));
    expect(centred?.score).toBeLessThan(raw?.score as number);
    await points.tend();
    expect(await graph()).toEqual(second);
  });

  test("what was stored before is put in, in steps that may be stopped, and what changes meanwhile is right", async () => {
    const cloud = clusteredVectors(2_200, { seed: 3 });
    const { exact, points } = await start({}, rowsOf(cloud));
    expect(await points.index.search(SPACE, "call", cloud.slice(0, 384), 1)).toBeNull();
    expect(await points.index.progress(SPACE)).toMatchObject({ step: "rows", kind: "call", done: 0 });

    const stopping = new AbortController();
    const begun = points.index.tend(SPACE, stopping.signal);
    while ((await points.index.progress(SPACE))?.done === 0);
    stopping.abort();
    await begun;
    const halfway = await points.index.progress(SPACE);
    expect(halfway).toMatchObject({ step: "rows", total: 2_200 });
    expect(halfway?.done).toBeGreaterThan(0);
    expect(await points.index.search(SPACE, "call", cloud.slice(0, 384), 1)).toBeNull();

    const full = points.tend();
    const others = rowsOf(clusteredVectors(200, { seed: 4 }), 2_100);
    for (let i = 0; i < others.length; i += 20) {
      const some = others.slice(i, i + 20);
      const gone = some.map((row) => row.call_no - 1_500);
      for (const kind of ["call", "segment"] as const) {
        await exact.upsert(kind, chunkOf(some));
        await points.upsert(kind, chunkOf(some));
        await exact.remove(kind, gone);
        await points.remove(kind, gone);
      }
    }
    await full;
    await points.tend();
    expect(await points.index.progress(SPACE)).toBeNull();
    expect((await points.describe()).rows).toEqual((await exact.describe()).rows);
    for (const kind of ["call", "segment"] as const) {
      for (let i = 0; i < 15; i++) {
        const query = cloud.slice(i * 100 * 384, (i * 100 + 1) * 384);
        expect(await points.search(kind, query, 10)).toEqual(await exact.search(kind, query, 10));
      }
    }
  });

  test("a broken index refuses no write, and what it missed is put right", async () => {
    const { exact, points } = await start();
    const cloud = clusteredVectors(60, { seed: 8 });
    const rows = rowsOf(cloud);
    const both = async (some: readonly ExactRow[]) => {
      for (const held of [exact, points]) await held.upsert("call", chunkOf(some));
    };
    await both(rows.slice(0, 40));
    await ask(points.url, "ALTER TABLE earshot_points.call RENAME TO broken");
    await expect(points.search("call", cloud.slice(0, 384), 5)).rejects.toThrow("earshot_points.call");
    await both(rows.slice(30, 60));
    await exact.remove("call", [1, 2]);
    await points.remove("call", [1, 2]);
    await ask(points.url, "ALTER TABLE earshot_points.broken RENAME TO call");
    expect((await ask(points.url, "SELECT call_no FROM earshot_points.missed")).length).toBe(32);
    await points.tend();
    expect(await points.search("call", cloud.slice(0, 384), 60)).toEqual(
      await exact.search("call", cloud.slice(0, 384), 60),
    );
    expect(await ask(points.url, "SELECT call_no FROM earshot_points.missed")).toEqual([]);
  });

  test("a graph that somebody dropped is missed, and made again", async () => {
    const { points } = await start();
    const [space] = await ask<{ graph: string }>(
      points.url,
      "SELECT graph FROM earshot_points.spaces WHERE kind = 'call'",
    );
    await ask(points.url, `DROP INDEX earshot_points.${space?.graph}`);
    expect(await points.index.search(SPACE, "call", new Float32Array(384).fill(1), 1)).toBeNull();
    expect(await points.index.progress(SPACE)).toMatchObject({ step: "graph", kind: "call" });
    await points.tend();
    expect(await points.search("call", new Float32Array(384).fill(1), 1)).toEqual([]);
  });

  test.skipIf(plain === null || findPostgres() === findPgvector())(
    "a server without the extension is refused with what to do",
    async () => {
      const { url, drop } = await freshDatabase();
      undo.push(drop);
      const db = new Database({ url, pool: 1 });
      undo.push(() => db.close());
      await expect(installPoints(db)).rejects.toThrow(
        /needs the extension vector 0\.8 .* the server does not have it\. Install pgvector on the server .* CREATE EXTENSION vector/,
      );
    },
  );
});

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../src/core/measures.ts";
import type { AgentSums } from "../../src/ports/rollups.ts";
import { type MakeStore, type TestStore, aCall, enriched, someInsights } from "../support/sqlite-store.ts";

const HOUR = 3_600_000;
/** New York keeps summer time from 8 March 2026, 07:00 UTC. */
const START = Date.UTC(2026, 2, 7);
const ZONE = "America/New_York";
const MEASURED = ["customer_sentiment_score", "agent_talk_time_ms", "agent_words"] as const;
type Values = Partial<Record<MeasureName, number>>;

/** What a store should hold: each call with what was last saved of it. */
type Model = Map<string, { agent_id: string; start_time: number; values: Values | null }>;

/** The day of a time in ZONE, found another way than the store does. */
const dayIn = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });

function recount(model: Model, from?: string, to?: string): AgentSums[] {
  const agents = new Map<
    string,
    { total_calls: number; measures: Map<MeasureName, { n: number; sum: number; sum_squares: number }> }
  >();
  for (const { agent_id, start_time, values } of model.values()) {
    const day = dayIn.format(start_time);
    if ((from !== undefined && day < from) || (to !== undefined && day > to)) continue;
    const agent = agents.get(agent_id) ?? { total_calls: 0, measures: new Map() };
    agents.set(agent_id, agent);
    agent.total_calls++;
    for (const name of MEASURED) {
      const x = values?.[name];
      if (x === undefined) continue;
      const sum = agent.measures.get(name) ?? { n: 0, sum: 0, sum_squares: 0 };
      agent.measures.set(name, { n: sum.n + 1, sum: sum.sum + x, sum_squares: sum.sum_squares + x * x });
    }
  }
  return [...agents]
    .map(([agent_id, { total_calls, measures }]) => ({ agent_id, total_calls, measures: Object.fromEntries(measures) }))
    .toSorted((a, b) => (a.agent_id < b.agent_id ? -1 : 1));
}

/** Equal up to what rounding to millionths may change, exactly equal in counts and agents. */
function expectSame(found: AgentSums[], wanted: AgentSums[]): void {
  const sorted = found.toSorted((a, b) => (a.agent_id < b.agent_id ? -1 : 1));
  expect(sorted.map((sum) => [sum.agent_id, sum.total_calls])).toEqual(
    wanted.map((sum) => [sum.agent_id, sum.total_calls]),
  );
  for (const [i, sum] of sorted.entries()) {
    for (const name of MEASURED) {
      const a = sum.measures[name];
      const b = wanted[i]?.measures[name];
      expect(a?.n).toBe(b?.n);
      if (!a || !b) continue;
      expect(Math.abs(a.sum - b.sum)).toBeLessThanOrEqual(1e-6 * b.n);
      expect(Math.abs(a.sum_squares - b.sum_squares)).toBeLessThanOrEqual(1e-6 * b.n + Math.abs(b.sum_squares) * 1e-12);
    }
  }
}

const id = fc.constantFrom("c1", "c2", "c3", "c4", "c5");
const agent_id = fc.constantFrom("ann", "bob", "cyd");
const start_time = fc.integer({ min: 0, max: 72 }).map((hours) => START + hours * HOUR);
const values = fc.record(
  {
    customer_sentiment_score: fc.double({ min: -1, max: 1, noNaN: true }),
    agent_talk_time_ms: fc.integer({ min: 0, max: 4 * HOUR }),
    agent_words: fc.integer({ min: 0, max: 50_000 }),
  },
  { requiredKeys: [] },
);
const step = fc.oneof(
  fc.record({ do: fc.constant("accept" as const), id, agent_id, start_time }),
  fc.record({ do: fc.constant("replace" as const), id, agent_id, start_time }),
  fc.record({ do: fc.constant("enrich" as const), values, save: fc.boolean() }),
  fc.record({ do: fc.constant("reprocess" as const), id }),
  fc.record({ do: fc.constant("remove" as const), id }),
  fc.record({ do: fc.constant("rebuild" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does one step to the store and to the model of it. */
async function apply(store: TestStore, model: Model, now: Step): Promise<void> {
  switch (now.do) {
    case "accept": {
      await store.calls.accept([aCall(now.id, now, ["x"])], 1);
      if (!model.has(now.id)) model.set(now.id, { ...now, values: null });
      break;
    }
    case "replace": {
      await store.calls.replace(aCall(now.id, now, ["y"]), 1);
      model.set(now.id, { ...now, values: null });
      break;
    }
    case "enrich": {
      const [item] = await store.work.take(1, "w", 60_000);
      const known = item && model.get(item.call_id);
      if (!item || !known) return;
      if (now.save) {
        await store.calls.saveEnrichment([enriched(item, "w", { insights: someInsights(now.values) })]);
        model.set(item.call_id, { ...known, values: now.values });
      } else {
        await store.work.release([item.work_no], "w");
      }
      break;
    }
    case "reprocess":
      await store.calls.reprocess(now.id, EVERYTHING, 1);
      break;
    case "remove":
      await store.calls.remove(now.id, EVERYTHING);
      model.delete(now.id);
      break;
    case "rebuild":
      expect((await store.rollups.rebuild(() => undefined)).drifted).toBe(0);
      break;
  }
}

/** Holds a Rollups adapter, together with Calls, to the port. */
export function rollupsContract(name: string, make: MakeStore): void {
  describe(`Rollups: ${name}`, () => {
    let store: TestStore;
    afterEach(() => store.close());

    it("equals a recount after any sequence of writes", async () => {
      store = await make({ timezone: ZONE });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const model: Model = new Map();
          for (const one of steps) await apply(store, model, one);
          const measures = MEASURED;
          expectSame(await store.rollups.agents({ scope: EVERYTHING, measures }), recount(model));
          for (const [from_day, to_day] of [
            ["2026-03-07", "2026-03-07"],
            ["2026-03-08", "2026-03-09"],
          ] as const) {
            const found = await store.rollups.agents({ scope: EVERYTHING, measures, from_day, to_day });
            expectSame(found, recount(model, from_day, to_day));
          }
          expect((await store.rollups.rebuild(() => undefined)).drifted).toBe(0);
          expectSame(await store.rollups.agents({ scope: EVERYTHING, measures }), recount(model));
          for (const call_id of model.keys()) await store.calls.remove(call_id, EVERYTHING);
          expect(await store.rollups.agents({ scope: EVERYTHING, measures })).toEqual([]);
        }),
        { numRuns: 15 },
      );
    });

    it("stays right while it is rebuilt under writes", async () => {
      store = await make({ timezone: ZONE });
      const model: Model = new Map();
      const put = async (call_id: string, agent: string, hours: number) => {
        const call = { agent_id: agent, start_time: START + hours * HOUR };
        await store.calls.replace(aCall(call_id, call, ["x"]), 1);
        model.set(call_id, { ...call, values: null });
      };
      const calls = Array.from({ length: 1_200 }, (_, i) =>
        aCall(`c${i}`, { start_time: START + (i % 70) * HOUR }, ["x"]),
      );
      await store.calls.accept(calls, 2);
      for (const call of calls) model.set(call.call_id, { ...call, values: null });
      const rebuilt = store.rollups.rebuild(() => undefined);
      for (let i = 0; i < 60; i++) {
        await put(`c${i * 20}`, "bob", i);
        await put(`new${i}`, "cyd", i);
        await store.calls.remove(`c${i * 20 + 1}`, EVERYTHING);
        model.delete(`c${i * 20 + 1}`);
      }
      expect(await rebuilt).toMatchObject({ drifted: 0 });
      expectSame(await store.rollups.agents({ scope: EVERYTHING, measures: [] }), recount(model));
      expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
    });

    it("answers within the scope, and only the measures asked for", async () => {
      store = await make();
      await store.calls.accept([aCall("a"), aCall("b", { agent_id: "bob" })], 1);
      await store.setTeam("bob", "north");
      for (const item of await store.work.take(2, "w", 60_000)) {
        const insights = someInsights({ customer_sentiment_score: -0.25, agent_words: 3 });
        await store.calls.saveEnrichment([enriched(item, "w", { insights })]);
      }
      const bob = {
        agent_id: "bob",
        total_calls: 1,
        measures: { customer_sentiment_score: { n: 1, sum: -0.25, sum_squares: 0.0625 } },
      };
      const measures = ["customer_sentiment_score"] as const;
      for (const scope of [
        { kind: "agent", agent_id: "bob" },
        { kind: "team", team: "north" },
      ] as const) {
        expect(await store.rollups.agents({ scope, measures })).toEqual([bob]);
        expect(await store.rollups.agents({ scope, measures, from_day: "2026-03-10" })).toEqual([bob]);
        expect(await store.rollups.agents({ scope, measures, to_day: "2026-03-09" })).toEqual([]);
      }
      expect(await store.rollups.agents({ scope: EVERYTHING, measures: MEASURE_NAMES })).toHaveLength(2);
    });

    it("counts what is written at the same moment once, and nothing of what fails", async () => {
      store = await make();
      const bad = aCall("bad", { outcome: "nonsense" as "won" });
      const added = await Promise.all([aCall("a"), bad, aCall("b")].map((call) => store.calls.accept([call], 1)));
      expect(added.flat().map((result) => result.status)).toEqual(["accepted", "failed", "accepted"]);
      const counts = async () =>
        (await store.rollups.agents({ scope: EVERYTHING, measures: [] })).map((sum) => [sum.agent_id, sum.total_calls]);
      expect(await counts()).toEqual([["ann", 2]]);
      // One goes as another comes, and both of them at once.
      await Promise.all([store.calls.remove("a", EVERYTHING), store.calls.accept([aCall("c")], 1)]);
      expect(await counts()).toEqual([["ann", 2]]);
      const gone = ["b", "c"].map((call_id) => store.calls.remove(call_id, EVERYTHING));
      await Promise.all([...gone, store.calls.accept([aCall("d", { agent_id: "bob" })], 1)]);
      expect(await counts()).toEqual([["bob", 1]]);
      expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
    });

    it("sums what passes 64 bits: squares of milliseconds in millionths", async () => {
      store = await make();
      await store.calls.accept([aCall("a"), aCall("b"), aCall("c")], 1);
      for (const item of await store.work.take(3, "w", 60_000)) {
        const insights = someInsights({ agent_talk_time_ms: 10 * HOUR });
        await store.calls.saveEnrichment([enriched(item, "w", { insights })]);
      }
      await store.calls.remove("a", EVERYTHING);
      const [sum] = await store.rollups.agents({ scope: EVERYTHING, measures: ["agent_talk_time_ms"] });
      expect(sum?.measures.agent_talk_time_ms).toEqual({ n: 2, sum: 20 * HOUR, sum_squares: 2 * (10 * HOUR) ** 2 });
    });

    it("says what single calls add to the sums", async () => {
      store = await make();
      const start_time = Date.UTC(2026, 2, 10, 12);
      await store.calls.accept([aCall("a"), aCall("b", { agent_id: "bob" }), aCall("gone")], 1);
      const [item] = await store.work.take(1, "w", 60_000);
      if (!item) throw new Error("there is no work");
      const measures = { agent_talk_ratio: 0.1 + 0.2, agent_words: 0 };
      await store.calls.saveEnrichment([enriched(item, "w", { insights: someInsights(measures) })]);
      await store.calls.remove("gone", EVERYTHING);
      const found = await store.rollups.contributions([1, 2, 3, 99]);
      expect(found.toSorted((x, y) => x.call_no - y.call_no)).toEqual([
        { call_no: 1, agent_id: "ann", start_time, revision: 1, measures },
        { call_no: 2, agent_id: "bob", start_time, revision: 1, measures: null },
      ]);
      await store.calls.replace(aCall("a", { agent_id: "cid", start_time: 5, digest: "cd".repeat(32) }), 1);
      expect(await store.rollups.contributions([1])).toEqual([
        { call_no: 1, agent_id: "cid", start_time: 5, revision: 2, measures: null },
      ]);
    });
  });
}

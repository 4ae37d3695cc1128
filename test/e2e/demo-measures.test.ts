/** Holds the measures against the demo's ground truth, with the real model. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenedModels, openModels } from "../../src/adapters/models/open-models.ts";
import type { AcceptedCall } from "../../src/core/call.ts";
import type { MeasureName } from "../../src/core/measures.ts";
import { dot } from "../../src/core/vector.ts";
import { type DemoTruth, generateDemo } from "../../src/demo/generate.ts";
import { normalizeCall } from "../../src/services/accept.ts";
import { deriveCall } from "../../src/services/enrich.ts";
import { modelDataDir, modelDir } from "../support/model.ts";

interface Measured {
  readonly truth: DemoTruth;
  readonly vector: Float32Array;
  readonly measures: Readonly<Record<MeasureName, number | null>>;
}

const NOW = Date.UTC(2026, 10, 23, 12);
const CALLS = 90;
let models: OpenedModels;
let calls: Measured[];

beforeAll(async () => {
  models = openModels({ modelDir: await modelDir(), dataDir: modelDataDir(), threads: 2, autoPull: false });
  const state = await models.settled();
  expect(state.method).toBe("model");
  const demo = generateDemo({ seed: 1, now: NOW, calls: CALLS });
  const accepted = demo.map(({ call }) => {
    const result = normalizeCall(call, { now: NOW });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    return result.call;
  });
  calls = await Promise.all(accepted.map((call, i) => measure(call, (demo[i] as (typeof demo)[number]).truth)));
});
afterAll(() => models.close());

async function measure(call: AcceptedCall, truth: DemoTruth): Promise<Measured> {
  const inference = await models.infer(call.turns.map((t) => t.text));
  const { insights, vectors } = deriveCall(call, inference, NOW);
  if (vectors === null) throw new Error("no vectors");
  return { truth, vector: vectors.call, measures: insights.measures };
}

function pearson(pairs: readonly (readonly [number, number])[]): number {
  const n = pairs.length;
  const mean = (k: 0 | 1): number => pairs.reduce((sum, p) => sum + p[k], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xy += (x - mx) * (y - my);
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

function against(measure: MeasureName, truth: (t: DemoTruth) => number): number {
  return pearson(
    calls.flatMap((c) => (c.measures[measure] === null ? [] : [[c.measures[measure], truth(c.truth)] as const])),
  );
}

describe("the measures of the demo's calls", () => {
  it("see the sentiment that was meant, and its change", () => {
    const level = against("customer_sentiment_score", (t) => t.intended_sentiment);
    const change = against("sentiment_change", (t) => t.sentiment_end - t.sentiment_start);
    console.log(`sentiment: Pearson ${level.toFixed(3)} with what was meant, its change ${change.toFixed(3)}`);
    expect(level).toBeGreaterThan(0.8);
    expect(change).toBeGreaterThan(0.45);
  });

  it("see the skilled talk less and interrupt less", () => {
    const talk = against("agent_talk_ratio", (t) => t.agent_skill);
    const cuts = against("agent_interruptions", (t) => t.interruptions);
    const questions = against("agent_questions", (t) => t.open_questions);
    console.log(
      `skill: talk ratio ${talk.toFixed(3)}; interruptions ${cuts.toFixed(3)}; questions ${questions.toFixed(3)}`,
    );
    expect(talk).toBeLessThan(-0.3);
    expect(cuts).toBeGreaterThan(0.6);
    expect(questions).toBeGreaterThan(0.4);
  });

  it("find a call of the same topic nearest", () => {
    const same = calls.filter((call) => {
      const others = calls.filter((c) => c !== call);
      const nearest = others.reduce((best, c) =>
        dot(c.vector, call.vector) > dot(best.vector, call.vector) ? c : best,
      );
      return nearest.truth.topic === call.truth.topic;
    });
    console.log(`nearest call has the topic: ${((100 * same.length) / calls.length).toFixed(1)} %`);
    expect(same.length / calls.length).toBeGreaterThan(0.9);
  });
});

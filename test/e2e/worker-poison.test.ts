/** Calls that make a step throw or hang, among good ones: the real worker, store and model threads. */
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OpenedModels, openModels } from "../../src/adapters/models/open-models.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { pollingDispatch } from "../../src/adapters/sql/polling-dispatch.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import { type Loop, startLoop } from "../../src/worker/loop.ts";
import { measured } from "../support/measured.ts";
import { modelDataDir, modelDir } from "../support/model.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

const FAULTY = new URL("../support/faulty-model-thread.ts", import.meta.url);
const LIMITS = { base_ms: 1_500, turn_ms: 0 };
/** The model's own patience with a thread: longer than any delay that is measured here. */
const DEADLINE_MS = 4_000;

let place: ReturnType<typeof temporary>;
let store: SqliteStore;
let models: OpenedModels;
let loop: Loop;
let lines: string[];
/** What the pauses between tries are shortened by. */
let skipped = 0;
const now = () => Date.now() + skipped;

beforeEach(async () => {
  place = temporary();
  store = await openQuiet(place.path, { now });
  lines = [];
  models = openModels({
    modelDir: await modelDir(),
    dataDir: modelDataDir(),
    threads: 2,
    autoPull: false,
    threadScript: FAULTY,
    limits: { deadlineMs: DEADLINE_MS, backoffMs: [50, 200] },
  });
  await whole();
});

afterEach(async () => {
  await loop.stop();
  await models.close();
  await store.close();
  place.remove();
});

const whole = () => expect.poll(() => models.describe().threads, { timeout: 60_000, interval: 20 }).toBe(2);

function start(lanes: number): Loop {
  loop = startLoop(
    {
      ...store,
      dispatch: pollingDispatch(store),
      models,
      metrics: createMetrics(store.work),
      log: pino({ level: "info" }, { write: (line: string) => void lines.push(line) }),
      now,
      random: () => 1,
    },
    { lanes, limits: LIMITS, stop_ms: 100 },
  );
  return loop;
}

/** Turns of words that no other call has: nothing comes from the model's cache. */
const texts = (name: string, turns = 8) =>
  Array.from({ length: turns }, (_, i) => `This is turn ${i} of ${name}, and we would like to know what it costs.`);

/** Accepts the calls in one batch and resolves with the ms after which each of `ids` was enriched, in order. */
async function enrichedAfter(calls: ReturnType<typeof aCall>[], ids: readonly string[]): Promise<number[]> {
  let seen = await store.events.head();
  const done = new Map<string, number>();
  const all = Promise.withResolvers<void>();
  let began = 0;
  const look = async () => {
    const at = performance.now() - began;
    const { events } = await store.events.after(seen, 1_000, EVERYTHING);
    seen = Math.max(seen, events.at(-1)?.seq ?? 0);
    for (const { type, call_id } of events) if (type === "call.enriched") done.set(call_id, at);
    if (ids.every((id) => done.has(id))) all.resolve();
  };
  const off = store.events.onChange(() => void look().catch(all.reject));
  began = performance.now();
  await store.calls.accept(calls, PRIORITY.single);
  await all.promise;
  off();
  return ids.map((id) => done.get(id) as number);
}

/**
 * How many ms later than alone the good ones of a batch are enriched that holds a poisonous call: the worst of seven, in
 * the best of up to three rounds. What else the machine does can only add to it.
 */
async function delayBy(poison: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && best >= 1_000; round++) {
    await whole();
    const names = (kind: string) => Array.from({ length: 7 }, (_, i) => `${kind}-${round}-${i}`);
    const good = (ids: readonly string[]) => ids.map((id) => aCall(id, {}, texts(id)));
    const alone = await enrichedAfter(good(names("alone")), names("alone"));
    const bad = aCall(`poison-${round}`, {}, [...texts(`poison ${round}`, 3), poison, ...texts(`rest ${round}`, 3)]);
    const [first, ...others] = good(names("beside"));
    if (!first) throw new Error("no calls");
    const beside = await enrichedAfter([first, bad, ...others], names("beside"));
    best = Math.min(best, Math.max(...beside.map((ms, i) => ms - (alone[i] as number))));
    await store.calls.remove(bad.call_id, EVERYTHING);
  }
  return best;
}

describe("a poisonous call delays its neighbours by less than a second", () => {
  test("when it makes a step throw", async () => {
    start(3);
    const delay = await delayBy("<throw> this");
    measured("poison call", `a step throws: neighbours ${Math.round(delay)} ms later than alone`);
    expect(delay).toBeLessThan(1_000);
    expect(models.describe()).toMatchObject({ method: "model", threads: 2 });
  }, 90_000);

  test("when it makes a step hang: what waits behind it goes to another thread", async () => {
    start(3);
    const delay = await delayBy("<hang> here");
    measured("poison call", `a step hangs, two threads: neighbours ${Math.round(delay)} ms later than alone`);
    expect(delay).toBeLessThan(1_000);
    expect(models.describe().method).toBe("model");
  }, 120_000);
});

test("a call that hangs costs itself its attempts and holds no lease longer; then it is dead, and says why", async () => {
  start(0);
  await store.calls.accept([aCall("hanging", {}, ["hello canary", "<hang> canary"])], PRIORITY.single);
  for (let attempt = 1; attempt <= 5; attempt++) {
    expect(await loop.tick()).toBe(1);
    skipped += 60_000;
    expect(await store.work.depth()).toMatchObject({ running: 0 });
  }
  const letters = await store.work.dead(10, EVERYTHING);
  expect(letters).toMatchObject([{ call_id: "hanging", attempts: 5 }]);
  expect(letters[0]?.error).toMatch(/^infer: (no answer within 1.5 s|a text could not be read by the model: .*)$/);
  expect(JSON.stringify([letters, lines])).not.toContain("canary");
  measured("poison call", `dead after ${letters[0]?.attempts} tries: ${letters[0]?.error}`);
}, 60_000);

test("neighbours of calls that throw lose no attempt, and a dead letter holds no word of its call", async () => {
  start(0);
  const bad = ["one", "two"].map((id) => aCall(id, {}, [`canary ${id}`, `<throw> canary ${id}`]));
  const good = ["a", "b", "c"].map((id) => aCall(id, {}, texts(id)));
  await store.calls.accept([...good.slice(0, 2), ...bad, ...good.slice(2)], PRIORITY.single);
  expect(await loop.tick()).toBe(5);
  for (const { call_id } of good) {
    expect(await store.reads.row(call_id, EVERYTHING)).toMatchObject({ state: "enriched", method: "model" });
  }
  expect(await store.work.depth()).toMatchObject({ ready: 2, running: 0, dead: 0 });
  for (let attempt = 2; attempt <= 5; attempt++) {
    expect(await loop.tick()).toBe(0);
    skipped += 60_000;
    expect(await loop.tick()).toBe(2);
  }
  const letters = await store.work.dead(10, EVERYTHING);
  expect(letters.map((l) => [l.call_id, l.attempts])).toEqual([
    ["two", 5],
    ["one", 5],
  ]);
  for (const { error } of letters) {
    expect(error).toMatch(/^infer: a text could not be read by the model: \w+ at [\w.-]+:\d+$/);
  }
  expect(JSON.stringify([letters, lines])).not.toContain("canary");
}, 90_000);

test("stopping gives back what hangs, without counting an attempt", async () => {
  start(1);
  const calls = [aCall("hanging", {}, ["<hang>"]), aCall("good", {}, texts("good"))];
  await enrichedAfter(calls, ["good"]);
  expect(await store.work.depth()).toMatchObject({ running: 1 });
  await loop.stop();
  expect(await store.work.depth()).toMatchObject({ ready: 1, running: 0 });
  expect(await store.work.take(1, "next", 1_000)).toMatchObject([{ call_id: "hanging", attempts: 1 }]);
}, 60_000);

/** The thread of the vector index dies or hangs: answers say what they lack, and it is loaded again by itself. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { Finding } from "../../src/services/doctor.ts";
import { startHttp } from "../support/http-server.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { modelDir } from "../support/model.ts";
import { runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { holdInRecovery } from "../support/recovery.ts";
import { requirement } from "../support/requirements.ts";

const python = requirement("python3");
const faultyThread = new URL("../support/faulty-index-thread.ts", import.meta.url);
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const SEMANTIC = "/api/v1/search?mode=semantic&q=awful+price";
const SIMILAR = "/api/v1/calls/c0/recommendations";
const call = (id: number) => ({
  call_id: `c${id}`,
  transcript: `Agent: How are you today?\nCustomer: This is number ${id}, and the price is awful.\nAgent: I see.`,
});

interface Found {
  readonly mode: string;
  readonly results: readonly unknown[];
  readonly degraded?: readonly string[];
}
interface Recommended {
  readonly similar_calls: readonly { call_id: string }[];
  readonly similar_calls_reason?: string;
  readonly coaching_nudges: readonly string[];
  readonly degraded?: readonly string[];
}

test("a thread that dies, at the real server: words stand in, everything says so, and it is loaded again from the store", async () => {
  const { path: folder, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const fault = join(folder, "fault");
  const env = {
    EARSHOT_DATA_DIR: join(folder, "data"),
    EARSHOT_MODEL_DIR: await modelDir(),
    EARSHOT_LOG_LEVEL: "error",
  };
  const earshot = await startEarshot({
    ...env,
    EARSHOT_TEST_INDEX: fault,
    EARSHOT_METRICS_PUBLIC: "1",
    NODE_OPTIONS: `--import=${new URL("../support/faulty-index.ts", import.meta.url).href}`,
  });
  undo.push(() => earshot.stop("SIGKILL"));
  const found = async () => {
    const answer = await earshot.call("GET", SEMANTIC);
    return { parts: answer.headers.get("earshot-degraded"), ...((await answer.json()) as Found) };
  };
  const similar = async () => (await earshot.get<Recommended>(SIMILAR)).similar_calls.map((c) => c.call_id).toSorted();
  const index = async () => {
    const { stdout } = await runCli(["doctor", "--json"], env);
    return (JSON.parse(stdout) as Finding[]).find((f) => f.check === "index");
  };
  const soon = { timeout: 30_000, interval: 50 };
  await earshot.call("POST", "/api/v1/calls/bulk", { calls: [call(0), call(1), call(2)] });
  await vi.waitFor(async () => expect(await similar()).toEqual(["c1", "c2"]), soon);
  expect(await found()).toMatchObject({ mode: "semantic", parts: null });
  expect(await index()).toMatchObject({ state: "ok", says: "3 calls in it" });

  writeFileSync(fault, "die");
  for (let i = 0; i < 3; i++) {
    const { parts, mode, degraded, results } = await found();
    expect([parts, mode, degraded, results.length]).toEqual(["index", "keyword", ["index"], 3]);
  }
  const without = await earshot.get<Recommended>(SIMILAR);
  expect(without).toMatchObject({
    similar_calls: [],
    similar_calls_reason: "the index of calls is being loaded; ask again in a moment",
    degraded: ["index"],
  });
  expect(without.coaching_nudges).toHaveLength(3);
  expect(await earshot.get("/health/ready")).toMatchObject({
    status: "degraded",
    degraded: ["index"],
    checks: { index: { ok: false } },
  });
  expect(await (await earshot.call("GET", "/metrics")).text()).toContain('earshot_degraded{part="index"} 1');
  expect(await index()).toMatchObject({ state: "warn" });
  // What comes meanwhile is enriched as ever.
  await earshot.call("POST", "/api/v1/calls", call(3));
  await vi.waitFor(async () => {
    const { enrichment } = await earshot.get<{ enrichment: object }>("/api/v1/calls/c3");
    expect(enrichment).toMatchObject({ state: "enriched", method: "model" });
  }, soon);

  rmSync(fault);
  const began = performance.now();
  await vi.waitFor(async () => expect(await found()).toMatchObject({ mode: "semantic", parts: null }), soon);
  measured(
    "thread of the vector index dies",
    `3 searches answered by words; by meaning again ${inSeconds(performance.now() - began)} after the fault went`,
  );
  expect(await similar()).toEqual(["c1", "c2", "c3"]);
  expect(await earshot.get("/health/ready")).toMatchObject({ status: "ok", degraded: [] });
  expect(await (await earshot.call("GET", "/metrics")).text()).toContain('earshot_degraded{part="index"} 0');
}, 90_000);

test("a thread that hangs: nobody waits longer than the patience, then not at all; another takes over", async () => {
  const { path: folder, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const fault = join(folder, "fault");
  process.env["EARSHOT_TEST_INDEX"] = fault;
  undo.push(() => delete process.env["EARSHOT_TEST_INDEX"]);
  const http = await startHttp({
    model: true,
    index: {
      thread: faultyThread,
      silence_ms: 3_000,
      limits: { patience_ms: 300, pause_ms: [20, 100] },
    },
  });
  undo.push(() => http.close());
  await http.ask("POST", "/api/v1/calls/bulk", { body: { calls: [call(0), call(1), call(2)] } });
  await http.enrich();
  const before = await http.ask<Recommended>("GET", SIMILAR);
  expect(before.body.similar_calls).toHaveLength(2);

  writeFileSync(fault, "hang");
  const timed = async () => {
    const began = performance.now();
    const { status, body, headers } = await http.ask<Found>("GET", SEMANTIC);
    return { status, mode: body.mode, parts: headers["earshot-degraded"], ms: performance.now() - began };
  };
  const first = await timed();
  expect(first).toMatchObject({ status: 200, mode: "keyword", parts: "index" });
  expect(first.ms).toBeGreaterThan(290);
  expect(first.ms).toBeLessThan(2_500);
  // Nobody waits behind it.
  const rest = await Promise.all(Array.from({ length: 20 }, timed));
  for (const { mode, parts, ms } of rest) {
    expect([mode, parts]).toEqual(["keyword", "index"]);
    expect(ms).toBeLessThan(2_500);
  }
  expect((await http.ask<Recommended>("GET", SIMILAR)).body.degraded).toEqual(["index"]);
  expect((await http.ask("GET", "/health/ready")).body).toMatchObject({ degraded: ["index"] });
  expect(await http.metrics.scrape()).toContain('earshot_degraded{part="index"} 1');

  measured(
    "thread of the vector index hangs",
    `the first search answered by words after ${inSeconds(first.ms)}, ` +
      `the slowest of 20 after it in ${inSeconds(Math.max(...rest.map((r) => r.ms)))}`,
  );
  rmSync(fault);
  await vi.waitFor(async () => expect(await timed()).toMatchObject({ mode: "semantic", parts: undefined }), {
    timeout: 20_000,
    interval: 50,
  });
  expect(http.log.filter((line) => line["msg"] === "the thread of the vector index died or hung")).toHaveLength(1);
  const after = await http.ask<Recommended>("GET", SIMILAR);
  expect(after.text).toBe(before.text);
  expect(await http.metrics.scrape()).toContain('earshot_degraded{part="index"} 0');
}, 60_000);

test.skipIf(python === null)("what was answered without the index does not stand in for what was whole", async () => {
  const { path: folder, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const fault = join(folder, "fault");
  process.env["EARSHOT_TEST_INDEX"] = fault;
  undo.push(() => delete process.env["EARSHOT_TEST_INDEX"]);
  const http = await startHttp({ model: true, index: { thread: faultyThread } });
  undo.push(() => http.close());
  await http.ask("POST", "/api/v1/calls/bulk", { body: { calls: [call(0), call(1), call(2)] } });
  await http.enrich();
  const whole = await http.ask<Recommended>("GET", SIMILAR);
  writeFileSync(fault, "die");
  expect((await http.ask<Recommended>("GET", SIMILAR)).body.degraded).toEqual(["index"]);
  undo.push(await holdInRecovery(python as string, http.path));
  const standIn = await http.ask<Recommended>("GET", SIMILAR);
  expect([standIn.status, standIn.headers["earshot-degraded"]]).toEqual([200, "store"]);
  expect(standIn.body.similar_calls).toEqual(whole.body.similar_calls);
});

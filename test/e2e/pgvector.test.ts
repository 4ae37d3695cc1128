/** From the embedded index to pgvector with real processes on one database, one after the other, and back when it breaks. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { inSeconds, measured } from "../support/measured.ts";
import { modelDir } from "../support/model.ts";
import { ask, freshDatabase } from "../support/postgres-server.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const undo: (() => Promise<unknown>)[] = [];
const soon = { timeout: 60_000, interval: 50 };
/** What a process holds that builds the index (points-tend.ts). */
const BUILDING = 20_261_106;

const SAID = [
  "Your invoice is wrong again and I am very tired of this.",
  "I love the new plan, it works wonderfully for our team.",
  "The delivery was late and nobody told us about it.",
  "Could you explain what the contract says about renewal?",
  "We cannot afford this, the price is far too high for us.",
  "Support was quick and friendly, I am really happy.",
  "The invoice has the wrong address on it, please correct it.",
  "Is there a discount if we pay for the whole year?",
];
const call = (i: number) => ({
  call_id: `call-${i}`,
  agent_id: i % 2 === 0 ? "ann" : "bob",
  customer_id: `customer-${i}`,
  start_time: new Date(Date.UTC(2026, 2, 1 + i)).toISOString(),
  transcript: `Agent: Hello, how can I help?\nCustomer: ${SAID[i % SAID.length]} This is case ${i}.\nAgent: I see.`,
});

interface Answered {
  readonly similar_calls: readonly { call_id: string; similarity_score: number }[];
  readonly degraded?: readonly string[];
}
interface Ready {
  readonly degraded: readonly string[];
  readonly checks: { readonly index: object };
}

/** What a process finds: similar calls, among one agent's too, and turns by meaning. */
async function answersOf(earshot: Earshot) {
  const similar = async (path: string) =>
    (await earshot.get<Answered>(path)).similar_calls.map((c) => [c.call_id, c.similarity_score.toFixed(4)]);
  const found = await earshot.get<{ mode: string; results: { call_id: string }[] }>(
    "/api/v1/search?mode=semantic&q=the+bill+is+not+right&limit=5",
  );
  return {
    all: await similar("/api/v1/calls/call-0/recommendations"),
    one: await similar("/api/v1/calls/call-4/recommendations?agent_id=ann&from_date=2026-03-04"),
    mode: found.mode,
    turns: found.results.map((r) => r.call_id),
  };
}

async function enriched(earshot: Earshot, n: number): Promise<void> {
  const { total } = await earshot.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1");
  expect(total).toBe(n);
}

async function index(earshot: Earshot): Promise<object> {
  return (await earshot.get<Ready>("/health/ready")).checks.index;
}

describe.skipIf(requirement("pgvector") === null)("vectors in the database", () => {
  let url: string;
  let env: Record<string, string>;
  let first: Earshot;
  beforeAll(async () => {
    const database = await freshDatabase("pgvector");
    url = database.url;
    undo.push(database.drop);
    const { path, cleanup } = await temporaryFolder();
    undo.push(cleanup);
    env = {
      EARSHOT_DATA_DIR: path,
      EARSHOT_STORE_URL: url,
      EARSHOT_STORE_POOL: "10",
      EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
      EARSHOT_MODEL_DIR: await modelDir(),
      EARSHOT_MODEL_THREADS: "1",
      EARSHOT_LOG_LEVEL: "error",
    };
    first = await startEarshot(env);
    undo.push(() => first.stop());
  }, 120_000);
  afterAll(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  });

  const rowsOf = (call_no: number) =>
    ask(
      url,
      "SELECT 1 FROM earshot_points.call WHERE call_no = $1 UNION ALL SELECT 1 FROM earshot_points.segment WHERE call_no = $1",
      [call_no],
    );

  test("processes go over one after the other, and all answer alike before, meanwhile and after", async () => {
    const calls = Array.from({ length: 24 }, (_, i) => call(i));
    expect((await first.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
    await vi.waitFor(() => enriched(first, 24), soon);
    await vi.waitFor(async () => expect(await index(first)).toMatchObject({ rows: { call: 24, segment: 24 } }), soon);
    const before = await answersOf(first);
    expect(before).toMatchObject({ mode: "semantic", all: { length: 5 }, one: { length: 5 } });

    // As if a third process were building: nobody else does.
    const builder = new pg.Client(url);
    await builder.connect();
    await builder.query(`SELECT pg_advisory_lock(${BUILDING})`);
    const second = await startEarshot({ ...env, EARSHOT_VECTORS_URL: "pgvector:" }, ["serve", "--role", "api"]);
    undo.push(() => second.stop());
    expect(await index(second)).toMatchObject({ ok: true, by: "process", building: { step: "rows", done: 0 } });
    expect(await answersOf(second)).toEqual(before);
    // Written by a process that knows nothing of it, while it is not there yet.
    expect((await first.call("POST", "/api/v1/calls", call(24))).status).toBe(202);
    await vi.waitFor(() => enriched(second, 25), soon);
    expect((await first.call("DELETE", "/api/v1/calls/call-23")).status).toBe(204);
    await builder.end();
    const whole = { ok: true, rows: { call: 24, segment: 24 }, by: "database" };
    await vi.waitFor(async () => expect(await index(second)).toEqual(whole), soon);

    // As an index that takes its mean of the same calls answers.
    const after = await answersOf(second);
    expect(after).toMatchObject({ mode: "semantic", all: { length: 5 }, one: { length: 5 } });
    await first.stop();
    first = await startEarshot(env);
    expect(await answersOf(first)).toEqual(after);
    await first.stop();
    first = await startEarshot({ ...env, EARSHOT_VECTORS_URL: "pgvector:" });
    expect(await index(first)).toEqual(whole);
    expect(await answersOf(first)).toEqual(after);

    const gone = after.all[0]?.[0] as string;
    const [row] = await ask<{ call_no: number }>(url, "SELECT call_no::int FROM call_records WHERE call_id = $1", [
      gone,
    ]);
    expect(await rowsOf(row?.call_no as number)).toHaveLength(2);
    expect((await second.call("DELETE", `/api/v1/calls/${gone}`)).status).toBe(204);
    expect(await rowsOf(row?.call_no as number)).toEqual([]);
    for (const earshot of [first, second]) {
      expect((await answersOf(earshot)).all.map(([call_id]) => call_id)).not.toContain(gone);
    }
  }, 120_000);

  test("pgvector fails at a running server: answers say what they lack, then an index here stands in until it is back", async () => {
    const recommended = () => first.get<Answered>("/api/v1/calls/call-0/recommendations");
    const whole = await recommended();
    await ask(url, "ALTER TABLE earshot_points.call RENAME TO away");
    const without = await recommended();
    expect(without).toMatchObject({ similar_calls: [], degraded: ["index"] });
    expect((await first.get<Ready>("/health/ready")).degraded).toEqual(["index"]);
    const began = performance.now();
    await vi.waitFor(async () => expect((await recommended()).degraded).toBeUndefined(), soon);
    const stoodIn = performance.now() - began;
    expect((await recommended()).similar_calls.map((c) => c.call_id)).toEqual(
      whole.similar_calls.map((c) => c.call_id),
    );
    // What comes meanwhile is enriched as ever.
    expect((await first.call("POST", "/api/v1/calls", call(25))).status).toBe(202);
    await vi.waitFor(async () => {
      const { enrichment } = await first.get<{ enrichment: object }>("/api/v1/calls/call-25");
      expect(enrichment).toMatchObject({ state: "enriched", method: "model" });
    }, soon);
    await ask(url, "ALTER TABLE earshot_points.away RENAME TO call");
    const again = performance.now();
    await vi.waitFor(async () => {
      const [missed] = await ask<{ n: number }>(url, "SELECT count(*)::int AS n FROM earshot_points.missed");
      expect(missed?.n).toBe(0);
    }, soon);
    measured(
      "pgvector cannot be used",
      `answered without similar calls at first, by an index of the process after ${inSeconds(stoodIn)}; ` +
        `what it had missed was put right ${inSeconds(performance.now() - again)} after it was back`,
    );
    expect((await recommended()).degraded).toBeUndefined();
    await vi.waitFor(
      async () => expect(await index(first)).toMatchObject({ by: "database", rows: { call: 24 } }),
      soon,
    );
  }, 120_000);

  test("pgvector says nothing: nobody waits longer than the patience, then not at all", async () => {
    const path = "/api/v1/calls/call-0/recommendations";
    await vi.waitFor(async () => expect(await index(first)).toMatchObject({ by: "database" }), soon);
    const holder = new pg.Client(url);
    await holder.connect();
    await holder.query("BEGIN; LOCK TABLE earshot_points.call IN ACCESS EXCLUSIVE MODE");
    const timed = async () => {
      const began = performance.now();
      const { degraded } = await first.get<Answered>(path);
      return { degraded, ms: performance.now() - began };
    };
    const late = await timed();
    expect(late).toMatchObject({ degraded: ["index"] });
    expect(late.ms).toBeGreaterThan(1_900);
    const rest = await Promise.all(Array.from({ length: 20 }, timed));
    const slowest = Math.max(...rest.map((one) => one.ms));
    expect(rest.every(({ degraded }) => degraded?.[0] === "index")).toBe(true);
    expect(slowest).toBeLessThan(1_500);
    measured(
      "pgvector says nothing",
      `the first question was answered without similar calls after ${inSeconds(late.ms)}, the slowest of 20 after it in ${inSeconds(slowest)}`,
    );
    await holder.end();
    await vi.waitFor(async () => expect((await first.get<Answered>(path)).degraded).toBeUndefined(), soon);
  }, 60_000);
});

describe.skipIf(requirement("postgres") === null)("without the extension", () => {
  test("a start says what to do", async () => {
    const { url, drop } = await freshDatabase();
    const { path, cleanup } = await temporaryFolder();
    try {
      const [found] = await ask(url, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'");
      // A server that has it is no case of this.
      if (found !== undefined) return;
      const { code, stdout, stderr } = await runCli(["serve"], {
        EARSHOT_DATA_DIR: path,
        EARSHOT_STORE_URL: url,
        EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
        EARSHOT_MODEL_DIR: "statistical:",
        EARSHOT_VECTORS_URL: "pgvector:",
      });
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(/needs the extension vector 0\.8 or newer .* Install pgvector on the server/);
    } finally {
      await cleanup();
      await drop();
    }
  });
});

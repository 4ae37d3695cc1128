/** The main job on PostgreSQL, with the real model: what one process takes in another enriches, and a third shows. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { modelDir } from "../support/model.ts";
import { freshDatabase } from "../support/postgres-server.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const undo: (() => Promise<unknown>)[] = [];

const call = (i: number, customer: string) => ({
  call_id: `call-${i}`,
  agent_id: i % 2 === 0 ? "ann" : "bob",
  customer_id: "acme",
  start_time: new Date(Date.UTC(2026, 2, 1 + i)).toISOString(),
  transcript: `Agent: Hello, how can I help?\nCustomer: ${customer}\nAgent: I see, thank you for telling me.`,
});
const SAID = [
  "Your invoice is wrong again and I am very tired of this.",
  "I love the new plan, it works wonderfully for our team.",
  "The delivery was late and nobody told us about it.",
  "Could you explain what the contract says about renewal?",
  "We cannot afford this, the price is far too high for us.",
  "Support was quick and friendly, I am really happy.",
];

describe.skipIf(requirement("postgres") === null)("serving from PostgreSQL", () => {
  let env: Record<string, string>;
  let api: Earshot;
  let other: Earshot;
  beforeAll(async () => {
    const { url, drop } = await freshDatabase();
    undo.push(drop);
    const { path, cleanup } = await temporaryFolder();
    undo.push(cleanup);
    env = {
      // The server makes it, as beside a file.
      EARSHOT_DATA_DIR: join(path, "data"),
      EARSHOT_STORE_URL: url,
      EARSHOT_STORE_POOL: "10",
      EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
      EARSHOT_MODEL_DIR: await modelDir(),
      EARSHOT_LOG_LEVEL: "error",
    };
    api = await startEarshot(env, ["serve", "--role", "api,realtime"]);
    other = await startEarshot({ ...env, EARSHOT_MODEL_THREADS: "1" });
    undo.push(
      () => api.stop(),
      () => other.stop(),
    );
  }, 120_000);
  afterAll(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  });

  test("calls are taken in here, enriched there, and found everywhere", async () => {
    const posted = await api.call("POST", "/api/v1/calls", call(0, SAID[0] as string));
    expect(posted.status).toBe(202);
    const bulk = await api.call("POST", "/api/v1/calls/bulk", {
      calls: SAID.slice(1).map((said, i) => call(i + 1, said)),
    });
    expect(bulk.status).toBe(207);
    await vi.waitFor(
      async () => {
        const { calls } = await api.get<{ calls: { enrichment: { state: string } }[] }>("/api/v1/calls?limit=10");
        expect(calls.map((c) => c.enrichment.state)).toEqual(SAID.map(() => "enriched"));
      },
      { timeout: 60_000, interval: 200 },
    );
    const list = await api.get<{ calls: { call_id: string }[]; total: number }>(
      "/api/v1/calls?agent_id=ann&max_sentiment=0.5",
    );
    expect(list.total).toBeGreaterThan(0);
    const one = await other.get<{ transcript: string; turns: unknown[] }>("/api/v1/calls/call-0");
    expect(one.transcript).toContain("invoice is wrong");
    const agents = await api.get<{ agent_id: string; total_calls: number }[]>("/api/v1/analytics/agents");
    expect(agents.map((a) => `${a.agent_id} ${a.total_calls}`).toSorted()).toEqual(["ann 3", "bob 3"]);
    const words = await api.get<{ results: { call_id: string }[] }>("/api/v1/search?q=invoices&mode=keyword");
    expect(words.results.map((r) => r.call_id)).toEqual(["call-0"]);
    // The index of a process that enriches nothing follows the log.
    await vi.waitFor(
      async () => {
        const meant = await api.get<{ results: { call_id: string }[] }>(
          "/api/v1/search?q=it+costs+too+much&mode=semantic&limit=3",
        );
        expect(meant.results[0]?.call_id).toBe("call-4");
        const similar = await api.get<{ similar_calls: unknown[]; coaching_nudges: unknown[] }>(
          "/api/v1/calls/call-0/recommendations",
        );
        expect(similar.similar_calls).toHaveLength(5);
        expect(similar.coaching_nudges).toHaveLength(3);
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(await api.get("/health/ready")).toMatchObject({ checks: { store: { ok: true } } });
  }, 120_000);

  test("a repeat under its key is answered by another process as the first was", async () => {
    const body = { agent_id: "ann", transcript: "Agent: Hello.\nCustomer: Good day." };
    const headers = { "idempotency-key": '"once"' };
    const first = await api.call("POST", "/api/v1/calls", body, headers);
    const again = await other.call("POST", "/api/v1/calls", body, headers);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
  });

  test("commands reach the same calls; what a server does its own way says so", async () => {
    const erased = await runCli(["erase", "acme"], env);
    expect([erased.code, erased.stderr]).toEqual([0, "6 calls of customer acme erased.\n"]);
    expect((await api.call("GET", "/api/v1/calls/call-0")).status).toBe(404);
    await vi.waitFor(async () => {
      const { results } = await api.get<{ results: unknown[] }>("/api/v1/search?q=invoice&mode=keyword");
      expect(results).toEqual([]);
    });
    const backup = await runCli(["backup"], env);
    expect(backup.code).toBe(1);
    expect(backup.stderr).toContain("pg_dump");
    const doctor = await runCli(["doctor", "--json"], env);
    const findings = JSON.parse(doctor.stdout) as { check: string; state: string; says: string }[];
    expect(findings.find((f) => f.check === "database")).toMatchObject({ state: "ok" });
    expect(findings.find((f) => f.check === "schema")).toMatchObject({ state: "ok" });
  }, 60_000);
});

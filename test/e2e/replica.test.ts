/** A second Earshot with a file of its own that follows the first one by HTTP. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Pair, caughtUp, differences, drained, lagOf, sendDemo, startPair, until } from "../support/replica.ts";
import { freshDatabase } from "../support/postgres-server.ts";
import { requirement } from "../support/requirements.ts";
import { ADMIN_KEY, type Earshot, runCli, startEarshot } from "../support/process.ts";
import { SocketClient, type StreamMessage } from "../support/stream-client.ts";

let pair: Pair | null = null;
afterEach(async () => {
  await pair?.close();
  pair = null;
});

function call(call_id: string, said: string) {
  return {
    call_id,
    agent_id: "ann",
    customer_id: "acme",
    start_time: "2026-05-01T10:00:00Z",
    transcript: `Agent: Good morning.\nCustomer: ${said}`,
  };
}

/** Whether the bytes are in any file of the database. */
function holds(database: string, text: string): boolean {
  const folder = dirname(database);
  const files = readdirSync(folder).filter((name) => name.startsWith("earshot.db"));
  return files.some((name) => readFileSync(join(folder, name)).includes(text));
}

/** What is shown of the call `on` that goes on. */
async function looked(server: Earshot): Promise<object> {
  const { alerts, turns } = await server.get<{ alerts: unknown; turns: unknown }>("/api/v1/live/on");
  return { alerts, turns };
}

function enriched(message: StreamMessage): boolean {
  return message.type === "call.enriched" && message["call_id"] === "on";
}

interface Problem {
  readonly code: string;
  readonly detail: string;
}

describe("a replica", () => {
  test("answers as its primary does: loaded, and after accepts, enrichments, replaces and deletes", async () => {
    pair = await startPair({ model: true });
    const { primary } = pair;
    await sendDemo(primary, 60);
    await drained(primary);
    await pair.startReplica();
    await caughtUp(pair);
    expect(await differences(pair)).toEqual([]);

    await primary.call("POST", "/api/v1/calls", call("r-1", "The zebra invoice is wrong and I am tired of this."));
    await primary.call("POST", "/api/v1/calls", call("r-2", "I love the quagga plan, thank you."));
    await drained(primary);
    await caughtUp(pair);
    const { results } = await pair.replica.get<{ results: unknown[] }>("/api/v1/search?q=zebra&mode=keyword");
    expect(results).toHaveLength(1);
    await primary.call("PUT", "/api/v1/calls/r-1", { ...call("r-1", "All is fine with okapi now."), agent_id: "bob" });
    await primary.call("POST", "/api/v1/calls/demo-0003/process");
    await primary.call("DELETE", "/api/v1/calls/demo-0001");
    await primary.call("DELETE", "/api/v1/calls/r-2");
    // An id that is used again is another call.
    await primary.call("POST", "/api/v1/calls", call("r-2", "This is another call altogether."));
    await drained(primary);
    await caughtUp(pair);
    expect(await differences(pair)).toEqual([]);
    expect((await pair.replica.call("GET", "/api/v1/calls/demo-0001")).status).toBe(404);
    const events = (server: typeof primary) => server.get("/api/v1/events?after=122&limit=1000");
    expect(await events(pair.replica)).toEqual(await events(primary));
  }, 120_000);

  test("lets no byte of an erased call stay, tells who takes writes, and knows keys until they are revoked", async () => {
    pair = await startPair();
    const { primary, files } = pair;
    await primary.call("POST", "/api/v1/calls", {
      ...call("secret-1", "Do you know me?"),
      customer_id: "xylophone-4711",
    });
    await pair.startReplica();
    const { replica } = pair;
    await caughtUp(pair);
    await until(5_000, "the customer is not in the file", async () => holds(files.replica, "xylophone-4711"));
    await primary.call("DELETE", "/api/v1/calls/secret-1");
    await caughtUp(pair);
    await until(5_000, "the customer is still in the file", async () => !holds(files.replica, "xylophone-4711"));

    for (const [method, path, body] of [
      ["POST", "/api/v1/calls", call("no", "No.")],
      ["POST", "/api/v1/live", { agent_id: "ann" }],
      ["DELETE", "/api/v1/calls/any", undefined],
      ["POST", "/api/v1/backups", undefined],
    ] as const) {
      const refused = await replica.call(method, path, body);
      expect([refused.status, refused.headers.get("content-type")]).toEqual([
        421,
        expect.stringContaining("application/problem+json"),
      ]);
      const problem = (await refused.json()) as Problem;
      expect(problem).toMatchObject({ code: "read_only", detail: expect.stringContaining(primary.url) });
    }

    const env = { EARSHOT_DATA_DIR: dirname(files.primary) };
    const { stdout } = await runCli(["keys", "add", "--role", "admin"], env);
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    const knows = async () => (await replica.call("GET", "/api/v1/calls", undefined, headers)).status === 200;
    await until(5_000, "the key is not known", knows);
    const [listed] = (await runCli(["keys", "list"], env)).stdout.trim().split("\n").slice(-1);
    await runCli(["keys", "revoke", (listed ?? "").split(/\s+/)[0] ?? ""], env);
    await until(5_000, "the revoked key still opens", async () => !(await knows()));
  }, 60_000);

  test("goes on while its primary is away, says how old it is, and catches up by itself", async () => {
    pair = await startPair();
    const { primary } = pair;
    await sendDemo(primary, 20);
    await drained(primary);
    await pair.startReplica();
    await caughtUp(pair);
    expect((await pair.replica.call("GET", "/health/ready")).status).toBe(200);
    await primary.stop("SIGKILL");
    const { replica } = pair;
    const list = () => replica.call("GET", "/api/v1/calls");
    await until(10_000, "nothing says that it is degraded", async () =>
      ((await list()).headers.get("earshot-degraded") ?? "").includes("replication"),
    );
    const first = await lagOf(replica);
    expect(await (await list()).json()).toMatchObject({ degraded: expect.arrayContaining(["replication"]) });
    await until(5_000, "the lag does not grow", async () => ((await lagOf(replica)).lag ?? 0) > (first.lag ?? 0) + 0.5);
    const ready = await replica.get<{ degraded: string[]; checks: { replication: object } }>("/health/ready");
    expect(ready.degraded).toContain("replication");
    expect(ready.checks.replication).toMatchObject({ ok: false, loading: false });
    const metrics = await (await replica.call("GET", "/metrics")).text();
    expect(Number(/^earshot_replica_lag_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(metrics).toMatch(/^earshot_degraded\{part="replication"\} 1$/m);

    // Also after a restart, without a word from the primary.
    await replica.stop();
    await pair.startReplica();
    expect((await pair.replica.call("GET", "/health/ready")).status).toBe(200);
    expect((await lagOf(pair.replica)).lag).toBeGreaterThan(0);
    expect((await pair.replica.call("GET", "/api/v1/calls")).status).toBe(200);

    await pair.startPrimary();
    await pair.primary.call("POST", "/api/v1/calls", call("later", "I am back, thank you."));
    await drained(pair.primary);
    await caughtUp(pair);
    expect(await differences(pair)).toEqual([]);
    await until(5_000, "it still says that it is degraded", async () => {
      const { headers } = await (pair as Pair).replica.call("GET", "/api/v1/calls");
      return !(headers.get("earshot-degraded") ?? "").includes("replication");
    });
  }, 90_000);

  test("streams what happens at its primary under the same seq, calls that go on too", async () => {
    pair = await startPair();
    const { primary } = pair;
    await primary.call("POST", "/api/v1/calls", call("s-1", "Good day."));
    await drained(primary);
    await pair.startReplica();
    await caughtUp(pair);
    const { replica } = pair;
    const { seq } = await lagOf(replica);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const [there, here] = [primary, replica].map((s) => new SocketClient(`${s.url}/ws/feed?after=${seq}`, headers)) as [
      SocketClient,
      SocketClient,
    ];
    await Promise.all([there.next((m) => m.type === "hello"), here.next((m) => m.type === "hello")]);
    await primary.call("POST", "/api/v1/live", { call_id: "on", agent_id: "ann", start_time: "2026-05-01T10:00:00Z" });
    const turns = [{ speaker: "customer", text: "I hate this and I am very angry." }];
    await primary.call("POST", "/api/v1/calls/on/turns", { turns });
    await here.next((m) => m.type === "live.turn");
    expect(await looked(replica)).toEqual(await looked(primary));
    await primary.call("POST", "/api/v1/calls/on/end");
    await Promise.all([here.next(enriched), there.next(enriched)]);
    expect(here.seqs()).toEqual(there.seqs());
    expect((await replica.call("GET", "/api/v1/live/on")).status).toBe(
      (await primary.call("GET", "/api/v1/live/on")).status,
    );
    expect(await replica.get("/api/v1/calls/on")).toEqual(await primary.get("/api/v1/calls/on"));
    // Turns of a call that goes on are a write, by socket as well.
    const live = new SocketClient(`${replica.url}/ws/live`, headers);
    live.ws.once("open", () => live.ws.send(JSON.stringify({ type: "start", call_id: "no", agent_id: "ann" })));
    const refused = await live.next((m) => JSON.stringify(m).includes("read_only"));
    expect(JSON.stringify(refused)).toContain(primary.url);
    for (const client of [there, here, live]) client.ws.terminate();
  }, 60_000);

  test("keeps its file from other writers, until it is made a store of its own", async () => {
    pair = await startPair();
    const { primary, files } = pair;
    await primary.call("POST", "/api/v1/calls", call("p-1", "Good day."));
    await drained(primary);
    await pair.startReplica();
    await caughtUp(pair);
    const here = { EARSHOT_DATA_DIR: dirname(files.replica), EARSHOT_MODEL_DIR: "statistical:" };
    const of = { EARSHOT_REPLICA_OF: primary.url, EARSHOT_REPLICA_KEY: ADMIN_KEY };
    expect((await runCli(["serve"], { ...here, ...of })).stderr).toContain("is for one process");
    expect((await runCli(["promote"], here)).stderr).toContain("The replica runs");
    await pair.replica.stop();
    expect(await runCli(["erase", "acme"], here)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("The database is a replica's"),
    });
    expect((await runCli(["serve"], here)).stderr).toContain("The database is a replica's");
    await primary.stop("SIGKILL");
    expect((await runCli(["promote"], here)).stderr).toContain("It is a store of its own now");
    const promoted = await startEarshot({ ...here, EARSHOT_LOG_LEVEL: "warn" });
    try {
      const repeated = await promoted.call("POST", "/api/v1/calls", call("p-1", "Good day."));
      expect([repeated.status, repeated.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
      expect((await promoted.call("POST", "/api/v1/calls", call("p-2", "Good evening."))).status).toBe(202);
      await drained(promoted);
      const { calls } = await promoted.get<{ calls: { enrichment: { state: string } }[] }>("/api/v1/calls");
      expect(calls.map(({ enrichment }) => enrichment.state)).toEqual(["degraded", "degraded"]);
    } finally {
      await promoted.stop();
    }
    // What holds calls of its own becomes no copy.
    expect((await runCli(["serve"], { ...here, ...of })).stderr).toContain("has calls of its own");
  }, 60_000);

  test.skipIf(requirement("postgres") === null)(
    "copies a primary that is on PostgreSQL",
    async () => {
      const { url, drop } = await freshDatabase();
      const env = { EARSHOT_STORE_URL: url, EARSHOT_JWT_SECRET: "a secret that all processes know for tests" };
      pair = await startPair({ env });
      try {
        await sendDemo(pair.primary, 30);
        await drained(pair.primary);
        await pair.startReplica();
        await caughtUp(pair);
        expect(await differences(pair, { searches: false })).toEqual([]);
        await pair.primary.call("DELETE", "/api/v1/calls/demo-0001");
        await pair.primary.call("PUT", "/api/v1/calls/demo-0002", call("demo-0002", "All is fine."));
        await drained(pair.primary);
        await caughtUp(pair);
        expect(await differences(pair, { nudges: false, searches: false })).toEqual([]);
      } finally {
        await pair.primary.stop("SIGKILL");
        await drop();
      }
    },
    60_000,
  );
});

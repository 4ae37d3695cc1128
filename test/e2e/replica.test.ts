/** A second Earshot with a file of its own that follows the first one by HTTP. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Pair, caughtUp, differences, drained, lagOf, sendDemo, startPair, until } from "../support/replica.ts";
import { runCli } from "../support/process.ts";

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
});

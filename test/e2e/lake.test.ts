/** The lake by the real server and the command line. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { folderObjects } from "../../src/adapters/lake/folder.ts";
import { everythingIn } from "../support/lake-calls.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const withoutDuckdb = join(import.meta.dirname, "../support/without-duckdb.ts");
const place = await temporaryFolder();
const lakeFolder = join(place.path, "lake");
const env = {
  EARSHOT_DATA_DIR: join(place.path, "data"),
  EARSHOT_MODEL_DIR: "statistical:",
  EARSHOT_LOG_LEVEL: "warn",
  EARSHOT_LAKE_URL: `file:${lakeFolder}`,
  EARSHOT_LAKE_INTERVAL: "1",
};
const objects = folderObjects(lakeFolder);

interface AgentFigures {
  readonly agent_id: string;
  readonly total_calls: number;
  readonly avg_sentiment: number;
  readonly avg_talk_ratio: number;
  readonly sentiment: { readonly n: number };
}

const callOf = (i: number) => ({
  call_id: `call-${i}`,
  agent_id: ["ann", "bob", "cleo"][i % 3],
  customer_id: i % 4 === 0 ? "erased-customer" : `customer-${i}`,
  start_time: new Date(Date.UTC(2026, 2, 1 + (i % 5), 10)).toISOString(),
  transcript: `Agent: How is it going?\nCustomer: ${i % 2 === 0 ? "I love it, canary." : "It is bad and I am angry."}\nAgent: ${"I see. ".repeat(1 + (i % 6))}`,
});

async function lake(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(["lake", ...args], env);
  if (code !== 0) throw new Error(`lake ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

describe("lake", () => {
  let earshot: Earshot;
  beforeAll(async () => {
    earshot = await startEarshot(env);
    const { status } = await earshot.call("POST", "/api/v1/calls/bulk", {
      calls: Array.from({ length: 40 }, (_, i) => callOf(i)),
    });
    expect(status).toBe(207);
  });
  afterAll(async () => {
    await earshot.stop();
    await place.cleanup();
  });

  test("the server writes what it has enriched, and SQL gives the figures of the API", async () => {
    await vi.waitFor(async () => expect(await lake("query", "SELECT count(*) AS n FROM calls")).toBe("n\n40\n"), {
      timeout: 20_000,
      interval: 300,
    });
    const agents = await earshot.get<AgentFigures[]>("/api/v1/analytics/agents");
    const answer = await lake(
      "query",
      "--json",
      `SELECT agent_id, count(*)::INT AS total_calls, count(customer_sentiment_score)::INT AS n,
        avg(customer_sentiment_score) AS sentiment, avg(agent_talk_ratio) AS talk FROM calls GROUP BY agent_id`,
    );
    const rows = answer.trim().split("\n");
    expect(rows).toHaveLength(3);
    for (const line of rows) {
      const row = JSON.parse(line) as Record<string, number | string>;
      const same = agents.find(({ agent_id }) => agent_id === row["agent_id"]);
      expect(row).toMatchObject({ total_calls: same?.total_calls, n: same?.sentiment.n });
      expect(row["sentiment"]).toBeCloseTo(same?.avg_sentiment ?? 9, 5);
      expect(row["talk"]).toBeCloseTo(same?.avg_talk_ratio ?? 9, 5);
    }
    expect(await everythingIn(objects)).not.toContain("canary");
    expect(await earshot.get("/health/ready")).toMatchObject({ checks: { lake: { ok: true } } });
  });

  test("an erased customer is in none of its files within a second or two", async () => {
    expect((await everythingIn(objects)).includes("erased-customer")).toBe(true);
    const began = performance.now();
    const { code, stderr } = await runCli(["erase", "erased-customer"], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "10 calls of customer erased-customer erased.\n" });
    const erased = performance.now();
    await vi.waitFor(async () => expect((await everythingIn(objects)).includes("erased-customer")).toBe(false), {
      timeout: 20_000,
      interval: 50,
    });
    measured(
      "a customer is erased, the lake follows",
      `10 calls of 5 days out of every file ${inSeconds(performance.now() - erased)} after the erasure, which took ` +
        `${inSeconds(erased - began)}; a write every 1 s`,
    );
    expect(await lake("query", "SELECT count(*) AS n FROM calls")).toBe("n\n30\n");
  });

  test("the commands write, compact and check beside the server, and say what is wrong", async () => {
    expect((await runCli(["lake", "write"], env)).stderr).toMatch(/^0 calls written; the lake is at event \d+\.$/m);
    expect((await runCli(["lake", "compact"], env)).stderr).toMatch(/^\d+ days? (was|were) written anew\.\n$/);
    const { code, stdout, stderr } = await runCli(["lake", "check"], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/: 30 calls in 5 files, [\d.]+ MB; nothing is wrong\.\n$/);
    expect(await runCli(["lake", "query", "SELECT nothing FROM calls"], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"nothing" not found') as string,
    });
  });

  test("without DuckDB a command and a server end at once and say how to get it", async () => {
    const other = { ...env, EARSHOT_DATA_DIR: join(place.path, "other") };
    for (const args of [["lake", "query", "SELECT 1"], ["serve"]]) {
      const { code, stderr } = await runCli(args, other, "", withoutDuckdb);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr:
          "earshot: The lake needs DuckDB, which is not installed here: npm install --no-save @duckdb/node-api@1.5.6-r.1\n",
      });
    }
  });
});

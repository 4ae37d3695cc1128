/** The README, followed as a newcomer would: `demo` starts, and every curl line does what the text beside it says. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { modelDir } from "../support/model.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";

const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
/** The commands of the `sh` blocks, one each, comments dropped. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => (block ?? "").split(/\n\s*\n/))
  .map((c) => c.replaceAll(/^#.*\n/gm, "").trim())
  .filter((c) => c.startsWith("curl"));

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: Earshot;

beforeAll(async () => {
  place = await temporaryFolder();
  const model = await modelDir();
  await mkdir(join(place.path, "models"));
  await symlink(model, join(place.path, "models", basename(model)));
  // An empty key counts as unset: the demo makes its own, as it does for a newcomer.
  demo = await startEarshot({ EARSHOT_DATA_DIR: place.path, EARSHOT_ADMIN_KEY: "", EARSHOT_LOG_LEVEL: "warn" }, [
    "demo",
  ]);
  await vi.waitFor(
    () => {
      if (!demo.stdout().includes("Ctrl-C")) throw new Error("not ready");
    },
    { timeout: 100_000, interval: 100 },
  );
});

afterAll(async () => {
  await demo.stop("SIGKILL");
  await place.cleanup();
});

async function sh(command: string): Promise<Record<string, unknown> & unknown[]> {
  const here = command.replaceAll("http://127.0.0.1:8000", demo.url);
  const key = (await readFile(join(place.path, "admin.key"), "utf8")).trim();
  const { stdout } = await promisify(execFile)("bash", ["-c", here], { env: { ...process.env, KEY: key } });
  return JSON.parse(stdout) as Record<string, unknown> & unknown[];
}

const line = (part: string): string => {
  const found = commands.find((c) => c.includes(part));
  if (found === undefined) throw new Error(`the README has no command with ${part}`);
  return found;
};

test("there are seven commands, and none answers with a problem", async () => {
  expect(commands).toHaveLength(7);
  for (const command of commands) {
    const answer = await sh(command);
    expect([command, answer["type"]]).toEqual([command, undefined]);
    expect([command, answer["errors"]]).toEqual([command, undefined]);
  }
});

test("calls that went badly, newest first", async () => {
  const { calls } = (await sh(line("max_sentiment"))) as unknown as {
    calls: { customer_sentiment_score: number; start_time: string }[];
  };
  expect(calls).toHaveLength(3);
  for (const c of calls) expect(c.customer_sentiment_score).toBeLessThanOrEqual(-0.2);
  expect(calls.map((c) => c.start_time)).toEqual(
    calls
      .map((c) => c.start_time)
      .toSorted()
      .toReversed(),
  );
});

test("five similar calls and three nudges with their turns", async () => {
  const answer = await sh(line("/recommendations"));
  expect(answer["similar_calls"]).toHaveLength(5);
  expect(answer["coaching_nudges"]).toHaveLength(3);
  for (const nudge of answer["nudges"] as { evidence: string[] }[]) expect(nudge.evidence.length).toBeGreaterThan(0);
});

test("agents, best first", async () => {
  const agents = (await sh(line("/analytics/agents"))) as unknown as { avg_sentiment: number; total_calls: number }[];
  expect(agents.length).toBeGreaterThan(5);
  expect(agents.reduce((n, a) => n + a.total_calls, 0)).toBeGreaterThanOrEqual(240);
  expect(agents.map((a) => a.avg_sentiment)).toEqual(agents.map((a) => a.avg_sentiment).toSorted((a, b) => b - a));
});

test("search by meaning finds what is said in other words", async () => {
  const { results } = (await sh(line("mode=semantic"))) as unknown as { results: { text: string }[] };
  expect(results).toHaveLength(3);
  expect(results.map((r) => r.text).join(" ")).toMatch(/budget|expensive|price|cost|money|afford|cheaper|pay/i);
});

test("the call that was sent is enriched, and its customer is unhappy", async () => {
  await sh(line("-X POST"));
  await vi.waitFor(
    async () => {
      const call = await sh(line("calls/crm-4711"));
      if ((call["enrichment"] as { state: string }).state !== "enriched") throw new Error("not yet");
      expect(call["customer_sentiment_score"]).toBeLessThan(-0.2);
    },
    { timeout: 20_000, interval: 50 },
  );
});

test("a signal ends the demo cleanly", async () => {
  expect(await demo.stop("SIGTERM")).toEqual([0, null]);
});

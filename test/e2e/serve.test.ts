import { mkdir, rename, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { generateDemo } from "../../src/demo/generate.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const model = await modelDir();
const bodies = generateDemo({ seed: 7, now: Date.UTC(2026, 5, 1), calls: 60 }).map((d) => d.call);
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function folder(): Promise<string> {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  return path;
}

async function serve(env: Record<string, string>): Promise<Earshot> {
  const earshot = await startEarshot({ EARSHOT_LOG_LEVEL: "warn", ...env });
  undo.push(() => earshot.stop("SIGKILL"));
  return earshot;
}

interface Call {
  customer_sentiment_score: number | null;
  enrichment: { state: string; method: string; revision: number };
}

/** Resolves with the call once `done` holds for it. */
async function until(earshot: Earshot, call_id: string, done: (call: Call) => boolean): Promise<Call> {
  return vi.waitFor(
    async () => {
      const call = await earshot.get<Call>(`/api/v1/calls/${call_id}`);
      if (!done(call)) throw new Error(`still ${JSON.stringify(call.enrichment)}`);
      return call;
    },
    { timeout: 60_000, interval: 50 },
  );
}

async function idle(earshot: Earshot, calls: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { total } = await earshot.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1");
      if (total !== calls) throw new Error(`${total} of ${calls} enriched`);
    },
    { timeout: 90_000, interval: 100 },
  );
}

describe("one process", () => {
  test("a posted call is enriched by the model; SIGTERM ends cleanly and nothing is sent home", async () => {
    const home = await folder();
    const data = await folder();
    const earshot = await serve({ EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: model, HOME: home });
    const posted = await earshot.call("POST", "/api/v1/calls", bodies[0]);
    expect(posted.status).toBe(202);
    const call = await until(earshot, bodies[0]?.call_id ?? "", (c) => c.enrichment.state === "enriched");
    expect(call.enrichment.method).toBe("model");
    expect(call.customer_sentiment_score).toBeTypeOf("number");
    const [code, signal] = await earshot.stop();
    expect([code, signal]).toEqual([0, null]);
    // onnxruntime keeps what it would send in a database under the home folder.
    expect(existsSync(join(home, ".cache"))).toBe(false);
  });

  test("kill -9 in the middle of enrichment: after a restart every call is enriched, exactly once in effect", async () => {
    const data = await folder();
    const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: model };
    let earshot = await serve(env);
    expect((await earshot.call("POST", "/api/v1/calls/bulk", { calls: bodies })).status).toBe(207);
    await vi.waitFor(
      async () => {
        const { total } = await earshot.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1");
        if (total === 0) throw new Error("none yet");
      },
      { timeout: 60_000, interval: 20 },
    );
    await earshot.stop("SIGKILL");
    earshot = await serve(env);
    // Leases of the killed worker run out by themselves; a restart of the same store need not wait for that.
    await idle(earshot, bodies.length);
    const { events } = await earshot.get<{ events: { type: string; call_id: string }[] }>(
      "/api/v1/events?after=0&limit=1000",
    );
    const saves = events.filter((e) => e.type === "call.enriched").map((e) => e.call_id);
    expect(saves.toSorted()).toEqual(bodies.map((b) => b.call_id).toSorted());
    const agents = await earshot.get<{ total_calls: number; sentiment: { n: number } }[]>("/api/v1/analytics/agents");
    expect(agents.reduce((n, a) => n + a.total_calls, 0)).toBe(bodies.length);
    expect(agents.reduce((n, a) => n + a.sentiment.n, 0)).toBe(bodies.length);
  }, 180_000);

  test("without a model calls are degraded and say so; when it appears they are enriched again by themselves", async () => {
    const data = await folder();
    const place = join(await folder(), "model");
    const earshot = await serve({ EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: place });
    await earshot.call("POST", "/api/v1/calls", bodies[1]);
    const id = bodies[1]?.call_id ?? "";
    const degraded = await until(earshot, id, (c) => c.enrichment.state === "degraded");
    expect(degraded.enrichment.method).toBe("statistical");
    const read = await earshot.call("GET", `/api/v1/calls/${id}`);
    expect(read.headers.get("earshot-degraded")).toBe("models");
    expect(await earshot.get("/health/ready")).toMatchObject({ status: "degraded", degraded: ["models"] });

    await mkdir(dirname(place), { recursive: true });
    await symlink(model, `${place}.new`);
    await rename(`${place}.new`, place);
    const again = await until(earshot, id, (c) => c.enrichment.state === "enriched");
    expect(again.enrichment).toMatchObject({ method: "model", revision: degraded.enrichment.revision });
  }, 90_000);

  test("an import beside a running server is enriched, indexed and told by it", async () => {
    const data = await folder();
    const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: model };
    const earshot = await serve(env);
    const some = bodies.slice(0, 12);
    const imported = await runCli(
      ["import", "-", "--format", "ndjson"],
      env,
      some.map((b) => JSON.stringify(b)).join("\n"),
    );
    expect(imported.stderr).toContain("12");
    expect(imported.code).toBe(0);
    await idle(earshot, some.length);
    await vi.waitFor(
      async () => {
        const { similar_calls } = await earshot.get<{ similar_calls: unknown[] }>(
          `/api/v1/calls/${some[0]?.call_id}/recommendations`,
        );
        if (similar_calls.length < 5) throw new Error(`${similar_calls.length} similar calls`);
      },
      { timeout: 20_000, interval: 50 },
    );
    const again = await runCli(
      ["import", "-", "--format", "ndjson"],
      env,
      some.map((b) => JSON.stringify(b)).join("\n"),
    );
    expect(again.code).toBe(0);
    expect(await earshot.get("/api/v1/calls?limit=1")).toMatchObject({ total: some.length });
  });
});

/** The real server with Redis down at the start, killed and silent: calls are taken, events come, and it says so. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";

const program = requirement("redis");

const PARTS = ["stream", "dispatch", "cache"] as const;

interface Ready {
  readonly status: string;
  readonly degraded: readonly string[];
  readonly checks: Readonly<Record<(typeof PARTS)[number], { readonly ok: boolean }>>;
}

const says = (earshot: Earshot, degraded: boolean) =>
  vi.waitFor(
    async () => {
      const ready = await earshot.get<Ready>("/health/ready");
      expect(PARTS.map((part) => ready.degraded.includes(part))).toEqual(PARTS.map(() => degraded));
      expect(PARTS.map((part) => ready.checks[part].ok)).toEqual(PARTS.map(() => !degraded));
      const metrics = await (await earshot.call("GET", "/metrics")).text();
      expect(metrics).toMatch(/^earshot_dispatch_notices \d+$/m);
      for (const part of PARTS) expect(metrics).toContain(`earshot_degraded{part="${part}"} ${degraded ? 1 : 0}`);
      // Whatever is away, figures are answered, and say on what they had to do without.
      const figures = await earshot.call("GET", "/api/v1/analytics/agents");
      expect(figures.status).toBe(200);
      expect(figures.headers.get("earshot-degraded")).toBe(degraded ? "models, cache" : "models");
    },
    { timeout: 15_000, interval: 50 },
  );

describe.skipIf(program === null)("Redis away", () => {
  let server: RedisServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sent: number;
  beforeEach(async () => {
    server = await startRedis(program as string);
    folder = await temporaryFolder();
    sent = 0;
  });
  afterEach(async () => {
    await server.close();
    await folder.cleanup();
  });

  const serve = (role: string) =>
    startEarshot(
      {
        EARSHOT_DATA_DIR: folder.path,
        EARSHOT_MODEL_DIR: "statistical:",
        EARSHOT_STREAM_URL: server.url,
        EARSHOT_DISPATCH_URL: server.url,
        EARSHOT_CACHE_URL: server.url,
      },
      ["serve", "--role", role],
    );

  /** A call is acknowledged, enriched by whoever works, and its sentiment comes through the socket. `late`: whether it says so. */
  async function goesOn(earshot: Earshot, late?: boolean): Promise<void> {
    const call_id = `c${sent++}`;
    const began = performance.now();
    const response = await earshot.call("POST", "/api/v1/calls", {
      call_id,
      transcript: "Agent: Hello.\nCustomer: I am really happy with this, thank you.",
    });
    expect(response.status).toBe(202);
    if (late !== undefined) expect(response.headers.get("earshot-degraded")).toBe(late ? "dispatch" : null);
    expect(performance.now() - began).toBeLessThan(3_000);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const ws = new WebSocket(`${earshot.url.replace("http", "ws")}/ws/sentiment/${call_id}`, { headers });
    await new Promise<void>((resolve, reject) => {
      ws.on("error", reject);
      ws.on("close", (code) => reject(new Error(`closed with ${code}`)));
      ws.on("message", (data: Buffer) => {
        if ((JSON.parse(data.toString("utf8")) as { type: string }).type === "complete") resolve();
      });
    });
    ws.terminate();
  }

  test("down at the start and killed later, with a worker of its own: 202 goes on, and it comes back by itself", async () => {
    await server.kill();
    const api = await serve("api,realtime");
    const worker = await serve("worker");
    try {
      await goesOn(api);
      await says(api, true);
      await server.start();
      await says(api, false);
      await goesOn(api, false);
      await server.kill();
      await goesOn(api);
      await says(api, true);
      await goesOn(api, true);
      await server.start();
      await says(api, false);
      await goesOn(api);
    } finally {
      expect(await worker.stop()).toEqual([0, null]);
      expect(await api.stop()).toEqual([0, null]);
    }
    for (const { stderr } of [api, worker]) expect(stderr()).not.toMatch(/unhandled|uncaught|TypeError/i);
  }, 120_000);

  test("silent: 202 goes on, and a shutdown does not wait for it", async () => {
    const earshot = await serve("all");
    await says(earshot, false);
    server.freeze();
    await goesOn(earshot);
    await says(earshot, true);
    await goesOn(earshot);
    const began = performance.now();
    expect(await earshot.stop()).toEqual([0, null]);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(earshot.stderr()).not.toMatch(/unhandled|uncaught|TypeError/i);
    server.resume();
  }, 120_000);
});

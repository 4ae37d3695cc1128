/** Real processes on a real Redis Cluster whose masters are killed: nothing acknowledged stays without its figures. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { random } from "../support/call-rows.ts";
import { feedClients } from "../support/feed-clients.ts";
import { undone } from "../support/ledger.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { requirement } from "../support/requirements.ts";
import { LONG } from "../support/tier.ts";

const program = requirement("redis");
const cluster = program === null ? null : await startRedisCluster(program);
afterAll(() => cluster?.close());
const ROUNDS = LONG ? 6 : 1;

describe.skipIf(cluster === null)("a Redis cluster under two processes", () => {
  test(`masters killed under load, ${ROUNDS} times: the feed is whole, every call acknowledged is enriched`, async () => {
    if (cluster === null) return;
    const { path, cleanup } = await temporaryFolder();
    const serve = (role: string): Promise<Earshot> =>
      startEarshot(
        {
          EARSHOT_DATA_DIR: path,
          EARSHOT_MODEL_DIR: "statistical:",
          EARSHOT_LOG_LEVEL: "error",
          EARSHOT_STREAM_URL: cluster.url,
          EARSHOT_DISPATCH_URL: cluster.url,
          EARSHOT_CACHE_URL: cluster.url,
        },
        ["serve", "--role", role],
      );
    const api = await serve("api,realtime");
    const worker = await serve("worker");
    const ready = () =>
      vi.waitFor(
        async () => expect((await api.get<{ degraded: string[] }>("/health/ready")).degraded).toEqual(["models"]),
        { timeout: 20_000, interval: 50 },
      );
    const followers = feedClients(api.url, 3, [ADMIN_KEY]);
    await followers.connected;
    await ready();
    const next = random(7);
    let loading = true;
    let acknowledged = 0;
    const sending = (async () => {
      while (loading) {
        const transcript = "Agent: Hello.\nCustomer: I am really happy with this, thank you.";
        const { status } = await api.call("POST", "/api/v1/calls", { call_id: `c${acknowledged}`, transcript });
        expect(status).toBe(202);
        acknowledged++;
        await pause(next() * 20);
      }
    })();
    for (let round = 0; round < ROUNDS; round++) {
      await pause(200 + next() * 300);
      // Any master: which part it carries is chance.
      const master = await cluster.masterOf(`round-${round}`);
      await master.kill();
      await cluster.failedOver();
      await master.start();
      await cluster.whole();
    }
    await ready();
    loading = false;
    await sending;
    const began = performance.now();
    await vi.waitFor(async () => expect(await undone(join(path, "earshot.db"), { model: false })).toEqual([]), {
      timeout: 20_000,
      interval: 50,
    });
    const took = performance.now() - began;
    // Each call is accepted and enriched: two events.
    await followers.reach(2 * acknowledged);
    expect(followers.wrong).toEqual([]);
    followers.stop();
    measured(
      "a master of a Redis cluster killed",
      `${ROUNDS}x under two processes: ${acknowledged} acknowledged, all enriched ${inSeconds(took)} after the load, ${followers.messages()} events to three clients, each once and in order`,
    );
    for (const process of [worker, api]) {
      expect(await process.stop()).toEqual([0, null]);
      expect(process.stderr()).not.toMatch(/unhandled|uncaught|TypeError/i);
    }
    await cleanup();
  }, 300_000);
});

/** `earshot move` beside a server under load, killed in the middle: every acknowledged call is at the target. */
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { random } from "../support/call-rows.ts";
import { Ledger, undone } from "../support/ledger.ts";
import { load } from "../support/load.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { ask, freshDatabase } from "../support/postgres-server.ts";
import { expectWhole, openQuietPostgres } from "../support/postgres-suite.ts";
import { runCli, startCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { aCall, openQuiet } from "../support/sqlite-store.ts";
import { LONG } from "../support/tier.ts";

const KILLS = LONG ? 10 : 2;
const STORED = LONG ? 20_000 : 2_000;
const ROW = "`earshot move` killed under load";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** How many parts the target has; none while there is no table of them. */
async function partsThere(url: string): Promise<number> {
  const [row] = await ask<{ there: boolean }>(url, "SELECT to_regclass('store_move_parts') IS NOT NULL AS there");
  if (row?.there !== true) return 0;
  return (await ask<{ n: number }>(url, "SELECT count(*)::int AS n FROM store_move_parts"))[0]?.n ?? 0;
}

describe.skipIf(requirement("postgres") === null)("moving a store under load", () => {
  test(
    `killed ${KILLS} times it goes on; nothing acknowledged is lost, and the old store refuses writes`,
    async () => {
      const { url, drop } = await freshDatabase();
      undo.push(drop);
      const { path, cleanup } = await temporaryFolder();
      undo.push(cleanup);
      const env = { EARSHOT_DATA_DIR: path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "silent" };
      const ledger = new Ledger();
      const before = await openQuiet(`${path}/earshot.db`);
      for (let i = 0; i < STORED; i += 1_000) {
        const ids = Array.from({ length: 1_000 }, (_, k) => `stored-${i + k}`);
        const results = await before.calls.accept(
          ids.map((id) => aCall(id, {}, ["I love this plan, it works.", "That is far too expensive for us."])),
          1,
        );
        for (const id of ids) ledger.sending(id, "accept");
        for (const [k, id] of ids.entries()) if (results[k]?.status === "accepted") ledger.acknowledge(id, 1);
      }
      await before.close();
      const server = await startEarshot(env);
      undo.push(() => server.stop("SIGKILL"));
      const loading = load(server, {
        ledger,
        random: random(7),
        lanes: 8,
        rate: 200,
        name: "new",
        storeMayGo: true,
      });
      const next = random(13);
      const killedAt: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const known = await partsThere(url);
        const move = startCli(["move", "--to", url], env);
        await vi.waitFor(async () => expect(await partsThere(url)).toBeGreaterThan(known), {
          timeout: 60_000,
          interval: 10,
        });
        await pause(next() * 200);
        move.kill("SIGKILL");
        const { code } = await move.ended;
        expect(code).toBeNull();
        killedAt.push(await partsThere(url));
      }
      const started = performance.now();
      const moved = await runCli(["move", "--to", url], env);
      expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining("The same.")]);
      const took = performance.now() - started;
      // It ends where the store refuses.
      await loading;

      const refused = await server.call("POST", "/api/v1/calls", { agent_id: "ann", transcript: "Agent: Too late." });
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "30"]);
      const { detail } = (await refused.json()) as { detail: string };
      expect(detail).toMatch(
        /^The calls were moved to PostgreSQL 127\.0\.0\.1:\d+\/t_\w+: set EARSHOT_STORE_URL to it/,
      );
      expect((await server.call("GET", "/api/v1/calls?limit=1")).status).toBe(200);
      const ready = await server.get<{ degraded: string[]; checks: object }>("/health/ready");
      expect(ready.degraded).toContain("store");
      expect(ready.checks).toMatchObject({ store: { ok: false, writable: false } });
      await expect(startEarshot(env)).rejects.toThrow("were moved to PostgreSQL");
      await server.stop();

      const wrong = await ledger.compare(url);
      const there = {
        ...env,
        EARSHOT_STORE_URL: url,
        EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
      };
      const successor = await startEarshot(there);
      undo.push(() => successor.stop("SIGKILL"));
      await vi.waitFor(async () => expect(await ask(url, "SELECT 1 FROM work LIMIT 1")).toEqual([]), {
        timeout: 120_000,
        interval: 250,
      });
      expect([...wrong, ...(await ledger.compare(url)), ...(await undone(url, { model: false }))]).toEqual([]);
      expect(
        (await successor.call("POST", "/api/v1/calls", { agent_id: "ann", transcript: "Agent: In time." })).status,
      ).toBe(202);
      await successor.stop();
      const store = await openQuietPostgres(url);
      const rebuilt = await store.rollups.rebuild(() => undefined);
      await store.close();
      expect(rebuilt).toMatchObject({ drifted: 0 });
      await expectWhole(url);
      const frozen = /without writes (\d+\.\d) s/.exec(moved.stderr)?.[1];
      measured(
        ROW,
        `${KILLS} kills at ${killedAt.join(", ")} parts; ${ledger.acknowledged} writes acknowledged, ${wrong.length} wrong; the rest in ${inSeconds(took)}, writes refused for ${frozen} s`,
      );
    },
    120_000 + KILLS * 30_000,
  );
});

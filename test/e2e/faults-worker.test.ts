/** A worker process of its own, killed in the middle of enrichment, again and again. One kill: serve.test.ts. */
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { generateDemo } from "../../src/demo/generate.ts";
import { undone } from "../support/ledger.ts";
import { measured } from "../support/measured.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { LONG } from "../support/tier.ts";

const KILLS = 20;
const CALLS = 300;

describe.skipIf(!LONG)("npm run test:faults", () => {
  test(`${KILLS} kills of the worker: every call is enriched, exactly once in effect`, async () => {
    const { path, cleanup } = await temporaryFolder();
    const env = { EARSHOT_DATA_DIR: path, EARSHOT_MODEL_DIR: await modelDir(), EARSHOT_LOG_LEVEL: "error" };
    const api = await startEarshot({ ...env, EARSHOT_MODEL_DIR: "statistical:" }, ["serve", "--role", "api,realtime"]);
    let worker: Earshot | null = null;
    const db = openForReading(join(path, "earshot.db"));
    const count = (sql: string) => (db.prepare(sql).get() as { n: number }).n;
    const saved = () => count("SELECT count(*) AS n FROM events WHERE type = 'call.enriched'");
    try {
      const calls = generateDemo({ seed: 11, now: Date.UTC(2026, 5, 1), calls: CALLS }).map((d) => d.call);
      expect((await api.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
      let kills = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = saved();
        worker = await startEarshot(env, ["serve", "--role", "worker"]);
        // It has saved a batch and holds others; leases of those killed before may have to run out first.
        await vi.waitFor(
          () => {
            const running = count("SELECT count(*) AS n FROM work WHERE state = 'running'");
            if (saved() === before || running === 0) throw new Error(`${running} running, ${saved() - before} saved`);
          },
          { timeout: 60_000, interval: 5 },
        );
        await worker.stop("SIGKILL");
        kills = kill;
        console.log(`kill ${kill}/${KILLS}: ${saved() - before} saved, ${saved()} of ${CALLS} in all`);
        if (saved() > CALLS - 30) break;
      }
      worker = await startEarshot(env, ["serve", "--role", "worker"]);
      await vi.waitFor(() => expect(count("SELECT count(*) AS n FROM work")).toBe(0), {
        timeout: 180_000,
        interval: 200,
      });
      expect(saved()).toBe(CALLS);
      expect(await undone(join(path, "earshot.db"), { model: true })).toEqual([]);
      const agents = await api.get<{ total_calls: number; sentiment: { n: number } }[]>("/api/v1/analytics/agents");
      expect(agents.reduce((n, a) => n + a.total_calls, 0)).toBe(CALLS);
      expect(agents.reduce((n, a) => n + a.sentiment.n, 0)).toBe(CALLS);
      measured("worker killed", `${kills} kills: ${saved()} of ${CALLS} calls enriched, none twice`);
    } finally {
      db.close();
      await worker?.stop("SIGKILL");
      await api.stop();
      await cleanup();
    }
  }, 600_000);
});

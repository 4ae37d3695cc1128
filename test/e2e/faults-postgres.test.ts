/** Two API processes and two workers on one PostgreSQL: kill -9 of the ones, the others, and of the database in turn. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { random } from "../support/call-rows.ts";
import { openEye } from "../support/eye.ts";
import { Ledger, undone } from "../support/ledger.ts";
import { load, sendAgain } from "../support/load.ts";
import { measured } from "../support/measured.ts";
import { ask, startPostgres, stopPostgres } from "../support/postgres-server.ts";
import { expectWhole, openQuietPostgres } from "../support/postgres-suite.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { ROUNDS } from "../support/tier.ts";

const KILLS = Math.max(3, Math.ceil(ROUNDS / 8));
const VICTIMS = ["both API processes", "the database", "both workers"] as const;

describe.skipIf(requirement("postgres") === null)("kill -9 under load, on PostgreSQL", () => {
  test(
    `${KILLS} times: nothing acknowledged is lost, doubled or half enriched`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "earshot-server-"));
      chmodSync(folder, 0o755);
      const { path, cleanup } = await temporaryFolder();
      const database = await startPostgres(join(folder, "postgres"));
      await ask(database.url("postgres"), "CREATE DATABASE earshot");
      const url = database.url("earshot");
      const env = {
        EARSHOT_DATA_DIR: path,
        EARSHOT_STORE_URL: url,
        EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
        EARSHOT_MODEL_DIR: "statistical:",
        EARSHOT_LOG_LEVEL: "silent",
      };
      const two = (role: string) => {
        const start = () => startEarshot(env, ["serve", "--role", role]);
        return Promise.all([start(), start()]);
      };
      const servers: Earshot[] = await two("api");
      const workers: Earshot[] = await two("worker");
      const next = random(KILLS);
      const ledger = new Ledger();
      const wrong: string[] = [];
      try {
        for (let round = 0; round < KILLS; round++) {
          const victim = VICTIMS[round % VICTIMS.length];
          const before = ledger.acknowledged;
          const enough = new AbortController();
          const loading = servers.map((server, s) =>
            load(server, {
              ledger,
              random: random(100 * s + round),
              lanes: 12,
              rate: 400,
              name: `${s}-${round}`,
              storeMayGo: true,
              until: enough.signal,
            }),
          );
          await pause(300 + next() * 700);
          if (victim === "the database") database.stop("immediate");
          else {
            // One after the other, so that the second goes on for a moment beside what the dead one held.
            for (const process of victim === "both workers" ? workers : servers) await process.stop("SIGKILL");
          }
          enough.abort();
          await Promise.all(loading);
          if (victim === "the database") await database.start();
          else if (victim === "both workers") workers.splice(0, 2, ...(await two("worker")));
          else servers.splice(0, 2, ...(await two("api")));
          const found = await ledger.compare(url);
          wrong.push(...found);
          const again = ledger.doubtful("accept");
          await Promise.all(again.map((id, i) => sendAgain(servers[i % 2] as Earshot, ledger, id)));
          console.log(
            `${round + 1}/${KILLS} ${victim}: ${ledger.acknowledged - before} acknowledged, ${again.length} sent again, ${found.length} wrong`,
          );
        }
        wrong.push(...(await ledger.compare(url)));
        await vi.waitFor(
          async () => {
            const eye = await openEye(url);
            const [left] = await eye.all<{ n: number }>("SELECT count(*) AS n FROM work");
            await eye.close();
            expect(left).toEqual({ n: 0 });
          },
          { timeout: 120_000, interval: 250 },
        );
        expect([...wrong, ...(await ledger.compare(url)), ...(await undone(url, { model: false }))]).toEqual([]);
        expect(ledger.acknowledged).toBeGreaterThan(KILLS * 10);
        const store = await openQuietPostgres(url);
        const rebuilt = await store.rollups.rebuild(() => undefined);
        await store.close();
        expect(rebuilt).toMatchObject({ drifted: 0 });
        await expectWhole(url);
        measured(
          "PostgreSQL, kill -9",
          `two API processes and two workers, ${KILLS} rounds, killed in turn: API, database, workers: ` +
            `${ledger.acknowledged} acknowledged, ${wrong.length} wrong, sums equal a recount`,
        );
      } finally {
        await Promise.all([...servers, ...workers].map((process) => process.stop("SIGKILL")));
        stopPostgres(join(folder, "postgres"));
        rmSync(folder, { recursive: true, force: true });
        await cleanup();
      }
    },
    120_000 + KILLS * 20_000,
  );
});

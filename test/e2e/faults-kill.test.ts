/** kill -9 of the real server at random moments under load; EARSHOT_TEST_ROUNDS says how often (20). */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { random } from "../support/call-rows.ts";
import { Ledger, undone } from "../support/ledger.ts";
import { load, sendAgain } from "../support/load.ts";
import { measured } from "../support/measured.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { aCall, openQuiet } from "../support/sqlite-store.ts";
import { ROUNDS } from "../support/tier.ts";

const model = await modelDir();

interface Ready {
  readonly checks: {
    readonly queue: { readonly ready: number; readonly running: number };
    readonly models: { readonly ok: boolean };
    readonly index: { readonly rows: { readonly call: number } };
  };
}

interface Plan {
  readonly name: string;
  readonly modelFolder: string;
  readonly rounds: number;
  readonly lanes: number;
  readonly rate: number;
}

/** Kills and starts again; then lets all work be done. The ledger, and what was wrong at any time. */
async function killUnderLoad(data: string, plan: Plan): Promise<{ ledger: Ledger; wrong: string[] }> {
  const { name, rounds, lanes, rate } = plan;
  const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: plan.modelFolder, EARSHOT_LOG_LEVEL: "error" };
  const path = join(data, "earshot.db");
  const next = random(rounds);
  const ledger = new Ledger();
  const wrong: string[] = [];
  let earshot = await startEarshot(env);
  try {
    for (let round = 1; round <= rounds; round++) {
      const before = ledger.acknowledged;
      const began = performance.now();
      const loading = load(earshot, { ledger, random: random(1000 + round), lanes, rate, name: `${name}${round}` });
      await pause(150 + next() * 600);
      await earshot.stop("SIGKILL");
      const seconds = (performance.now() - began) / 1000;
      await loading;
      earshot = await startEarshot(env);
      const found = await ledger.compare(path);
      wrong.push(...found);
      const again = ledger.doubtful("accept");
      await Promise.all(again.map((call_id) => sendAgain(earshot, ledger, call_id)));
      const acknowledged = ledger.acknowledged - before;
      console.log(
        `${name} ${round}/${rounds}: killed after ${seconds.toFixed(2)} s, ${acknowledged} acknowledged ` +
          `(${Math.round(acknowledged / seconds)}/s), ${again.length} sent again, ${found.length} wrong`,
      );
    }
    wrong.push(...(await ledger.compare(path)));
    await drained(earshot, ledger, plan.modelFolder !== "statistical:");
  } finally {
    await earshot.stop();
  }
  return { ledger, wrong: [...wrong, ...(await ledger.compare(path))] };
}

async function drained(earshot: Earshot, ledger: Ledger, byModel: boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      const { checks } = await earshot.get<Ready>("/health/ready");
      const rows = byModel ? ledger.alive : 0;
      const left = { ready: checks.queue.ready, running: checks.queue.running, rows: checks.index.rows.call };
      expect(left).toEqual({ ready: 0, running: 0, rows });
    },
    { timeout: 120_000 + ROUNDS * 2_000, interval: 250 },
  );
}

test("the ledger finds what is lost, what nobody sent, and what was changed unasked", async () => {
  const { path, cleanup } = await temporaryFolder();
  const db = join(path, "earshot.db");
  const store = await openQuiet(db);
  await store.calls.accept([aCall("kept"), aCall("unknown"), aCall("changed")], 1);
  await store.calls.replace(aCall("changed"), 1);
  await store.close();
  const ledger = new Ledger();
  for (const call_id of ["kept", "lost", "changed"]) ledger.acknowledge(call_id, 1);
  ledger.sending("in doubt", "accept");
  expect(await ledger.compare(db)).toEqual([
    "lost: revision null, acknowledged 1, in doubt null",
    "changed: revision 2, acknowledged 1, in doubt null",
    "unknown was never sent",
  ]);
  expect(ledger.doubtful("accept")).toEqual(["in doubt"]);
  expect(await undone(db, { model: false })).toContain("work: 3, not 0");
  await cleanup();
});

describe.concurrent("kill -9 under load", () => {
  test.each([
    { name: "words", modelFolder: "statistical:", rounds: ROUNDS, lanes: 24, rate: 1_200 },
    { name: "model", modelFolder: model, rounds: Math.ceil(ROUNDS / 10), lanes: 6, rate: 150 },
  ])(
    "$name, $rounds times: nothing acknowledged is lost, doubled or half enriched",
    async (plan) => {
      const { path, cleanup } = await temporaryFolder();
      const data = join(path, "data");
      try {
        const { ledger, wrong } = await killUnderLoad(data, plan);
        expect(wrong).toEqual([]);
        expect(ledger.acknowledged).toBeGreaterThan(plan.rounds * 10);
        const db = join(data, "earshot.db");
        expect(await undone(db, { model: plan.modelFolder !== "statistical:" })).toEqual([]);
        const store = await openQuiet(db);
        const rebuilt = await store.rollups.rebuild(() => undefined);
        await store.close();
        expect(rebuilt).toMatchObject({ drifted: 0 });
        measured(
          "kill -9 under load",
          `${plan.name}, ${plan.rounds} kills: ${ledger.acknowledged} writes acknowledged, ${wrong.length} wrong, ` +
            `sums differ from a recount in ${rebuilt.drifted} places`,
        );
      } finally {
        await cleanup();
      }
    },
    300_000 + ROUNDS * 10_000,
  );
});

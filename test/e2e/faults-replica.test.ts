/** A replica that is killed while it loads and while it follows, and a primary that goes and comes: both end up equal. */
import { copyFileSync, rmSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { Ledger } from "../support/ledger.ts";
import { load } from "../support/load.ts";
import { inSeconds, measured } from "../support/measured.ts";
import {
  type Pair,
  callsIn,
  caughtUp,
  differences,
  differingTables,
  drained,
  sendDemo,
  startPair,
  until,
} from "../support/replica.ts";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { random } from "../../src/demo/random.ts";
import { LONG } from "../support/tier.ts";

const CALLS = LONG ? 4_000 : 400;
const KILLS = LONG ? 8 : 1;

let pair: Pair | null = null;
afterEach(async () => {
  await pair?.close();
  pair = null;
});

async function equal(of: Pair): Promise<void> {
  await drained(of.primary);
  await caughtUp(of);
  // Its last step may be of a moment ago.
  await until(
    10_000,
    `these tables differ: ${differingTables(of).join(", ")}`,
    async () => differingTables(of).length === 0,
  );
  expect(await differences(of, { nudges: false })).toEqual([]);
}

describe("faults of a replica", () => {
  test(
    `killed while it loads ${CALLS} calls and while it follows, ${KILLS === 1 ? "once" : `${KILLS} times`} each`,
    async () => {
      pair = await startPair();
      const { primary, files } = pair;
      for (let sent = 0; sent < CALLS; sent += 200) await sendDemo(primary, 200, 100 + sent, `d${sent}`);
      await drained(primary);
      const all = callsIn(files.primary);
      let before = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        const enough = Math.max(before + 1, Math.floor((all * kill) / (KILLS + 2)));
        await pair.startReplica();
        await until(30_000, "it does not load", async () => callsIn(files.replica) >= enough);
        await pair.replica.stop("SIGKILL");
        const kept = callsIn(files.replica);
        // It goes on where it was.
        expect(kept).toBeGreaterThanOrEqual(enough);
        expect(kept).toBeLessThan(all);
        before = kept;
      }
      const left = all - before;
      await pair.startReplica();
      const began = performance.now();
      await caughtUp(pair);
      const rest = performance.now() - began;
      await equal(pair);

      const ledger = new Ledger();
      const drawn = random(11);
      const rate = LONG ? 60 : 40;
      const writing = load(primary, { ledger, random: () => drawn.next(), lanes: 4, name: "f", rate });
      let longest = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const enough = ledger.acknowledged + (LONG ? 200 : 40);
        await until(60_000, "nothing is written", async () => ledger.acknowledged >= enough);
        await pair.replica.stop("SIGKILL");
        await pair.startReplica();
        const up = performance.now();
        await caughtUp(pair);
        longest = Math.max(longest, performance.now() - up);
      }
      await primary.stop("SIGKILL");
      await writing;
      await pair.startPrimary();
      await equal(pair);
      measured(
        "the replica is killed",
        `kills in the first load of ${all} calls: ${KILLS} (the last ${left} came in ${inSeconds(rest)}), ` +
          `while it followed ${ledger.acknowledged} writes: ${KILLS}, and one of the primary; all tables equal; ` +
          `caught up ${inSeconds(longest)} after a start at most`,
      );
    },
    LONG ? 500_000 : 120_000,
  );

  test("a log that is too old, and a primary that was restored from a backup, are loaded over what is there", async () => {
    pair = await startPair();
    const { files } = pair;
    await sendDemo(pair.primary, 60);
    await pair.startReplica();
    await equal(pair);

    await pair.replica.stop();
    await pair.primary.call("DELETE", "/api/v1/calls/demo-0005");
    await sendDemo(pair.primary, 20, 5, "later");
    await drained(pair.primary);
    await pair.primary.stop();
    const db = openForWriting(files.primary);
    // As after seven days.
    db.exec("DELETE FROM events");
    db.close();
    await pair.startPrimary();
    await pair.startReplica();
    const began = performance.now();
    await equal(pair);
    const resynced = performance.now() - began;
    expect((await pair.replica.call("GET", "/api/v1/calls/demo-0005")).status).toBe(404);

    await pair.primary.stop();
    const backup = `${files.primary}.backup`;
    copyFileSync(files.primary, backup);
    await pair.startPrimary();
    await sendDemo(pair.primary, 20, 6, "lost");
    await equal(pair);
    await pair.primary.stop();
    for (const end of ["", "-wal", "-shm"]) rmSync(files.primary + end, { force: true });
    copyFileSync(backup, files.primary);
    await pair.startPrimary();
    // The same numbers for other calls, past where the replica stands.
    await sendDemo(pair.primary, 40, 8, "instead");
    const restored = performance.now();
    await equal(pair);
    expect((await pair.replica.call("GET", "/api/v1/calls/lost-0001")).status).toBe(404);
    measured(
      "the log does not reach back, or is another one",
      `${callsIn(files.primary)} calls; equal ${inSeconds(resynced)} after the start, ` +
        `${inSeconds(performance.now() - restored)} after a restored primary took other calls`,
    );
  }, 120_000);
});

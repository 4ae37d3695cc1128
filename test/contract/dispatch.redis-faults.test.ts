/** Redis down, killed, silent and flapping: no work is forgotten, none is taken twice, and what is away says so. */
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { random } from "../support/call-rows.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { flap, type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { LONG } from "../support/tier.ts";
import { type ToldLoad, toldLoad } from "../support/told-load.ts";
import { areAway, type TwoDispatches, twoDispatches } from "../support/two-dispatches.ts";

const program = requirement("redis");
const ROUNDS = LONG ? 40 : 5;

describe.skipIf(program === null)("work told by redis, when it is away", () => {
  let server: RedisServer;
  let t: TwoDispatches;
  let load: ToldLoad;
  const open = async (): Promise<void> => {
    t = await twoDispatches(server.url);
    load = toldLoad(t, t.dispatches);
  };
  const some = async (count = 5): Promise<number> => {
    for (let i = 0; i < count; i++) await load.accept();
    await load.all();
    return load.latest();
  };
  beforeEach(async () => {
    server = await startRedis(program as string);
  });
  afterEach(async () => {
    server.resume();
    await load.stop();
    await t.close();
    await server.close();
  });

  test("at the start, then killed in the middle, and back without what it held", async () => {
    await server.kill();
    await open();
    await some();
    await areAway(t.dispatches);
    expect(t.dispatches[0].problem()).toContain("ECONNREFUSED");
    await server.start();
    await areAway(t.dispatches, false);
    const told = await some();
    await server.kill();
    const away = await some();
    await areAway(t.dispatches);
    await server.start();
    await areAway(t.dispatches, false);
    await some();
    expect(t.changes.map((problem) => problem === null)).toEqual([false, false, true, true, false, false, true, true]);
    measured(
      "Redis that tells the workers",
      `killed: taken ${inSeconds(away)} after acceptance at the latest, ${inSeconds(told)} before`,
    );
  }, 60_000);

  test("silent but connected: workers look themselves after some seconds, also at a close", async () => {
    await open();
    await areAway(t.dispatches, false);
    await some();
    server.freeze();
    const silent = await some();
    await areAway(t.dispatches);
    const then = await some();
    server.resume();
    await areAway(t.dispatches, false);
    await some();
    server.freeze();
    await load.accept();
    const began = performance.now();
    await load.stop();
    await Promise.all(t.dispatches.map((dispatch) => dispatch.close()));
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(silent).toBeLessThan(6_000);
    measured(
      "Redis that tells the workers",
      `silent: taken ${inSeconds(silent)} after acceptance at the latest, ${inSeconds(then)} once that is noticed`,
    );
  }, 60_000);

  test(`coming, going and emptied under a load, ${ROUNDS} times`, async () => {
    const next = random(16);
    await open();
    await areAway(t.dispatches, false);
    let loading = true;
    let count = 0;
    const writing = (async () => {
      while (loading) {
        await load.accept();
        count++;
        await pause(next() * 8);
      }
    })();
    await flap(server, ROUNDS, next);
    loading = false;
    await writing;
    await load.all();
    await areAway(t.dispatches, false);
    const latest = load.latest();
    await some();
    measured(
      "Redis that tells the workers",
      `away ${ROUNDS} times under a load: ${count} calls, each taken once, ${inSeconds(latest)} after acceptance at the latest`,
    );
  }, 180_000);
});

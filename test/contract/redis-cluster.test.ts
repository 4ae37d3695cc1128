/** Events, notices of work and figures over a Redis Cluster: the same suites as with one server. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { openRedisStream } from "../../src/adapters/redis/stream.ts";
import { random } from "../support/call-rows.ts";
import { follow } from "../support/follow-events.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { redisCaches } from "../support/redis-caches.ts";
import { type RedisCluster, startRedisCluster } from "../support/redis-cluster.ts";
import { requirement } from "../support/requirements.ts";
import { LONG } from "../support/tier.ts";
import { toldLoad } from "../support/told-load.ts";
import { areAway, twoDispatches } from "../support/two-dispatches.ts";
import { twoStores } from "../support/two-stores.ts";
import { cacheContract } from "./cache.contract.ts";
import { dispatchContract } from "./dispatch.contract.ts";
import { streamContract } from "./stream.contract.ts";

const program = requirement("redis");
const cluster = program === null ? null : await startRedisCluster(program);
afterAll(() => cluster?.close());

const ROUNDS = LONG ? 6 : 1;
const url = () => (cluster as RedisCluster).url;

describe.skipIf(cluster === null)("a cluster of three masters and three replicas", () => {
  streamContract("redis+cluster", async () => {
    const two = await twoStores();
    const log_id = randomUUID();
    const open = (process: 0 | 1) =>
      openRedisStream({ url: url(), log: two.stores[process].events, log_id, onChange: () => {} });
    const streams = [open(0), open(1)] as const;
    await areAway(streams, false);
    return {
      ...two,
      streams,
      async close() {
        await Promise.all(streams.map((stream) => stream.close()));
        await two.close();
      },
    };
  });

  dispatchContract("redis+cluster", async () => {
    const t = await twoDispatches(url());
    await areAway(t.dispatches, false);
    return t;
  });

  cacheContract("redis+cluster, three processes", async (random) => {
    const log_id = randomUUID();
    const client = await (cluster as RedisCluster).connectTo(`earshot:{${log_id}:cache}`);
    const caches = await redisCaches(url(), client, random, log_id);
    return {
      ...caches,
      async close() {
        await caches.close();
        client.destroy();
      },
    };
  });

  test(`a master is killed under a load, ${ROUNDS} times: events come once and in order, all work is taken once`, async () => {
    const t = await twoDispatches(url());
    const log_id = t.log_id;
    const streams = t.stores.map(({ events }) =>
      openRedisStream({ url: url(), log: events, log_id, onChange: () => {} }),
    );
    await areAway([...streams, ...t.dispatches], false);
    const followers = await Promise.all(streams.map((stream) => follow(stream)));
    const load = toldLoad(t, t.dispatches);
    const next = random(3);
    let loading = true;
    let written = 0;
    const writing = (async () => {
      while (loading) {
        await load.accept();
        written++;
        await pause(next() * 10);
      }
    })();
    const took: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // The one of the notices and the one of the events in turn.
      const key = round % 2 === 0 ? t.tag : `earshot:{${log_id}}:events`;
      const master = await (cluster as RedisCluster).masterOf(key);
      await pause(next() * 200);
      await master.kill();
      const began = performance.now();
      await areAway(round % 2 === 0 ? t.dispatches : streams, true);
      await areAway([...streams, ...t.dispatches], false);
      took.push(performance.now() - began);
      await master.start();
      await (cluster as RedisCluster).whole();
    }
    loading = false;
    await writing;
    await load.all();
    const latest = load.latest();
    for (const follower of followers) {
      await follower.reaches(written);
      expect(follower.seqs).toEqual(Array.from({ length: written }, (_, i) => i + 1));
      follower.stop();
    }
    measured(
      "a master of a Redis cluster killed",
      `${ROUNDS}x: replica in its place after ${took.map(inSeconds).join(", ")}; ${written} calls, each event once and in order, each taken once, ${inSeconds(latest)} after acceptance at the latest`,
    );
    await load.stop();
    await Promise.all(streams.map((stream) => stream.close()));
    await t.close();
  }, 300_000);
});

/** Redis down, killed, silent and flapping: followers miss nothing, and what is away says so. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openRedisStream } from "../../src/adapters/redis/stream.ts";
import type { Stream } from "../../src/ports/stream.ts";
import { random } from "../support/call-rows.ts";
import { follow } from "../support/follow-events.ts";
import { flap, type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { aCall } from "../support/sqlite-store.ts";
import { LONG } from "../support/tier.ts";
import { type TwoStores, twoStores } from "../support/two-stores.ts";

const program = requirement("redis");
/** How soon what Redis holds up must be there all the same: a second, and what a busy machine takes. */
const PATIENCE_MS = 8_000;

describe.skipIf(program === null)("redis, when it is away", () => {
  let server: RedisServer;
  let two: TwoStores;
  let streams: Stream[];
  let changes: (string | null)[];
  let written: number;

  const open = (): void => {
    const log_id = randomUUID();
    changes = [];
    streams = two.stores.map(({ events }) =>
      openRedisStream({ url: server.url, log: events, log_id, onChange: (problem) => changes.push(problem) }),
    );
  };
  const write = async (): Promise<void> => {
    const store = two.stores[written % 2 === 0 ? 0 : 1];
    written++;
    await store.calls.accept([aCall(`c${written}`)], 1);
  };
  const state = (away: boolean) =>
    vi.waitFor(() => expect(streams.map((stream) => stream.problem() !== null)).toEqual([away, away]), {
      timeout: 15_000,
    });

  beforeEach(async () => {
    server = await startRedis(program as string);
    two = await twoStores();
    written = 0;
    open();
  });
  afterEach(async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    await two.close();
    await server.close();
  });

  /** Followers of both streams; `check` wants all that was written, once and in time. */
  async function watched() {
    const followers = await Promise.all(streams.map((stream) => follow(stream)));
    return {
      async check(): Promise<void> {
        const began = performance.now();
        for (const follower of followers) {
          await follower.reaches(written);
          expect(follower.seqs).toEqual(Array.from({ length: written }, (_, i) => i + 1));
        }
        expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
      },
      stop: () => {
        for (const follower of followers) follower.stop();
      },
    };
  }

  test("at the start: it opens at once, and Redis is used once it is there", async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    await server.kill();
    open();
    const followers = await watched();
    await write();
    await followers.check();
    await state(true);
    expect(streams[0]?.problem()).toContain("ECONNREFUSED");
    await server.start();
    await state(false);
    await write();
    await followers.check();
    expect(changes.map((problem) => problem === null)).toEqual([false, false, true, true]);
    followers.stop();
  });

  test("killed in the middle, and back without what it held", async () => {
    await state(false);
    const followers = await watched();
    await write();
    await followers.check();
    await server.kill();
    for (let i = 0; i < 5; i++) await write();
    await followers.check();
    await state(true);
    await write();
    await followers.check();
    await server.start();
    await state(false);
    for (let i = 0; i < 5; i++) await write();
    await followers.check();
    followers.stop();
  });

  test("silent but connected: the log stands in within a second, also for a close and a new connection", async () => {
    await state(false);
    const followers = await watched();
    await write();
    await followers.check();
    server.freeze();
    try {
      for (let i = 0; i < 5; i++) await write();
      await followers.check();
      await state(true);
      // Not only once the connection is given up.
      expect(changes.find((problem) => problem !== null)).toContain("not back");
      await write();
      await followers.check();
    } finally {
      server.resume();
    }
    await state(false);
    await write();
    await followers.check();
    followers.stop();
    server.freeze();
    const began = performance.now();
    await Promise.all(streams.map((stream) => stream.close()));
    open();
    await Promise.all(streams.map((stream) => stream.close()));
    // A connection that is given up by itself takes longer.
    expect(performance.now() - began).toBeLessThan(2_000);
    server.resume();
  });

  test("silent with nothing to say is noticed as well", async () => {
    await state(false);
    server.freeze();
    await state(true);
    server.resume();
    await state(false);
  });

  test(`coming and going under a load, ${LONG ? 40 : 6} times`, async () => {
    const next = random(11);
    await state(false);
    const followers = await watched();
    let loading = true;
    const load = (async () => {
      while (loading) {
        await write();
        await pause(next() * 8);
      }
    })();
    await flap(server, LONG ? 40 : 6, next);
    loading = false;
    await load;
    await followers.check();
    await state(false);
    await write();
    await followers.check();
    followers.stop();
  }, 120_000);
});

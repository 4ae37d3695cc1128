import { randomUUID } from "node:crypto";
import { createClient } from "@redis/client";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openRedisStream } from "../../src/adapters/redis/stream.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import type { RedisStreamOptions } from "../../src/adapters/redis/stream.ts";
import type { EventRow, Events } from "../../src/ports/events.ts";
import type { Stream } from "../../src/ports/stream.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { follow } from "../support/follow-events.ts";
import { aCall } from "../support/sqlite-store.ts";
import { type TwoStores, twoStores } from "../support/two-stores.ts";
import { streamContract } from "./stream.contract.ts";

const program = requirement("redis");
const server = program === null ? null : await startRedis(program);
afterAll(() => server?.close());

const url = () => (server as RedisServer).url;
const accept = ({ stores }: TwoStores, process: 0 | 1, ...ids: string[]) =>
  stores[process].calls.accept(
    ids.map((id) => aCall(id)),
    1,
  );
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

const whole = (streams: readonly Stream[]) =>
  vi.waitFor(() => expect(streams.map((stream) => stream.problem())).toEqual(streams.map(() => null)), {
    timeout: 10_000,
  });

/** A stream for each of two processes on one store. */
async function twoStreams(log_id: string = randomUUID()) {
  const two = await twoStores();
  const changes: (string | null)[] = [];
  const open = (process: 0 | 1, more: Partial<RedisStreamOptions> = {}) =>
    openRedisStream({
      url: url(),
      log: two.stores[process].events,
      log_id,
      onChange: (problem) => changes.push(problem),
      ...more,
    });
  const streams = [open(0), open(1)] as const;
  return {
    ...two,
    streams,
    open,
    /** What the first two were told. */
    changes,
    key: `earshot:{${log_id}}:events`,
    async close() {
      await Promise.all(streams.map((stream) => stream.close()));
      await two.close();
    },
  };
}

describe.skipIf(server === null)("redis", () => {
  streamContract("redis", async () => {
    const t = await twoStreams();
    await whole(t.streams);
    return t;
  });

  describe("what it does beside the port", () => {
    let t: Awaited<ReturnType<typeof twoStreams>>;
    let client: ReturnType<typeof createClient>;
    beforeEach(async () => {
      t = await twoStreams();
      client = createClient({ url: url() });
      client.on("error", () => {});
      await client.connect();
    });
    afterEach(async () => {
      client.destroy();
      await t.close();
    });

    test("brings an event to a process whose own log has told it nothing, without asking that log", async () => {
      await whole(t.streams);
      let asked = 0;
      const { events } = t.stores[1];
      const deaf: Events = {
        head: () => events.head(),
        onChange: () => () => {},
        after(...question) {
          asked++;
          return events.after(...question);
        },
      };
      const stream = t.open(1, { log: deaf });
      await whole([stream]);
      const before = asked;
      let seq = 0;
      const heard: EventRow[] = [];
      const both = Promise.withResolvers<void>();
      const read = async (): Promise<void> => {
        const page = await stream.after(seq, 10, EVERYTHING);
        seq = page.head;
        heard.push(...page.events);
        if (heard.length >= 2) both.resolve();
      };
      stream.onChange(() => void read().catch(both.reject));
      await accept(t, 0, "a");
      await accept(t, 1, "b");
      await both.promise;
      expect(heard).toEqual((await events.after(0, 10, EVERYTHING)).events);
      expect(asked).toBe(before);
      await stream.close();
    });

    test("who is told to copies at once, and the others what has not come by then", async () => {
      const log_id = randomUUID();
      // They copy as well, to another place.
      await Promise.all(t.streams.map((stream) => stream.close()));
      const added = async (): Promise<string> =>
        /cmdstat_xadd:(calls=\d+).*(failed_calls=\d+)/
          .exec(await client.info("commandstats"))
          ?.slice(1)
          .join() ?? "";
      const relay = t.open(0, { log_id, standby_ms: 3_600_000 });
      const other = t.open(1, { log_id, standby_ms: 3_600_000 });
      await whole([relay, other]);
      const ending = new AbortController();
      const copying = relay.copy?.(ending.signal);
      const follower = await follow(other);
      await client.configResetStat();
      for (let i = 0; i < 20; i++) await accept(t, i % 2 === 0 ? 0 : 1, `c${i}`);
      await follower.reaches(20);
      expect(follower.seqs).toEqual(upTo(20));
      expect(await added()).toBe("calls=20,failed_calls=0");
      ending.abort();
      await copying;
      await Promise.all([relay.close(), other.close()]);

      const late = [t.open(0, { log_id, standby_ms: 20 }), t.open(1, { log_id, standby_ms: 20 })];
      await whole(late);
      const others = await Promise.all(late.map((stream) => follow(stream)));
      await accept(t, 0, "left");
      for (const one of others) await one.reaches(21);
      expect(late.map((stream) => stream.problem())).toEqual([null, null]);
      expect(await client.xLen(`earshot:{${log_id}}:events`)).toBe(21);
      follower.stop();
      for (const one of others) one.stop();
      await Promise.all(late.map((stream) => stream.close()));
    });

    test("however many copy, each event is there once, in order, and no more than some ten thousand", async () => {
      await whole(t.streams);
      const follower = await follow(t.streams[0]);
      const others = [t.open(0), t.open(1), t.open(0)];
      await whole(others);
      for (let i = 0; i < 50; i++) await accept(t, i % 2 === 0 ? 0 : 1, `a${i}`);
      await follower.reaches(50);
      const entries = await vi.waitFor(async () => {
        const found = (await client.xRange(t.key, "-", "+")) ?? [];
        expect(found.map((entry) => entry.id)).toEqual(upTo(50).map((seq) => `${seq}-0`));
        return found;
      }, 5_000);
      await Promise.all(others.map((stream) => stream.close()));
      expect(JSON.stringify(entries)).not.toMatch(/hello there|good day/);
      for (let batch = 0; batch < 12; batch++) {
        await accept(t, 0, ...Array.from({ length: 1_000 }, (_, i) => `c${batch}-${i}`));
      }
      await follower.reaches(12_050);
      expect(follower.seqs).toEqual(upTo(12_050));
      const newest = async () => expect((await client.xRevRange(t.key, "+", "-"))?.[0]?.id).toBe("12050-0");
      await vi.waitFor(newest, { timeout: 15_000 });
      const length = await client.xLen(t.key);
      expect(length).toBeGreaterThanOrEqual(10_000);
      expect(length).toBeLessThan(10_500);
      follower.stop();
    });

    test("emptied, trimmed or filled with nonsense: followers miss nothing", async () => {
      await whole(t.streams);
      const followers = await Promise.all(t.streams.map((stream) => follow(stream)));
      const harm = [
        () => client.flushAll(),
        () => client.xTrim(t.key, "MAXLEN", 0),
        () => client.del(t.key),
        () => client.xAdd(t.key, "1000000-0", { event: "{" }),
        () => client.set(t.key, "no stream"),
      ];
      let n = 0;
      for (const [i, damage] of harm.entries()) {
        await accept(t, 0, `a${i}`);
        await damage().catch(() => undefined);
        await accept(t, 1, `b${i}`);
        n += 2;
        for (const follower of followers) await follower.reaches(n);
        if (i === 4) await client.del(t.key);
      }
      await accept(t, 0, "last");
      for (const follower of followers) {
        await follower.reaches(n + 1);
        expect(follower.seqs).toEqual(upTo(n + 1));
        follower.stop();
      }
      await whole(t.streams);
    });

    test("an entry that the log never had is told to nobody, and the log's own come after it", async () => {
      // As after a restore: the server has seen events that the log does not hold any more.
      await t.close();
      t = await twoStreams();
      await whole(t.streams);
      const follower = await follow(t.streams[0]);
      const strange = { seq: 50, type: "call.accepted", call_id: "strange" };
      await client.xAdd(t.key, "50-0", { event: JSON.stringify(strange) });
      await accept(t, 0, "a");
      await follower.reaches(1);
      await whole(t.streams);
      await accept(t, 1, "b");
      await follower.reaches(2);
      expect(follower.seqs).toEqual([1, 2]);
      follower.stop();
    });

    test("two logs on one server do not mix", async () => {
      const other = await twoStreams();
      await whole([...t.streams, ...other.streams]);
      const follower = await follow(t.streams[0]);
      await accept(other, 0, "theirs");
      await accept(t, 1, "ours");
      await follower.reaches(1);
      expect((await t.streams[0].after(0, 10, EVERYTHING)).events.map((event) => event.call_id)).toEqual(["ours"]);
      follower.stop();
      await other.close();
    });
  });
});

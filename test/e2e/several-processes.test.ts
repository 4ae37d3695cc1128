/** Two and three processes on one SQLite file behind nginx, with clients of the feed, killed and started again under load. */
import { afterAll, describe, expect, test, vi } from "vitest";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { feedClients } from "../support/feed-clients.ts";
import { ADMIN_KEY, runCli } from "../support/process.ts";
import { startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { type Several, startSeveral } from "../support/several.ts";
import { spreadWrites } from "../support/spread-writes.ts";
import { LONG } from "../support/tier.ts";

const nginx = requirement("nginx");
const redis = requirement("redis");
const server = redis === null ? null : await startRedis(redis);
afterAll(() => server?.close());

/** An account may have 1,000 sockets in a process, and least_conn sends more to one while another is away. */
const CLIENTS_OF_A_KEY = 500;

const sizes = LONG ? { clients: 3_000, calls_per_second: 8 } : { clients: 300, calls_per_second: 40 };

/** Calls and events as the file has them. */
function stored(path: string): { calls: Set<string>; head: number; accepted: number } {
  const db = openForReading(path);
  try {
    const calls = db.prepare("SELECT call_id FROM call_records").all() as { call_id: string }[];
    const { head } = db.prepare("SELECT max(seq) AS head FROM events").get() as { head: number };
    const sql = "SELECT count(*) AS n FROM events WHERE type = 'call.accepted'";
    const { n } = db.prepare(sql).get() as { n: number };
    return { calls: new Set(calls.map((call) => call.call_id)), head, accepted: n };
  } finally {
    db.close();
  }
}

async function keysFor(several: Several, clients: number): Promise<string[]> {
  const keys = [ADMIN_KEY];
  while (keys.length * CLIENTS_OF_A_KEY < clients) {
    const { stdout } = await runCli(["keys", "add", "--role", "admin"], { EARSHOT_DATA_DIR: several.folder });
    keys.push(stdout.trim());
  }
  return keys;
}

async function drained(several: Several): Promise<void> {
  const ready = await several.processes[0]?.get<{ checks: { queue: object } }>("/health/ready");
  expect(ready?.checks.queue).toMatchObject({ ready: 0, running: 0, dead: 0 });
}

describe.skipIf(nginx === null)("several processes on one file behind nginx", () => {
  test.each([
    { count: 2, by: "the file", stream: "sql:" },
    ...(LONG || server === null ? [{ count: 3, by: "the file", stream: "sql:" }] : []),
    ...(server === null ? [] : [{ count: 3, by: "Redis", stream: server.url }]),
  ])(
    `$count, events by $by, ${sizes.clients} sockets, one killed under load: each has every event once, nothing acknowledged is missing`,
    async ({ count, by, stream }) => {
      const several = await startSeveral({ count, nginx: nginx as string, env: { EARSHOT_STREAM_URL: stream } });
      const clients = feedClients(several.url, sizes.clients, await keysFor(several, sizes.clients));
      try {
        await clients.connected;
        const began = performance.now();
        const writes = spreadWrites(several.url, { lanes: 6, rate: sizes.calls_per_second });
        const grow = (by: number) => {
          const enough = writes.acknowledged.size + by;
          return vi.waitFor(() => expect(writes.acknowledged.size).toBeGreaterThan(enough), { timeout: 60_000 });
        };
        for (let victim = 0; victim < (LONG ? count : 1); victim++) {
          await grow(sizes.calls_per_second);
          await several.kill(victim);
          // The others go on meanwhile.
          await grow(sizes.calls_per_second);
          await several.start(victim);
        }
        await grow(sizes.calls_per_second);
        await writes.stop();
        // What a killed process had taken comes back after 15 s.
        if (LONG) await vi.waitFor(() => drained(several), { timeout: 40_000, interval: 100 });
        const seconds = (performance.now() - began) / 1000;
        const { calls, head, accepted } = stored(several.path);
        await clients.reach(head);
        expect(clients.wrong).toEqual([]);
        expect(calls).toEqual(writes.acknowledged);
        expect(accepted).toBe(calls.size);
        expect(clients.lost()).toBeGreaterThan(sizes.clients / count / 2);
        console.log(
          `${count} processes, events by ${by}: ${calls.size} calls, ${head} events, ${writes.failures()} sent again; ` +
            `${sizes.clients} sockets, ${clients.lost()} times cut off, ${clients.messages()} messages ` +
            `(${Math.round(clients.messages() / seconds)}/s)`,
        );
      } finally {
        clients.stop();
        await several.close();
      }
    },
    LONG ? 300_000 : 120_000,
  );
});

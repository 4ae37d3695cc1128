/** Processes behind nginx restarted one after the other under load: no client sees an error, and nothing is lost or doubled. */
import { afterAll, describe, expect, test, vi } from "vitest";
import { feedClients } from "../support/feed-clients.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { freshDatabase } from "../support/postgres-server.ts";
import { ADMIN_KEY, type Earshot } from "../support/process.ts";
import { startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { startSeveral } from "../support/several.ts";
import { steadyLoad } from "../support/steady-load.ts";
import { LONG } from "../support/tier.ts";

const nginx = requirement("nginx");
const redis = LONG ? requirement("redis") : null;
const postgres = LONG ? requirement("postgres") : null;
const undo: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const sizes = LONG
  ? { sockets: 200, reads: 60, posts: 15, rounds: 2 }
  : { sockets: 60, reads: 60, posts: 20, rounds: 1 };

interface Fleet {
  readonly name: string;
  readonly roles: readonly string[];
  readonly env: () => Promise<Record<string, string>>;
}

const FLEETS: Fleet[] = [
  { name: "three processes on one SQLite file", roles: ["all", "all", "all"], env: async () => ({}) },
];
if (redis !== null && postgres !== null) {
  FLEETS.push({
    name: "three api, two realtime and a worker on PostgreSQL and Redis",
    roles: ["api", "api", "api", "realtime", "realtime", "worker,relay"],
    async env() {
      const server = await startRedis(redis);
      undo.push(() => server.close());
      const { url, drop } = await freshDatabase();
      undo.push(drop);
      return {
        EARSHOT_STORE_URL: url,
        EARSHOT_STORE_POOL: "8",
        EARSHOT_STREAM_URL: server.url,
        EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
      };
    },
  });
}

async function newestEvent(earshot: Earshot): Promise<number> {
  for (let after = 0; ; ) {
    const page = await earshot.get<{ events: object[]; next_after: number }>(`/api/v1/events?after=${after}&limit=500`);
    if (page.events.length === 0) return after;
    after = page.next_after;
  }
}

/** Every page of the list, as one of the processes has it. */
async function storedIds(earshot: Earshot): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: { calls: { call_id: string }[]; next_cursor: string | null } = await earshot.get(
      `/api/v1/calls?limit=100${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    ids.push(...page.calls.map((call) => call.call_id));
    cursor = page.next_cursor;
  }
  return ids;
}

describe.skipIf(nginx === null)("a rolling restart behind nginx", () => {
  test.each(FLEETS)(
    "$name: nobody sees an error",
    async ({ name, roles, env }) => {
      const several = await startSeveral({ count: roles.length, nginx: nginx as string, roles, env: await env() });
      const clients = feedClients(several.url, sizes.sockets, [ADMIN_KEY]);
      try {
        await clients.connected;
        const load = steadyLoad(several.url, { ...sizes, name: "r" });
        const grow = (): Promise<void> => {
          const enough = load.acknowledged.length + sizes.posts / 2;
          return vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(enough), { timeout: 60_000 });
        };
        const began = performance.now();
        for (let round = 0; round < sizes.rounds; round++) {
          for (const number of roles.keys()) {
            await grow();
            await several.restart(number);
          }
        }
        await grow();
        await load.stop();
        const took = performance.now() - began;
        const process = several.processes[0] as Earshot;
        await vi.waitFor(
          async () => {
            const { checks } = await process.get<{ checks: { queue: object } }>("/health/ready");
            expect(checks.queue).toMatchObject({ ready: 0, running: 0, dead: 0 });
          },
          { timeout: 60_000, interval: 100 },
        );
        const head = await newestEvent(process);
        await clients.reach(head);
        const stored = await storedIds(process);
        expect(load.failed).toEqual([]);
        expect(clients.wrong).toEqual([]);
        // None is missing and none is there twice: no call had an id of its own by which a double would be noticed.
        expect(stored.toSorted()).toEqual(load.acknowledged.toSorted());
        expect(new Set(stored).size).toBe(stored.length);
        expect(clients.lost()).toBeGreaterThan(0);
        measured(
          "processes restarted one after another",
          `${name}: ${sizes.rounds * roles.length} restarts in ${inSeconds(took)}; ${load.reads()} reads and ` +
            `${load.acknowledged.length} POSTs, ${load.failed.length} failed, ${load.replayed()} answered at the second ` +
            `process; ${sizes.sockets} sockets came back ${clients.lost()} times, each had ${head} events once`,
        );
      } finally {
        clients.stop();
        await several.close();
      }
    },
    LONG ? 400_000 : 90_000,
  );
});

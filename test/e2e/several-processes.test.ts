/** Two and three processes on one SQLite file behind nginx, one of them killed and started again under load. */
import { afterAll, describe, expect, test, vi } from "vitest";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { AUTHORIZED, type Several, startSeveral } from "../support/several.ts";
import { spreadWrites } from "../support/spread-writes.ts";
import { LONG } from "../support/tier.ts";

const nginx = requirement("nginx");
const redis = requirement("redis");
const server = redis === null ? null : await startRedis(redis);
afterAll(() => server?.close());

interface Page {
  readonly events: readonly { readonly seq: number }[];
  readonly next_after: number;
  readonly resync_required: boolean;
}

/** Follows the change feed through nginx, from the start to what `last` says once it knows. */
async function followFeed(url: string, last: () => number | null): Promise<number[]> {
  const seqs: number[] = [];
  let after = 0;
  for (;;) {
    const response = await fetch(`${url}/api/v1/events?after=${after}&limit=200`, { headers: AUTHORIZED }).catch(
      () => null,
    );
    if (response === null || !response.ok) continue;
    const page = (await response.json()) as Page;
    if (page.resync_required) throw new Error(`resync_required after ${after}`);
    seqs.push(...page.events.map((event) => event.seq));
    after = page.next_after;
    const end = last();
    if (end !== null && after >= end) return seqs;
  }
}

/** Calls and events as the file has them. */
function stored(path: string): { calls: Set<string>; head: number; accepted: number } {
  const db = openForReading(path);
  try {
    const calls = db.prepare("SELECT call_id FROM call_records").all() as { call_id: string }[];
    const { head } = db.prepare("SELECT max(seq) AS head FROM events").get() as { head: number };
    const sql = "SELECT count(*) AS n FROM events WHERE type = 'call.accepted'";
    return {
      calls: new Set(calls.map((call) => call.call_id)),
      head,
      accepted: (db.prepare(sql).get() as { n: number }).n,
    };
  } finally {
    db.close();
  }
}

async function drained(several: Several): Promise<void> {
  const ready = await several.processes[0]?.get<{ checks: { queue: object } }>("/health/ready");
  expect(ready?.checks.queue).toMatchObject({ ready: 0, running: 0, dead: 0 });
}

describe.skipIf(nginx === null)("several processes on one file behind nginx", () => {
  test.each([
    { count: 2, stream: "sql:" },
    { count: 3, stream: "sql:" },
    ...(server === null ? [] : [{ count: 3, stream: server.url }]),
  ])(
    "$count, events by $stream, one killed under load: every client has every event once, nothing acknowledged is missing",
    async ({ count, stream }) => {
      const env = { EARSHOT_STREAM_URL: stream };
      const several = await startSeveral({ count, nginx: nginx as string, env });
      let last: number | null = null;
      try {
        const clients = Array.from({ length: 8 }, () => followFeed(several.url, () => last));
        const writes = spreadWrites(several.url, 6);
        for (let victim = 0; victim < (LONG ? count : 1); victim++) {
          const before = writes.acknowledged.size;
          await vi.waitFor(() => expect(writes.acknowledged.size).toBeGreaterThan(before + 60), { timeout: 20_000 });
          await several.kill(victim);
          // The others go on meanwhile.
          const then = writes.acknowledged.size;
          await vi.waitFor(() => expect(writes.acknowledged.size).toBeGreaterThan(then + 30), { timeout: 20_000 });
          await several.start(victim);
        }
        await writes.stop();
        // What a killed process had taken comes back after 15 s.
        if (LONG) await vi.waitFor(() => drained(several), { timeout: 40_000, interval: 100 });
        const { calls, head, accepted } = stored(several.path);
        last = head;
        expect(calls).toEqual(writes.acknowledged);
        expect(accepted).toBe(calls.size);
        const all = Array.from({ length: head }, (_, i) => i + 1);
        for (const seqs of await Promise.all(clients)) expect(seqs.slice(0, head)).toEqual(all);
        console.log(
          `${count} processes, ${stream}: ${calls.size} calls, ${head} events, ${writes.failures()} sent again`,
        );
      } finally {
        last ??= 0;
        await several.close();
      }
    },
    120_000,
  );
});

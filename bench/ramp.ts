/**
 * A business day in minutes, against one process that serves and enriches: the rate of the mix (80 % reads, 20 % single
 * POSTs, every line of a call a new text to the model) rises tenfold, holds, and falls, in an open loop from 500
 * connections, latency from when a request was due.
 *   node bench/ramp.ts [--calls 20000] [--minutes 10] [--peak 250] [--slices 15] [--threads N]
 * Two fifths of the time rise, one holds, two fall. At 250 requests a second 50 calls come, twice of what two cores enrich:
 * work waits, and is done when the day is over. Prints a line a slice with what was admitted, refused and waiting, and one
 * with the moment when the backlog was gone.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { drive } from "./drive-server.ts";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";
import type { Server } from "./servers.ts";
import { startEarshot } from "./servers.ts";

/** From the slowest hour to the busiest. */
const TIMES = 10;
const LOOK_MS = 1_000;
/** What is not done so long after the day is told as such. */
const PATIENCE_MS = 4 * 3_600_000;

const { values: options } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    minutes: { type: "string", default: "10" },
    peak: { type: "string", default: "250" },
    slices: { type: "string", default: "15" },
    threads: { type: "string" },
  },
});
const calls = Number(options.calls);
const minutes = Number(options.minutes);
const peak = Number(options.peak);
const say = (line: object) => console.log(JSON.stringify(line));

interface Look {
  readonly at: number;
  readonly waiting: number;
  readonly age_s: number;
}

async function look({ url, key }: Server): Promise<Look> {
  const answer = await fetch(`${url}/health/ready`, { headers: { authorization: `Bearer ${key}` } });
  const { checks } = (await answer.json()) as { checks: { queue: Record<"ready" | "running" | "oldest_ms", number> } };
  const { ready, running, oldest_ms } = checks.queue;
  return { at: Date.now(), waiting: ready + running, age_s: oldest_ms / 1_000 };
}

/** Looks at the queue every second until told to end; what it saw. */
function watch(server: Server): { seen: readonly Look[]; end: () => Promise<void> } {
  const seen: Look[] = [];
  let ended = false;
  const watching = (async () => {
    while (!ended) {
      const found = await look(server).catch(() => null);
      if (found) seen.push(found);
      await pause(LOOK_MS);
    }
  })();
  return {
    seen,
    end: () => {
      ended = true;
      return watching;
    },
  };
}

interface Slice {
  readonly from_s: number;
  readonly rate: number;
}

const most = (looks: readonly Look[], of: "waiting" | "age_s"): number =>
  Math.round(10 * Math.max(0, ...looks.map((l) => l[of]))) / 10;

/** Epoch ms when nothing waits any more; null where that takes too long. */
async function empty(server: Server): Promise<number | null> {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    if ((await look(server)).waiting === 0) return Date.now();
    await pause(LOOK_MS / 4);
  }
  return null;
}

say({ ...machine(), calls, minutes, peak, times: TIMES });
const env = options.threads === undefined ? {} : { EARSHOT_MODEL_THREADS: options.threads };
const server = await startEarshot(await earshotDatabase({ calls }), true, { work: true, env });
try {
  const of = { calls, seconds: 2 };
  // Time for a compiler at run time to do its work.
  await drive(server, "get", of);
  const watcher = watch(server);
  const fifth = (minutes * 60) / 5;
  const plan = { rate: peak / TIMES, peak, rise: 2 * fifth, hold: fifth, slices: Number(options.slices) };
  const args = Object.entries(plan).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const pass = await drive(server, "ramp", of, ["--connections", "500", ...args]);
  const ended = Date.now();
  const gone = await empty(server);
  await watcher.end();
  const { slices, began, total_s, ...rest } = pass as unknown as { slices: Slice[]; began: number; total_s: number };
  const length = total_s / slices.length;
  for (const slice of slices) {
    const from = began + slice.from_s * 1_000;
    const then = watcher.seen.filter(({ at }) => at >= from && at < from + length * 1_000);
    say({ slice: slice.from_s, ...slice, waiting: most(then, "waiting"), queue_age_s: most(then, "age_s") });
  }
  say({
    ramp: minutes,
    calls,
    peak,
    ...rest,
    most_waiting: most(watcher.seen, "waiting"),
    most_age_s: most(watcher.seen, "age_s"),
    backlog_gone_after_s: gone === null ? null : Math.round((gone - ended) / 100) / 10,
  });
} finally {
  await server.stop();
}

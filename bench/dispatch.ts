/**
 * How long work takes from the commit of a call in another process to the worker here that has leased it, and how often the
 * worker looks into the store meanwhile and while there is nothing to do. node bench/dispatch.ts [--calls 150]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { quantile } from "../src/core/stats.ts";
import type { Work } from "../src/ports/work.ts";
import { freshDatabase } from "../test/support/postgres-server.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { requirement } from "../test/support/requirements.ts";
import setup from "../test/support/run-servers.ts";
import { enriched, temporary } from "../test/support/sqlite-store.ts";
import { type Accepted, openPlace, type Place } from "./dispatch-process.ts";
import { machine } from "./machine.ts";

const LANES = 3;
const BATCH = 8;
const IDLE_S = 5;

const { values } = parseArgs({ options: { calls: { type: "string", default: "150" } } });
const calls = Number(values.calls);
console.log(JSON.stringify(machine()));

/** How often the store was asked, and how often in vain. */
interface Looks {
  asked: number;
  vain: number;
}

async function measure(place: Place): Promise<object> {
  const looks: Looks = { asked: 0, vain: 0 };
  const count = <T extends readonly unknown[]>(found: T): T => {
    looks.asked++;
    if (found.length === 0) looks.vain++;
    return found;
  };
  const watch = (work: Work): Work => ({
    ...work,
    take: async (...question) => count(await work.take(...question)),
    waiting: async (...question) => count(await work.waiting(...question)),
  });
  const { store, dispatch, close } = await openPlace(place, watch);
  const taken = new Map<string, number>();
  const stopping = new AbortController();
  const lanes = Array.from({ length: LANES }, async () => {
    for (;;) {
      const order = await dispatch.take(BATCH, stopping.signal);
      if (order === null) return;
      const items = await store.work.take(BATCH, "bench", 60_000, order.call_nos ?? undefined);
      const now = performance.timeOrigin + performance.now();
      for (const { call_id } of items) taken.set(call_id, now);
      order.taken(items.length);
      await store.calls.saveEnrichment(items.map((item) => enriched(item, "bench")));
      order.done();
    }
  });
  const since = { ...looks };
  const { database, stream, dispatch: how } = place;
  const writer = fork(join(import.meta.dirname, "dispatch-process.ts"), [database, stream, how, String(calls)]);
  const [accepted] = (await once(writer, "message")) as [Accepted[]];
  const busy = { asked: looks.asked - since.asked, vain: looks.vain - since.vain };
  if (writer.exitCode === null) await once(writer, "exit");
  const before = { ...looks };
  await pause(IDLE_S * 1_000);
  const idle = looks.asked - before.asked;
  stopping.abort();
  await Promise.all(lanes);
  await close();
  const took = accepted.map(({ call_id, at }) => (taken.get(call_id) ?? Number.POSITIVE_INFINITY) - at);
  const ms = (q: number): number => Math.round((quantile(took, q) ?? Number.NaN) * 10) / 10;
  const per = (n: number): number => Math.round((n / calls) * 100) / 100;
  return {
    p50_ms: ms(0.5),
    p99_ms: ms(0.99),
    looks_per_call: per(busy.asked),
    in_vain_per_call: per(busy.vain),
    looks_per_idle_second: idle / IDLE_S,
  };
}

const kind = (url: string): string => url.split(":")[0] as string;

const program = requirement("redis");
if (program === null) throw new Error("redis is needed");
const finish = requirement("postgres") === null ? null : setup();
const redis = await startRedis(program);
for (const store of ["sqlite", ...(finish ? ["postgres"] : [])]) {
  for (const [stream, dispatch] of [
    ["sql:", "sql:"],
    [redis.url, "sql:"],
    [redis.url, redis.url],
  ] as const) {
    const made = store === "sqlite" ? temporary() : await freshDatabase();
    const database = "path" in made ? made.path : made.url;
    const figures = await measure({ database, stream, dispatch });
    console.log(JSON.stringify({ store, stream: kind(stream), dispatch: kind(dispatch), calls, ...figures }));
    await ("remove" in made ? made.remove() : made.drop());
    await redis.kill();
    await redis.start();
  }
}
await redis.close();
finish?.();

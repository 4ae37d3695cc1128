/** The other process of spread.ts: node bench/spread-writer.ts DATABASE STREAM CALLS tells when it sent each call. */
import { setTimeout as pause } from "node:timers/promises";
import { openRedisStream } from "../src/adapters/redis/stream.ts";
import { logStream } from "../src/adapters/sql/log-stream.ts";
import type { SqliteStore } from "../src/adapters/sql/open.ts";
import type { Stream } from "../src/ports/stream.ts";
import { random } from "../test/support/call-rows.ts";
import { aCall, openQuiet } from "../test/support/sqlite-store.ts";

export interface Sent {
  readonly call_id: string;
  /** Epoch ms, with a fraction. */
  readonly at: number;
}

/** A store and its events by `url`, once they come that way. */
export async function openSpread(
  path: string,
  url: string,
): Promise<{ store: SqliteStore; stream: Stream; close: () => Promise<void> }> {
  const store = await openQuiet(path);
  const whole = Promise.withResolvers<void>();
  const onChange = (problem: string | null): void => {
    if (problem === null) whole.resolve();
  };
  const byRedis = url !== "sql:";
  const stream = byRedis
    ? openRedisStream({ url, log: store.events, log_id: "spread", onChange })
    : logStream(store.events);
  if (byRedis) await whole.promise;
  return {
    store,
    stream,
    async close() {
      await stream.close();
      await store.close();
    },
  };
}

/** Accepts calls one by one, at moments that have nothing to do with those at which others look. */
export async function writeCalls(store: SqliteStore, count: number, name: string): Promise<Sent[]> {
  const next = random(count);
  const sent: Sent[] = [];
  for (let i = 0; i < count; i++) {
    await pause(10 + next() * 60);
    const call_id = `${name}-${i}`;
    sent.push({ call_id, at: performance.timeOrigin + performance.now() });
    await store.calls.accept([aCall(call_id)], 1);
  }
  // The last one's event is on its way.
  await pause(1_000);
  return sent;
}

if (process.send !== undefined) {
  const [path = "", url = "", count = "0"] = process.argv.slice(2);
  const { store, close } = await openSpread(path, url);
  const sent = await writeCalls(store, Number(count), "there");
  process.send?.(sent);
  process.disconnect?.();
  await close();
}

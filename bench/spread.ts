/**
 * How long an event takes from the write of a call, in this process and in another one on the same file, to who follows
 * the events here: by the log alone, and by Redis. node bench/spread.ts [--events 300]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EVERYTHING } from "../src/core/call.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { requirement } from "../test/support/requirements.ts";
import { temporary } from "../test/support/sqlite-store.ts";
import { quantile } from "../src/core/stats.ts";
import { machine } from "./machine.ts";
import { type Sent, openSpread, writeCalls } from "./spread-writer.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "300" } } });
const events = Number(values.events);
console.log(JSON.stringify(machine()));
const program = requirement("redis");
const redis = program === null ? null : await startRedis(program);

for (const url of ["sql:", ...(redis ? [redis.url] : [])]) {
  const { path, remove } = temporary();
  const here = await openSpread(path, url);
  const arrived = new Map<string, number>();
  let seq = await here.stream.head();
  const read = async (): Promise<void> => {
    const page = await here.stream.after(seq, 500, EVERYTHING);
    const now = performance.timeOrigin + performance.now();
    for (const event of page.events) if (event.seq > seq) arrived.set(event.call_id, now);
    seq = Math.max(seq, page.events.at(-1)?.seq ?? 0);
  };
  here.stream.onChange(() => void read());

  const writer = fork(join(import.meta.dirname, "spread-writer.ts"), [path, url, String(events)]);
  const there = once(writer, "message") as Promise<[Sent[]]>;
  const sent = { other: (await there)[0], same: await writeCalls(here.store, events, "here") };
  for (const [process, calls] of Object.entries(sent)) {
    const took = calls.map(({ call_id, at }) => (arrived.get(call_id) ?? Number.POSITIVE_INFINITY) - at);
    const ms = (q: number): number => Math.round((quantile(took, q) ?? Number.NaN) * 10) / 10;
    const stream = url.split(":")[0];
    console.log(JSON.stringify({ stream, process, events, p50_ms: ms(0.5), p99_ms: ms(0.99) }));
  }
  if (writer.exitCode === null) await once(writer, "exit");
  await here.close();
  remove();
}
await redis?.close();

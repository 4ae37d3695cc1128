/**
 * Sockets on /ws/feed in one server process: memory of each, how long an event takes to the last client at a steady rate, and
 * messages a second while a bulk goes out to all. Clients are two processes beside the server.
 * node bench/sockets.ts [--sizes 1000,10000] [--rate 5] [--seconds 10]
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { addKey } from "../src/services/access.ts";
import { openQuiet } from "../test/support/sqlite-store.ts";
import { machine } from "./machine.ts";
import { startEarshot } from "./servers.ts";
import type { Server } from "./servers.ts";
import type { Order, Told } from "./sockets-client.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000" },
    rate: { type: "string", default: "5" },
    seconds: { type: "string", default: "10" },
    bulk: { type: "string", default: "200" },
  },
});
const CACHE = resolve(import.meta.dirname, "../.cache/bench");
const CLIENTS = 2;
const PER_ACCOUNT = 1_000;
const SETTLE_MS = 3_000;
const [rate, seconds, bulk] = [Number(values.rate), Number(values.seconds), Number(values.bulk)];

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Seconds of processor time so far. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function post(server: Server, path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" };
  const answer = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function head(server: Server): Promise<number> {
  const headers = { authorization: `Bearer ${server.key}` };
  const answer = await fetch(`${server.url}/api/v1/events?after=${Number.MAX_SAFE_INTEGER}`, { headers });
  return ((await answer.json()) as { next_after: number }).next_after;
}

async function written(server: Server, after: number): Promise<{ seq: number; at: number }[]> {
  const headers = { authorization: `Bearer ${server.key}` };
  const answer = await fetch(`${server.url}/api/v1/events?after=${after}&limit=1000`, { headers });
  const { events } = (await answer.json()) as { events: { seq: number; at: string }[] };
  return events.map(({ seq, at }) => ({ seq, at: Date.parse(at) }));
}

async function tell(children: readonly ChildProcess[]): Promise<Told[]> {
  return Promise.all(
    children.map(async (child) => {
      child.send({ kind: "tell" } satisfies Order);
      const [told] = (await once(child, "message")) as [Told];
      return told;
    }),
  );
}

/** For each seq: clients that have it, and when the last got it. */
function together(told: readonly Told[]): Map<number, { clients: number; at: number }> {
  const all = new Map<number, { clients: number; at: number }>();
  for (const [seq, clients, at] of told.flatMap(({ last }) => last)) {
    const before = all.get(seq) ?? { clients: 0, at: 0 };
    all.set(seq, { clients: before.clients + clients, at: Math.max(before.at, at) });
  }
  return all;
}

/** Waits until all clients have all up to `seq`. */
async function delivered(children: readonly ChildProcess[], seq: number, sockets: number) {
  for (let i = 0; i < 300; i++) {
    const all = together(await tell(children));
    if (all.get(seq)?.clients === sockets) return all;
    await pause(200);
  }
  throw new Error(`not every client got ${seq}`);
}

const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;

async function measure(sockets: number): Promise<object> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "sockets-"));
  const database = join(folder, "calls.db");
  const store = await openQuiet(database);
  const keys: string[] = [];
  for (let i = 0; i < Math.ceil(sockets / PER_ACCOUNT) + 1; i++) {
    const fields = { name: `watcher ${i}`, role: "analyst", agent_id: null, team: null } as const;
    keys.push((await addKey({ accounts: store.accounts, now: Date.now }, fields)).key);
  }
  await store.close();
  const server = await startEarshot(database, false);
  const children = Array.from({ length: CLIENTS }, () => fork(join(import.meta.dirname, "sockets-client.ts")));
  try {
    await post(server, "/api/v1/calls", { call_id: "first", transcript: "Customer: hello" });
    await pause(SETTLE_MS);
    const before = residentKb(server.pid);
    const began = performance.now();
    await Promise.all(
      children.map(async (child, i) => {
        const share = Math.floor(sockets / CLIENTS) + (i < sockets % CLIENTS ? 1 : 0);
        child.send({ kind: "open", port: Number(new URL(server.url).port), keys, sockets: share } satisfies Order);
        await once(child, "message");
      }),
    );
    const opened_s = (performance.now() - began) / 1000;
    await pause(SETTLE_MS);
    const idle = residentKb(server.pid);
    const from = await head(server);
    const busy = cpu(server.pid);
    for (let i = 0; i < rate * seconds; i++) {
      const due = pause(1000 / rate);
      await post(server, "/api/v1/calls", { call_id: `steady-${i}`, transcript: "Customer: hello" });
      await due;
    }
    const steady = await head(server);
    const all = await delivered(children, steady, sockets);
    const cores = (cpu(server.pid) - busy) / seconds;
    const events = await written(server, from);
    const late = events.map(({ seq, at }) => (all.get(seq)?.at ?? Number.NaN) - at).toSorted((a, b) => a - b);
    const complete = events.every(({ seq }) => all.get(seq)?.clients === sockets);
    const calls = Array.from({ length: bulk }, (_, i) => ({ call_id: `bulk-${i}`, transcript: "Customer: hello" }));
    await post(server, "/api/v1/calls/bulk", { calls });
    const end = await delivered(children, await head(server), sockets);
    const [first] = await written(server, steady);
    const took_ms = (end.get(await head(server))?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
    const closed = (await tell(children)).reduce((sum, told) => sum + told.closed, 0);
    return {
      sockets,
      opened_per_s: Math.round(sockets / opened_s),
      kb_each: Math.round(((idle - before) / sockets) * 10) / 10,
      kb_each_after: Math.round(((residentKb(server.pid) - before) / sockets) * 10) / 10,
      rss_before_mb: Math.round(before / 1024),
      rss_open_mb: Math.round(idle / 1024),
      events_per_s: rate,
      events: events.length,
      complete,
      last_p50_ms: percentile(late, 0.5),
      last_p99_ms: percentile(late, 0.99),
      server_cores: Math.round(cores * 100) / 100,
      bulk_events: bulk,
      bulk_ms: took_ms,
      messages_per_s: Math.round((bulk * sockets * 1000) / took_ms),
      closed,
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(JSON.stringify(machine()));
for (const size of values.sizes.split(",")) console.log(JSON.stringify(await measure(Number(size))));

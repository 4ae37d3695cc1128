/**
 * Sockets on /ws/feed in one server process: memory of each, how long a call takes to the last client while 60,000 messages a
 * second leave the server, and messages a second while a bulk goes out to all. Then the peer beside it with the same calls at
 * the same rate. Clients are two processes beside the server.
 * node bench/sockets.ts [--sizes 1000,10000] [--messages 60000] [--seconds 10] [--bulk 200] [--beside 1000] [--rate 10] [--rounds 2] [--profile FOLDER]
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { addKey } from "../src/services/access.ts";
import { heldBytes, TELLING } from "../test/support/held-memory.ts";
import { openQuiet } from "../test/support/sqlite-store.ts";
import { machine } from "./machine.ts";
import { peerStack } from "./peer-python.ts";
import { cpuSeconds, residentKb } from "./process-cost.ts";
import { startEarshot, startPeer } from "./servers.ts";
import type { Server } from "./servers.ts";
import { percentile, startClients } from "./sockets-clients.ts";
import type { Clients, Seen } from "./sockets-clients.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000" },
    messages: { type: "string", default: "60000" },
    seconds: { type: "string", default: "10" },
    bulk: { type: "string", default: "200" },
    /** Sockets of the comparison; 0: none. */
    beside: { type: "string", default: "1000" },
    rate: { type: "string", default: "10" },
    rounds: { type: "string", default: "2" },
    /** Where a CPU profile of the server is written. */
    profile: { type: "string" },
  },
});
const CACHE = resolve(import.meta.dirname, "../.cache/bench");
const PER_ACCOUNT = 1_000;
const SETTLE_MS = 1_500;
const READINGS = 4;
const WARM = 100;
const seconds = Number(values.seconds);

const now = (): number => performance.timeOrigin + performance.now();
const call = (number: number) => ({
  call_id: `e-${number}`,
  agent_id: "ann",
  customer_id: "acme",
  start_time: "2026-03-02T09:30:00Z",
  duration_seconds: 60,
  transcript: "Agent: hello\nCustomer: hello",
});

async function post(server: Server, path: string, body: unknown): Promise<void> {
  const access: Record<string, string> = server.key === null ? {} : { authorization: `Bearer ${server.key}` };
  const headers = { ...access, "content-type": "application/json" };
  const answer = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

interface Steady extends Seen {
  /** From the sending of the call to its answer, which waits for the disk. */
  readonly answered_p50_ms: number;
  readonly answered_p99_ms: number;
  /** From the answer to the last client. */
  readonly spread_p50_ms: number;
  readonly spread_p99_ms: number;
  readonly server_cores: number;
}

/** Sends a call at each of its times, whether or not the one before was answered. */
async function steady(server: Server, clients: Clients, rate: number): Promise<Steady> {
  const sent: number[] = [];
  const answers: Promise<number>[] = [];
  const busy = cpuSeconds(server.pid);
  const began = now();
  for (let i = 0; i < rate * seconds; i++) {
    await pause(Math.max(0, began + (i * 1000) / rate - now()));
    const at = now();
    sent.push(at);
    answers.push(post(server, "/api/v1/calls", call(i)).then(() => now() - at));
  }
  const answered = await Promise.all(answers);
  const cores = (cpuSeconds(server.pid) - busy) / seconds;
  const { seen, last } = await clients.saw(sent);
  // Who was told before the answer arrived waited for nothing after it.
  const spread = last.flatMap((ms, i) => (ms > 0 ? [Math.max(0, ms - (answered[i] ?? 0))] : []));
  return {
    ...seen,
    answered_p50_ms: percentile(answered, 0.5),
    answered_p99_ms: percentile(answered, 0.99),
    spread_p50_ms: percentile(spread, 0.5),
    spread_p99_ms: percentile(spread, 0.99),
    server_cores: Math.round(cores * 100) / 100,
  };
}

const tenths = (n: number): number => Math.round(n * 10) / 10;

/**
 * KB each, of a server that has served sockets before, after collections of garbage: it opens all, a part at a time. What it
 * holds is what V8 knows of; the resident memory has the system's side of a socket in it as well. Leaves them open.
 */
async function memory(server: Server, clients: Clients, keys: readonly string[], sockets: number, file: string) {
  const held = async (): Promise<{ rss: number; heap: number }> => {
    await pause(SETTLE_MS);
    const heap = (await heldBytes(server.pid, file)) / 1024;
    // Pages go back to the system a little later.
    await pause(SETTLE_MS);
    return { rss: residentKb(server.pid), heap };
  };
  await clients.open(server, keys, WARM);
  await clients.close();
  const readings = [await held()];
  for (let i = 0; i < READINGS; i++) {
    await clients.open(server, keys, sockets / READINGS);
    readings.push(await held());
  }
  const grown = (of: "rss" | "heap", from: number, to: number): number =>
    ((readings[to]?.[of] ?? 0) - (readings[from]?.[of] ?? 0)) / ((sockets / READINGS) * (to - from));
  const parts = (of: "rss" | "heap") => readings.slice(1).map((_, i) => tenths(grown(of, i, i + 1)));
  return {
    kb_each: tenths(grown("rss", 0, READINGS)),
    kb_each_of_parts: parts("rss"),
    held_kb_each: tenths(grown("heap", 0, READINGS)),
    held_kb_each_of_parts: parts("heap"),
    rss_before_mb: Math.round((readings[0]?.rss ?? 0) / 1024),
    rss_open_mb: Math.round((readings.at(-1)?.rss ?? 0) / 1024),
  };
}

async function keysFor(database: string, sockets: number): Promise<string[]> {
  const store = await openQuiet(database);
  const keys: string[] = [];
  for (let i = 0; i < Math.ceil(sockets / PER_ACCOUNT) + 1; i++) {
    const fields = { name: `watcher ${i}`, role: "analyst", agent_id: null, team: null } as const;
    keys.push((await addKey({ accounts: store.accounts, now: Date.now }, fields)).key);
  }
  await store.close();
  return keys;
}

async function alone(sockets: number, folder: string): Promise<object> {
  const database = join(folder, "calls.db");
  const keys = await keysFor(database, sockets);
  const file = join(folder, "memory");
  process.env["TELL_MEMORY"] = file;
  const nodeFlags = [...TELLING];
  if (values.profile) nodeFlags.push("--cpu-prof", `--cpu-prof-dir=${resolve(values.profile)}`);
  const server = await startEarshot(database, false, { nodeFlags });
  const clients = startClients();
  try {
    const kb = await memory(server, clients, keys, sockets, file);
    const rate = Number(values.messages) / sockets;
    const seen = await steady(server, clients, rate);
    const calls = Array.from({ length: Number(values.bulk) }, (_, i) => call(rate * seconds + i));
    const at = now();
    await post(server, "/api/v1/calls/bulk", { calls });
    const bulk = calls.map(() => at);
    const { took_ms } = await clients.saw(bulk, rate * seconds);
    return {
      sockets,
      ...kb,
      calls_per_s: rate,
      ...seen,
      bulk_calls: calls.length,
      bulk_ms: took_ms,
      bulk_messages_per_s: Math.round((calls.length * sockets * 1000) / took_ms),
    };
  } finally {
    clients.kill();
    await server.stop();
  }
}

async function beside(sockets: number, folder: string, round: number, side: "earshot" | "fastapi"): Promise<object> {
  const database = join(folder, "calls.db");
  const keys = side === "earshot" ? await keysFor(database, sockets) : [];
  const server = side === "earshot" ? await startEarshot(database, false) : await startPeer(database, false, false);
  const clients = startClients();
  try {
    await clients.open(server, keys, sockets);
    await pause(SETTLE_MS);
    const rate = Number(values.rate);
    return { beside: sockets, round, side, calls_per_s: rate, ...(await steady(server, clients, rate)) };
  } finally {
    clients.kill();
    await server.stop();
  }
}

async function inFolder(work: (folder: string) => Promise<object>): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "sockets-"));
  try {
    console.log(JSON.stringify(await work(folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const compared = Number(values.beside);
const peer = compared > 0 ? peerStack() : null;
console.log(JSON.stringify({ ...machine(), peer }));
for (const size of values.sizes.split(",").filter(Boolean)) await inFolder((folder) => alone(Number(size), folder));
for (let round = 0; round < Number(values.rounds) && compared > 0; round++) {
  const sides = peer === null ? (["earshot"] as const) : (["earshot", "fastapi"] as const);
  // Turn about, so that nobody always goes first.
  for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
    await inFolder((folder) => beside(compared, folder, round, side));
  }
}

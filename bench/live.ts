/**
 * How long a turn of a call that goes on takes from the moment it is sent (POST) until a socket that follows the call has it
 * with its sentiment: 50 calls with a turn every two seconds each, alone, and beside a bulk import that is enriched.
 * node bench/live.ts [--calls 50 --seconds 20 --busy 40 --bulk 3000]
 */
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { quantile } from "../src/core/stats.ts";
import { generateDemo } from "../src/demo/generate.ts";
import { modelDir } from "../test/support/model.ts";
import { ADMIN_KEY, startEarshot, temporaryFolder } from "../test/support/process.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "50" },
    seconds: { type: "string", default: "20" },
    busy: { type: "string", default: "40" },
    bulk: { type: "string", default: "3000" },
  },
});
const count = Number(values.calls);
const EVERY_MS = 2_000;
const BULK = 500;

interface Turn {
  readonly speaker: string;
  readonly text: string;
}
interface Sent {
  readonly at: number;
  acknowledged: number | null;
  heard: number | null;
}
interface Ready {
  checks: { models: { method: string }; queue: { ready: number; running: number } };
}

/** Texts that no other call has: the model has none of them in its cache. */
function madeUp(seed: number, calls: number, mark: string) {
  return generateDemo({ seed, now: Date.now(), calls }).flatMap(({ call }, i) =>
    call.turns === undefined
      ? []
      : [
          {
            ...call,
            call_id: `${mark}-${i}`,
            turns: call.turns.map((t, k) => ({ ...t, text: `${t.text} (${mark} ${i} ${k})` })),
          },
        ],
  );
}

const folder = await temporaryFolder();
const server = await startEarshot({
  EARSHOT_DATA_DIR: folder.path,
  EARSHOT_MODEL_DIR: await modelDir(),
  EARSHOT_LOG_LEVEL: "warn",
  EARSHOT_RATE_LIMIT: "0",
  EARSHOT_RATE_LIMIT_ADDRESS: "0",
});

async function ok(answer: Promise<Response>): Promise<void> {
  const {
    ok: good,
    status,
    text,
  } = await answer.then(async (a) => ({ ok: a.ok, status: a.status, text: await a.text() }));
  if (!good) throw new Error(`${status} ${text}`);
}

async function until(fits: (ready: Ready) => boolean): Promise<void> {
  while (!fits(await server.get<Ready>("/health/ready"))) await pause(100);
}

/** One call with a socket on it; turns come one after the other for ever. */
async function follow(call_id: string, said: readonly Turn[]) {
  await ok(server.call("POST", "/api/v1/live", { call_id }));
  const ws = new WebSocket(`${server.url.replace("http", "ws")}/ws/sentiment/${call_id}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  const turns: Sent[] = [];
  const greeted = Promise.withResolvers<void>();
  ws.on("message", (data: Buffer) => {
    const { type, turn_index } = JSON.parse(data.toString("utf8")) as { type: string; turn_index: number };
    if (type === "hello") greeted.resolve();
    const turn = turns[turn_index];
    if (type === "sentiment" && turn) turn.heard = performance.now();
  });
  ws.on("error", greeted.reject);
  await greeted.promise;
  return {
    turns,
    async say(): Promise<void> {
      const { speaker, text } = said[turns.length % said.length] as Turn;
      const sent: Sent = { at: performance.now(), acknowledged: null, heard: null };
      const unique = `${text} ${turns.push(sent)}`;
      await ok(server.call("POST", `/api/v1/calls/${call_id}/turns`, { turns: [{ speaker, text: unique }] }));
      sent.acknowledged = performance.now();
    },
    end: () => ws.terminate(),
  };
}
type Followed = Awaited<ReturnType<typeof follow>>;

/** Each call says something every two seconds, at its own moment, whatever the answers do. */
async function talk(calls: readonly Followed[], seconds: number): Promise<Sent[]> {
  const first = performance.now();
  const from = calls.map(({ turns }) => turns.length);
  const under: Promise<void>[] = [];
  const total = Math.floor((seconds * 1_000) / EVERY_MS) * calls.length;
  for (let i = 0; i < total; i++) {
    await pause(Math.max(0, first + (i * EVERY_MS) / calls.length - performance.now()));
    under.push((calls[i % calls.length] as Followed).say());
  }
  await Promise.all(under);
  const sent = calls.flatMap(({ turns }, i) => turns.slice(from[i]));
  const late = performance.now() + 10_000;
  while (sent.some(({ heard }) => heard === null) && performance.now() < late) await pause(20);
  return sent;
}

function report(phase: string, sent: readonly Sent[], more: object = {}): void {
  const of = (key: "acknowledged" | "heard", q: number): number => {
    const took = sent.map((one) => (one[key] ?? Number.POSITIVE_INFINITY) - one.at);
    return Math.round((quantile(took, q) ?? Number.NaN) * 10) / 10;
  };
  const figures = { p50_ms: of("heard", 0.5), p95_ms: of("heard", 0.95), p99_ms: of("heard", 0.99) };
  const acknowledged = { acknowledged_p50_ms: of("acknowledged", 0.5), acknowledged_p95_ms: of("acknowledged", 0.95) };
  const missed = sent.filter(({ heard }) => heard === null).length;
  console.log(
    JSON.stringify({ phase, live_calls: count, turns: sent.length, missed, ...figures, ...acknowledged, ...more }),
  );
}

try {
  console.log(JSON.stringify(machine()));
  const others = madeUp(12, Number(values.bulk), "bulk");
  const own = madeUp(11, count * 2, "live").slice(0, count);
  await until(({ checks }) => checks.models.method === "model");
  const calls = await Promise.all(own.map(({ call_id, turns }) => follow(call_id, turns)));
  await talk(calls, 4);
  report("alone", await talk(calls, Number(values.seconds)));
  const importing = (async () => {
    for (let i = 0; i < others.length; i += BULK) {
      await ok(server.call("POST", "/api/v1/calls/bulk", { calls: others.slice(i, i + BULK) }));
    }
  })();
  const sent = await talk(calls, Number(values.busy));
  await importing;
  const { total } = await server.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1");
  const { checks } = await server.get<Ready>("/health/ready");
  report("beside a bulk import", sent, {
    imported: others.length,
    enriched: total,
    waiting: checks.queue.ready + checks.queue.running,
  });
  for (const call of calls) call.end();
} finally {
  await server.stop();
  await rm(folder.path, { recursive: true, force: true, maxRetries: 5 });
}

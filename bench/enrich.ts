/**
 * node bench/enrich.ts [FOLDER] [--rate 500]   (or EARSHOT_DATA_SETS)
 * The main job on real conversations: a running server, `earshot import` of persuasion-for-good beside it with a row a
 * turn, until nothing waits. Prints calls an hour and the server's peak memory and CPU. With --rate the server answers so
 * many requests a second meanwhile (calls by id and list pages in turn, open loop).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modelDir } from "../test/support/model.ts";
import type { Earshot } from "../test/support/process.ts";
import { runCli, startEarshot } from "../test/support/process.ts";
import { machine } from "./machine.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: "string", default: "0" } },
});
const rate = Number(values.rate);
const folder = positionals[0] ?? process.env["EARSHOT_DATA_SETS"];
if (!folder) throw new Error("name the data's folder: node bench/enrich.ts FOLDER");
const file = join(folder, "persuasion-for-good", "dialogues.csv");
const map = "call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1";

interface Ready {
  checks: { queue: { ready: number; running: number } };
}

const data = await mkdtemp(join(tmpdir(), "earshot-bench-"));
const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: await modelDir(), EARSHOT_LOG_LEVEL: "warn" };
const server = await startEarshot(env);
try {
  console.log(JSON.stringify(machine()));
  const began = performance.now();
  const imported = await runCli(["import", file, "--map", map], env);
  if (imported.code !== 0) throw new Error(imported.stderr);
  const stored = performance.now();
  const { total } = await server.get<{ total: number }>("/api/v1/calls?limit=1");
  const load = rate > 0 ? await serve(server, rate) : null;
  let slowest = 0;
  let asked = 0;
  for (;;) {
    const sent = performance.now();
    const { checks } = await server.get<Ready>("/health/ready");
    slowest = Math.max(slowest, performance.now() - sent);
    asked += 1;
    if (checks.queue.ready + checks.queue.running === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const seconds = (performance.now() - began) / 1000;
  const served = await load?.();
  const enriched = await server.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1");
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  const ticks = (await readFile(`/proc/${server.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  console.log(
    JSON.stringify({
      measure: "import_and_enrich",
      ...served,
      calls: total,
      enriched: enriched.total,
      import_seconds: round((stored - began) / 1000),
      seconds: round(seconds),
      calls_an_hour: Math.round((total / seconds) * 3600),
      peak_rss_mb: Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024),
      // Clock ticks of 10 ms, user and system.
      cpu_ms_a_call: round(((Number(ticks[11]) + Number(ticks[12])) * 10) / total),
      slowest_readiness_ms: round(slowest),
      asked,
    }),
  );
} finally {
  await server.stop();
  await rm(data, { recursive: true, force: true });
}

/** Requests at a steady rate, whatever the answers do; the returned function ends them and tells the latencies. */
async function serve(earshot: Earshot, perSecond: number): Promise<() => Promise<object>> {
  const { calls } = await earshot.get<{ calls: { call_id: string }[] }>("/api/v1/calls?limit=100");
  const took: number[] = [];
  const open = new Set<Promise<void>>();
  const first = performance.now();
  let due = 0;
  let errors = 0;
  const ask = async (i: number) => {
    const call = calls[i % calls.length] as { call_id: string };
    const path = i % 2 === 0 ? `/api/v1/calls/${call.call_id}` : `/api/v1/calls?limit=20&offset=${i % 500}`;
    const answer = await earshot.call("GET", path);
    await answer.arrayBuffer();
    if (!answer.ok) errors++;
  };
  const timer = setInterval(() => {
    for (; first + (due * 1000) / perSecond <= performance.now(); due++) {
      const at = first + (due * 1000) / perSecond;
      const one = ask(due).then(
        () => void took.push(performance.now() - at),
        () => void errors++,
      );
      open.add(one);
      void one.finally(() => open.delete(one));
    }
  }, 1);
  return async () => {
    clearInterval(timer);
    const seconds = (performance.now() - first) / 1000;
    await Promise.all(open);
    took.sort((a, b) => a - b);
    const at = (q: number) => round(took[Math.min(took.length - 1, Math.floor(q * took.length))] ?? 0);
    return { serving_rps: Math.round(took.length / seconds), served_p50_ms: at(0.5), served_p99_ms: at(0.99), errors };
  };
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}

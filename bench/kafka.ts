/**
 * node bench/kafka.ts [--calls 10000] [--turns 20] [--workers 1,2] [--store sqlite|postgres]
 * Calls through Kafka: N calls lie in a topic of a real broker, a server imports and enriches them, alone and with a worker
 * process beside it that shares the cores (half the model threads each), until all are enriched and the topic of events has
 * every event. Every turn is unlike all others, so that no vector comes from a cache. Prints calls an hour accepted and
 * enriched, and where the time went: processor seconds by process and thread, seconds of checking and storing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openTopicOut } from "../src/adapters/kafka/topic-out.ts";
import { findKafka, type KafkaServer, startKafka } from "../test/support/kafka-server.ts";
import { serversAt } from "../test/support/kafka-topics.ts";
import { modelDir } from "../test/support/model.ts";
import { startPostgres, stopPostgres } from "../test/support/postgres-server.ts";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../test/support/process.ts";
import { machine } from "./machine.ts";
import { cpuSeconds } from "./process-cost.ts";
import { seedOf } from "./seeded-calls.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "10000" },
    turns: { type: "string", default: "20" },
    workers: { type: "string", default: "1,2" },
    store: { type: "string", default: "sqlite" },
  },
});
const calls = Number(values.calls);
const BATCH = 2_000;
const LOOK_MS = 200;
const jars = findKafka();
if (jars === undefined) throw new Error("Kafka is not there: node tools/fetch-kafka.ts");

console.log(JSON.stringify(machine()));
for (const workers of values.workers.split(",").map(Number)) {
  const kafka = await startKafka(jars);
  try {
    console.log(JSON.stringify(await measure(kafka, workers)));
  } finally {
    await kafka.close();
  }
}

async function fillTopic({ brokers }: KafkaServer): Promise<number> {
  const out = openTopicOut({ servers: serversAt(brokers), topic: "calls" });
  const seed = seedOf(calls, Number(values.turns));
  let batch: { key: null; value: Buffer }[] = [];
  let bytes = 0;
  let n = 0;
  for (const { call_id, agent_id, customer_id, start_time, duration_seconds, body } of seed.calls()) {
    const lines = seed.texts[body] ?? [];
    const transcript = lines.map((line, i) => `${line} That is number ${n} of ${i}.`).join("\n");
    const start = new Date(start_time).toISOString();
    const call = { call_id, agent_id, customer_id, start_time: start, duration_seconds, transcript };
    const value = Buffer.from(JSON.stringify(call));
    bytes += value.length;
    batch.push({ key: null, value });
    n++;
    if (batch.length < BATCH && n < calls) continue;
    await out.send(batch);
    batch = [];
  }
  await out.close();
  return bytes;
}

async function measure(kafka: KafkaServer, workers: number): Promise<object> {
  const bytes = await fillTopic(kafka);
  const folder = await temporaryFolder();
  const onServer = values.store === "postgres";
  const postgres = onServer ? await startPostgres(join(folder.path, "postgres")) : null;
  const env = {
    EARSHOT_DATA_DIR: join(folder.path, "data"),
    EARSHOT_MODEL_DIR: await modelDir(),
    EARSHOT_MODEL_THREADS: String(Math.max(1, Math.floor(availableParallelism() / workers))),
    EARSHOT_LOG_LEVEL: "warn",
    EARSHOT_RATE_LIMIT: "0",
    EARSHOT_JWT_SECRET: ADMIN_KEY.repeat(2),
    EARSHOT_KAFKA_BROKERS: kafka.brokers,
    EARSHOT_KAFKA_IMPORT_TOPIC: "calls",
    ...(postgres && { EARSHOT_STORE_URL: postgres.url("postgres") }),
  };
  const others: Earshot[] = [];
  const broker = cpuSeconds(kafka.pid());
  const began = performance.now();
  const server = await startEarshot(env);
  try {
    const ready = performance.now();
    for (let i = 1; i < workers; i++) others.push(await startEarshot(env, ["serve", "--role", "worker"]));
    const accepted = await until(server, (now) => now.taken >= calls);
    const enriched = await until(server, (now) => now.taken >= calls && now.waiting === 0);
    const sent = await until(server, (now) => now.waiting === 0 && now.events_behind === 0);
    const seconds = (end: number): number => round((end - ready) / 1000);
    const metrics = await (await server.call("GET", "/metrics")).text();
    const total = (name: string): number => round(Number(new RegExp(`^${name} (.*)$`, "m").exec(metrics)?.[1] ?? 0));
    const { total: made } = await server.get<{ total: number }>("/api/v1/calls?limit=1&state=enriched");
    return {
      measure: "kafka_import",
      store: values.store,
      workers,
      model_threads: Number(env.EARSHOT_MODEL_THREADS) * workers,
      calls,
      turns: Number(values.turns),
      bytes_a_message: Math.round(bytes / calls),
      enriched: made,
      start_seconds: round((ready - began) / 1000),
      accepted_seconds: seconds(accepted),
      enriched_seconds: seconds(enriched),
      events_out_seconds: seconds(sent),
      accepted_an_hour: hourly(accepted - ready),
      enriched_an_hour: hourly(enriched - ready),
      check_seconds: total('earshot_kafka_import_seconds_total{step="check"}'),
      store_seconds: total('earshot_kafka_import_seconds_total{step="store"}'),
      broker_cpu_seconds: round(cpuSeconds(kafka.pid()) - broker),
      cpu_seconds: [server, ...others].map(({ pid }) => round(cpuSeconds(pid))),
      cpu_seconds_by_thread: [server, ...others].map(({ pid }) => byThread(pid)),
    };
  } finally {
    await Promise.all([server, ...others].map((one) => one.stop()));
    if (postgres) stopPostgres(postgres.folder);
    await folder.cleanup();
  }
}

interface Progress {
  readonly taken: number;
  readonly waiting: number;
  readonly events_behind: number;
}

interface Ready {
  readonly checks: { readonly queue: { ready: number; running: number }; readonly kafka: { events_behind: number } };
}

/** When it was so, by performance.now(). */
async function until(server: Earshot, is: (now: Progress) => boolean): Promise<number> {
  for (;;) {
    const metrics = await (await server.call("GET", "/metrics")).text();
    const results = [...metrics.matchAll(/^earshot_kafka_messages_total\{.*\} (\d+)$/gm)];
    const taken = results.reduce((sum, [, n]) => sum + Number(n), 0);
    const { queue, kafka } = ((await (await server.call("GET", "/health/ready")).json()) as Ready).checks;
    if (is({ taken, waiting: queue.ready + queue.running, events_behind: kafka.events_behind }))
      return performance.now();
    await pause(LOOK_MS);
  }
}

/** Processor seconds of the threads of a process that took any, the most first. */
function byThread(pid: number): Record<string, number> {
  const tasks = `/proc/${pid}/task`;
  const found = readdirSync(tasks).map((id): [string, number] => {
    const fields =
      readFileSync(join(tasks, id, "stat"), "utf8")
        .split(") ")[1]
        ?.split(" ") ?? [];
    const name = readFileSync(join(tasks, id, "comm"), "utf8").trim();
    return [`${name} ${id}`, (Number(fields[11]) + Number(fields[12])) / 100];
  });
  return Object.fromEntries(found.filter(([, seconds]) => seconds >= 0.5).toSorted((a, b) => b[1] - a[1]));
}

function hourly(ms: number): number {
  return Math.round((calls / ms) * 3_600_000);
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}

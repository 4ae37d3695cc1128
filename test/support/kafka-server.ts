/** A real Kafka broker (KRaft, one node) of a test's own, on free ports, with its log in a folder that goes with it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { freePort } from "./free-port.ts";
import { temporaryFolder } from "./process.ts";

const CACHE = resolve(import.meta.dirname, "../../.cache");

export interface KafkaServer {
  /** host:port, as EARSHOT_KAFKA_BROKERS takes it. */
  readonly brokers: string;
  /** The same for those who say who they are: ann, with the password hunter2. */
  readonly guarded: string;
  /** SIGKILL; what it had acknowledged is in its folder. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: it keeps its connections and says nothing; `resume` lets it go on. */
  freeze(): void;
  resume(): void;
  /** Ends it and removes what it left. */
  close(): Promise<void>;
  readonly pid: () => number;
}

/** The folder of jars that tools/fetch-kafka.ts filled, where there is a Java to run them. */
export function findKafka(): string | undefined {
  const folder = (existsSync(CACHE) ? readdirSync(CACHE) : []).find((name) => /^kafka-\d/.test(name));
  return folder !== undefined && spawnSync("java", ["-version"]).status === 0 ? join(CACHE, folder) : undefined;
}

/** How long a broker may take to answer. */
const START_MS = 60_000;

/** @param jars the folder that `requirement("kafka")` found */
export async function startKafka(jars: string): Promise<KafkaServer> {
  const { path, cleanup } = await temporaryFolder();
  const [port, controller, guarded] = [await freePort(), await freePort(), await freePort()];
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},SASL_PLAINTEXT://127.0.0.1:${guarded}`,
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config":
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="hunter2";',
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(path, "log"),
    "num.partitions": 3,
    "auto.create.topics.enable": false,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    // A test's first consumer need not wait for others to come.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
  };
  const file = join(path, "server.properties");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(""));
  const java = (...args: string[]): string[] => [
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-cp",
    join(jars, "*"),
    ...args,
  ];
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
  const format = spawnSync("java", java("kafka.tools.StorageTool", "format", "-t", id, "-c", file), {
    encoding: "utf8",
  });
  if (format.status !== 0) throw new Error(`Kafka's folder could not be made:\n${format.stdout}${format.stderr}`);

  const brokers = `127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const started = spawn("java", java("kafka.Kafka", file), { cwd: path, stdio: "ignore" });
    child = started;
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [brokers], retries: 0 });
    const end = performance.now() + START_MS;
    try {
      for (;;) {
        if (
          await admin.metadata({ topics: [], forceUpdate: true }).then(
            () => true,
            () => false,
          )
        )
          return;
        if (started.exitCode !== null || performance.now() > end) throw new Error("Kafka did not start");
        await wait(50);
      }
    } finally {
      await admin.close();
    }
  };
  const kill = async (): Promise<void> => {
    if (child === null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    child = null;
    await ended;
  };
  // A broker must not outlive a test process that ends early.
  process.once("exit", () => child?.kill("SIGKILL"));
  await start();
  return {
    brokers,
    guarded: `127.0.0.1:${guarded}`,
    start,
    kill,
    freeze: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    pid: () => child?.pid ?? 0,
    async close() {
      await kill();
      await cleanup();
    },
  };
}

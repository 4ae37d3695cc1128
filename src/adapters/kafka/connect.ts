/** How this process reaches the brokers, and topics that are made where they are missing. */
import { Admin, type BaseOptions, type Consumer, findErrorBy, type Producer } from "@platformatic/kafka";

export interface KafkaServers {
  /** host:port of some of the brokers; they name the others. */
  readonly brokers: readonly string[];
  readonly tls: boolean;
  readonly sasl: {
    readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
    readonly username: string;
    readonly password: string;
  } | null;
}

/** A broker that says nothing for longer is taken for gone. */
export const SILENCE_MS = 5_000;

/** Nothing is tried again in there: whoever asks decides what comes then. */
export function clientOptions({ brokers, tls, sasl }: KafkaServers): BaseOptions {
  return {
    clientId: "earshot",
    bootstrapBrokers: [...brokers],
    connectTimeout: 2_000,
    requestTimeout: SILENCE_MS,
    timeout: SILENCE_MS,
    retries: 0,
    ...(tls && { tls: {}, tlsServerName: true }),
    ...(sasl && { sasl }),
  };
}

/** Rejects when `work` takes longer than `ms`, or once the signal says so, whatever becomes of it. */
export async function within<T>(ms: number, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Kafka has not answered for ${ms} ms`)), ms);
  const abort = (): void => late.reject(new Error("closed"));
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted === true) abort();
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    // Nobody may be left to hear of it.
    work.catch(() => undefined);
  }
}

/** Closes a client within a second: a broker that is silent, or lets it wait for others, must not keep the process. */
export async function leave(client: Admin | Producer | Consumer): Promise<void> {
  const closing = client instanceof Admin ? client.close() : client.close(true);
  await within(1_000, closing).catch(() => undefined);
  for (const [, { socket }] of client.connections) socket.destroy();
}

/** Makes the topic, with as many parts and copies as the brokers give by default, unless it is there. */
export async function ensureTopic(
  servers: KafkaServers,
  topic: string,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = new Admin(clientOptions(servers));
  admin.on("error", () => undefined);
  try {
    if ((await within(SILENCE_MS, admin.listTopics())).includes(topic)) return;
    const named = Object.entries(configs).map(([name, value]) => ({ name, value }));
    const made = admin.createTopics({ topics: [topic], partitions: -1, replicas: -1, configs: named });
    await within(SILENCE_MS, made);
  } catch (error) {
    // Another process was first.
    if (findErrorBy(error as Error, "apiId", "TOPIC_ALREADY_EXISTS") === null) throw error;
  } finally {
    await leave(admin);
  }
}

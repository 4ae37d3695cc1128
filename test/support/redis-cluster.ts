/** A real Redis Cluster of a test's own: three masters, each with a replica, on free ports, with nothing on disk. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { RedisClient } from "@redis/client";
import { vi } from "vitest";
import { freePort } from "./free-port.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

const NODES = 6;
/** How long a master may be silent before its replica takes over; 15 s where nobody says otherwise. */
const NODE_TIMEOUT_MS = 1_000;

export interface RedisCluster {
  /** redis+cluster:// with all nodes. */
  readonly url: string;
  /** The node that is the master of a key's slot, and its replica as the others know it. */
  masterOf(key: string): Promise<RedisServer>;
  /** A connection to that master. */
  connectTo(key: string): Promise<Client>;
  /** Resolves when every slot has a master that answers. */
  failedOver(): Promise<void>;
  /** Resolves when every slot has a master, each with a replica at its side. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

/** @param program path of redis-server, as `requirement("redis")` found it; redis-cli lies beside it */
export async function startRedisCluster(program: string): Promise<RedisCluster> {
  const options = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": String(NODE_TIMEOUT_MS),
    "repl-diskless-sync-delay": "0",
  };
  const nodes: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    for (let i = 0; i < NODES; i++) nodes.push(await startRedis(program, { ...options, port: await portForNode() }));
    const create = ["--cluster", "create", ...nodes.map(hostOf), "--cluster-replicas", "1", "--cluster-yes"];
    const made = spawnSync(join(dirname(program), "redis-cli"), create, { encoding: "utf8", timeout: 60_000 });
    if (made.status !== 0) throw new Error(`redis-cli ended with ${made.status}:\n${made.stdout}${made.stderr}`);
    const cluster: RedisCluster = {
      url: `redis+cluster://${nodes.map(hostOf).join(",")}`,
      masterOf: (key) =>
        ask(nodes, async (client) => {
          const [slot, ranges] = [await client.clusterKeySlot(key), await client.clusterSlots()];
          const master = ranges.find(({ from, to }) => from <= slot && slot <= to)?.master;
          const found = nodes.find(({ url }) => new URL(url).port === String(master?.port));
          if (!found) throw new Error(`no node has the slot of ${key}`);
          return found;
        }),
      connectTo: async (key) => connect((await cluster.masterOf(key)).url),
      failedOver: () =>
        vi.waitFor(
          () =>
            ask(nodes, async (client) => {
              for (const { master } of await client.clusterSlots()) {
                (await connect(`redis://${master.host}:${master.port}`)).destroy();
              }
            }),
          { timeout: 20_000, interval: 50 },
        ),
      whole: () =>
        vi.waitFor(
          () =>
            ask(nodes, async (client) => {
              const [info, ranges] = [await client.clusterInfo(), await client.clusterSlots()];
              if (!info.includes("cluster_state:ok")) throw new Error(info);
              const alone = ranges.filter(({ replicas }) => replicas.length === 0);
              if (ranges.length === 0 || alone.length > 0) throw new Error(`${alone.length} masters are alone`);
            }),
          { timeout: 20_000, interval: 50 },
        ),
      close,
    };
    await cluster.whole();
    return cluster;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nodes talk to each other on the port that is 10,000 higher. */
async function portForNode(): Promise<string> {
  for (;;) {
    const port = await freePort();
    if (port + 10_000 < 65_536) return String(port);
  }
}

const hostOf = ({ url }: RedisServer): string => new URL(url).host;

/** One class for all nodes: making one takes long. */
const newClient = RedisClient.factory();

type Client = Awaited<ReturnType<typeof connect>>;

async function connect(url: string) {
  const client = newClient({ url, socket: { reconnectStrategy: false, socketTimeout: 5_000 } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Asks the first node that answers: some may be down or silent. */
function ask<T>(nodes: readonly RedisServer[], question: (client: Client) => Promise<T>): Promise<T> {
  const answers = nodes.map(async ({ url }) => {
    const client = await connect(url);
    try {
      return await question(client);
    } finally {
      client.destroy();
    }
  });
  return Promise.any(answers);
}

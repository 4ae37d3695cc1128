/** Connections to Redis: to one server, or in a cluster to the master that has the slot of a key. */
import { RedisClient } from "@redis/client";

const CONNECT_MS = 2_000;
const PING_MS = 1_000;
/** A server that says nothing for so long hangs; with nothing to say it answers reads and pings every second. */
const SILENCE_MS = 2_500;

/** One class for all: createClient makes one of four hundred methods for every address, 40 ms of the event loop each. */
const newClient = RedisClient.factory();

export type Connection = Awaited<ReturnType<typeof open>>;

/**
 * A connection for `key` and all keys with the same part in braces. It follows no redirections and does not connect
 * again: once its commands are rejected, whoever has it asks for another one, which finds who has the slot by then.
 * @param url redis:// or rediss://, with what else a Redis URL says; redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT
 *   names some nodes of a cluster
 * @throws where no server answers, all refuse us or turn silent, and once `signal` says so
 */
export async function connect(url: string, key: string, signal: AbortSignal): Promise<Connection> {
  const nodes = clusterNodes(url);
  return open(nodes === null ? url : await findMaster(nodes, key, signal), signal);
}

/** The URL of each node that the URL of a cluster names; null where it is none. */
export function clusterNodes(url: string): string[] | null {
  const [, scheme, access = "", hosts = ""] = /^(rediss?)\+cluster:\/\/(.*@)?([^/?#]+)/.exec(url) ?? [];
  return scheme === undefined ? null : hosts.split(",").map((host) => `${scheme}://${access}${host.trim()}`);
}

async function open(url: string, signal: AbortSignal) {
  const client = newClient({
    url,
    // Whoever asks is to know at once, and decides what comes then.
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
  });
  // What goes wrong rejects the commands under way, and the next ones.
  client.on("error", () => {});
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    await Promise.race([client.connect(), aborted.promise]);
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return client;
}

/** Asks all nodes at once: some may be down or silent. */
async function findMaster(nodes: readonly string[], key: string, signal: AbortSignal): Promise<string> {
  const known = new AbortController();
  const until = AbortSignal.any([signal, known.signal]);
  try {
    return await Promise.any(nodes.map((node) => askForMaster(node, key, until)));
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    known.abort(new Error("another node has answered"));
  }
}

async function askForMaster(node: string, key: string, signal: AbortSignal): Promise<string> {
  const client = await open(node, signal);
  try {
    const [slot, ranges] = await Promise.all([client.clusterKeySlot(key), client.clusterSlots()]);
    const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
    if (range === undefined) throw new Error(`no node of the cluster has slot ${slot}`);
    const { host, port } = range.master;
    const found = new URL(node);
    // A node that does not know what others call it leaves its name out.
    if (host) found.hostname = host.includes(":") ? `[${host}]` : host;
    found.port = String(port);
    return found.href;
  } finally {
    client.destroy();
  }
}

/** Rejects as soon as one of the connections is lost or closed. */
export function ended(connections: readonly Connection[]): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const connection of connections) {
    connection.on("error", reject);
    connection.on("end", () => reject(new Error("the connection has ended")));
  }
  // Whoever does not wait for it does not mind.
  promise.catch(() => {});
  return promise;
}

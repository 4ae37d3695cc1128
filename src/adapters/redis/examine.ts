import type { RedisState } from "../../ports/dispatch.ts";
import { clusterNodes, connect } from "./connect.ts";

const PATIENCE_MS = 4_000;

/** Looks at the Redis of this URL (as connect.ts takes it) without changing it. */
export async function examineRedis(url: string): Promise<RedisState> {
  const unknown = { version: null, cluster: clusterNodes(url) !== null, misses_slots: false };
  try {
    const client = await connect(url, "earshot", AbortSignal.timeout(PATIENCE_MS));
    try {
      const info = await client.info("server");
      const field = (name: string): string | null => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? null;
      const cluster = field("redis_mode") === "cluster";
      const whole = !cluster || (await client.clusterInfo()).includes("cluster_state:ok");
      return { problem: null, version: field("redis_version"), cluster, misses_slots: !whole };
    } finally {
      client.destroy();
    }
  } catch (error) {
    return { ...unknown, problem: error instanceof Error ? error.message || error.name : String(error) };
  }
}

/** Where it is, without whose name and password open it. */
export function redisName(url: string): string {
  const nodes = clusterNodes(url);
  const hosts = (nodes ?? [url]).map((node) => new URL(node).host);
  return nodes === null ? `Redis ${hosts.join()}` : `Redis cluster ${hosts.join(", ")}`;
}

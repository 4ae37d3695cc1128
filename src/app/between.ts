/** What processes on one store share: events, notices of work, figures. */
import { memoryCache } from "../adapters/cache/memory.ts";
import { logStream } from "../adapters/sql/log-stream.ts";
import { pollingDispatch } from "../adapters/sql/polling-dispatch.ts";
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import type { Cache } from "../ports/cache.ts";
import type { Dispatch } from "../ports/dispatch.ts";
import type { Stream } from "../ports/stream.ts";
import { logName } from "./store.ts";

/** Events that no relay has copied to Redis by then are copied by whoever waits for them, ms. */
const STANDBY_MS = 150;

/** How the processes on this store hear of each other's events. */
export async function openStream(
  config: Config,
  store: Store,
  onChange: (problem: string | null) => void,
): Promise<Stream> {
  if (config.streamUrl === null) return logStream(store.events);
  // Its client takes a tenth of a second to load: only who uses it waits for that.
  const { openRedisStream } = await import("../adapters/redis/stream.ts");
  return openRedisStream({
    url: config.streamUrl,
    log: store.events,
    log_id: await logName(store),
    onChange,
    standby_ms: STANDBY_MS,
  });
}

/** Where figures are kept, and why they are not where they should be; null while all is well. */
export async function openCache(
  config: Config,
  store: Store,
  onChange: (problem: string | null) => void,
): Promise<Cache & { problem(): string | null }> {
  if (config.cacheUrl === null) return { ...memoryCache(), problem: () => null };
  const { openRedisCache } = await import("../adapters/redis/cache.ts");
  return openRedisCache({ url: config.cacheUrl, log_id: await logName(store), onChange });
}

/** How the workers on this store hear of work. */
export async function openDispatch(
  config: Config,
  store: Store,
  stream: Stream,
  options: { takes: boolean; onChange: (problem: string | null) => void },
): Promise<Dispatch> {
  const { work } = store;
  const standIn = (): Dispatch => pollingDispatch({ events: stream, work });
  if (config.dispatchUrl === null) return standIn();
  const { openRedisDispatch } = await import("../adapters/redis/dispatch.ts");
  return openRedisDispatch({ url: config.dispatchUrl, log_id: await logName(store), work, standIn, ...options });
}

/** What there is to know about each Redis that the settings name. */
export async function redisStates({ streamUrl, dispatchUrl, cacheUrl }: Config) {
  const named = { EARSHOT_STREAM_URL: streamUrl, EARSHOT_DISPATCH_URL: dispatchUrl, EARSHOT_CACHE_URL: cacheUrl };
  const settings = Object.groupBy(Object.entries(named), ([, url]) => url ?? "");
  const urls = Object.keys(settings).filter((url) => url !== "");
  if (urls.length === 0) return [];
  const { examineRedis, redisName } = await import("../adapters/redis/examine.ts");
  return Promise.all(
    urls.map(async (url) => ({
      state: await examineRedis(url),
      name: redisName(url),
      settings: (settings[url] ?? []).map(([name]) => name),
      asCluster: /^rediss?\+cluster:/.test(url),
    })),
  );
}

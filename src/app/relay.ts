/** What one of all relays does at a time. */
import { once } from "node:events";
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Lake } from "../ports/lake.ts";
import type { Stream } from "../ports/stream.ts";
import { keepLake } from "../services/lake-writer.ts";
import type { Duty } from "../services/relay.ts";
import { lakeDeps } from "./lake.ts";

interface Duties {
  readonly duties: readonly Duty[];
  /** Why the lake does not follow the store, while this process keeps it; absent: there is none. */
  readonly lake?: () => string | null;
}

/**
 * What follows the log for somewhere else, in one of all relays at a time: each is started under a lease of its own, and
 * again where it failed.
 */
export function relayDuties(
  config: Config,
  parts: { store: Store; stream: Stream; lake: Lake | null; metrics: Metrics; log: Log },
): Duties {
  const { store, stream, lake, metrics, log } = parts;
  const duties: Duty[] = [];
  if (stream.copy) duties.push({ name: "stream", run: stream.copy.bind(stream) });
  if (config.lake === null || lake === null) return { duties };
  const { interval } = config.lake;
  let problem: string | null = null;
  const onChange = (now: string | null): void => {
    problem = now;
    metrics.degraded("lake", now !== null);
    if (now === null) log.info("the lake follows the store");
    else log.warn({ problem: now }, "the lake does not follow the store; it will be tried again");
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    const keeper = keepLake({
      ...(await lakeDeps(config, store, stream, lake)),
      interval_ms: interval * 1_000,
      onChange,
    });
    if (!signal.aborted) await once(signal, "abort");
    await keeper.stop();
  };
  duties.push({ name: "lake", run });
  return { duties, lake: () => problem };
}

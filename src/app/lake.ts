/** The lake of the settings, kept or for one command. */
import { join } from "node:path";
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Events } from "../ports/events.ts";
import type { Lake } from "../ports/lake.ts";
import { writeLake } from "../services/lake-writer.ts";
import type { LakeStep, LakeWriterDeps } from "../services/lake-writer.ts";
import { logName, withStore } from "./store.ts";

/** The lake of the settings; opening it touches nothing. */
export async function openLakeOf({ lake, dataDir, timezone }: Config): Promise<Lake> {
  if (lake === null) throw new AppError("validation", "EARSHOT_LAKE_URL is not set: there is no lake");
  const { openLake } = await import("../adapters/lake/open.ts");
  return openLake({ place: lake.place, cacheFolder: join(dataDir, "lake"), timezone, now: Date.now });
}

/** What the lake of the settings is written from. */
export async function lakeDeps(config: Config, store: Store, events: Events, lake: Lake): Promise<LakeWriterDeps> {
  const terms = { log_id: await logName(store), timezone: config.timezone, text: config.lake?.text ?? false };
  return { lake, events, reads: store.reads, terms };
}

/** Opens the lake for one command and closes it whatever happens. */
export async function withLake<T>(config: Config, use: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLakeOf(config);
  try {
    return await use(lake);
  } finally {
    await lake.close();
  }
}

/** `lake write`: all that is new, by this process. */
export function writeLakeHere(
  config: Config,
  onStep: (step: LakeStep) => void,
): Promise<{ rows: number; seq: number }> {
  return withLake(config, (lake) =>
    withStore(config, async (store) => writeLake(await lakeDeps(config, store, store.events, lake), onStep)),
  );
}

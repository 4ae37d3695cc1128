import type { Models, Vectors, Work } from "../ports.ts";

export interface Readiness {
  readonly status: "ok" | "degraded" | "unavailable";
  readonly degraded: readonly string[];
  readonly checks: Readonly<Record<string, { readonly ok: boolean } & Readonly<Record<string, unknown>>>>;
}

/** A store that takes longer than this to count its work is as good as gone. */
const PATIENCE_MS = 2_000;
/** Work that waits longer than this is said to lag. */
const LAG_MS = 300_000;

/** Looks at store, queue, models and index. Only a store that does not answer, or a shutdown, makes it unavailable. */
export async function readiness(
  deps: { work: Pick<Work, "depth">; models: Pick<Models, "describe">; vectors: Pick<Vectors, "describe"> },
  input: { draining: boolean },
): Promise<Readiness> {
  const [depth, index] = await Promise.all([inTime(deps.work.depth()), inTime(deps.vectors.describe())]);
  const model = deps.models.describe();
  const lagging = depth !== null && depth.oldest_ms > LAG_MS;
  const checks = {
    store: { ok: depth !== null },
    queue: { ok: depth !== null && !lagging, ...depth },
    models: {
      ok: model.method === "model",
      method: model.method,
      model: model.model,
      ...(model.problem !== null && { problem: model.problem }),
    },
    index: { ok: index !== null, ...(index && { rows: index.rows }) },
    server: { ok: !input.draining },
  };
  const degraded = Object.entries(checks)
    .filter(([name, check]) => !check.ok && !(name === "queue" && depth === null))
    .map(([name]) => name);
  const unavailable = depth === null || input.draining;
  return { status: unavailable ? "unavailable" : degraded.length > 0 ? "degraded" : "ok", degraded, checks };
}

/** null when it fails or takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([answer, promise]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

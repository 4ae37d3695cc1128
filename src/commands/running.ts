/** What `serve` and `demo` share: set-up progress on stderr, and a clean end on a signal. */
import { start } from "../app/start.ts";
import type { Running } from "../app/start.ts";
import type { Config } from "../config.ts";
import type { ProcessRoles } from "../core/process-roles.ts";
import { bar, progressLine } from "./context.ts";
import { announce } from "./server-file.ts";

/** Starts the product; the model's set-up, if it is needed, shows on stderr while the server is up already. */
export async function startWithProgress(config: Config, roles: ProcessRoles): Promise<Running> {
  const line = progressLine();
  const running = await start(config, {
    roles,
    onProgress: (p) => {
      const text = p.total !== undefined && p.done !== undefined ? `${p.message} ${bar(p.done / p.total)}` : p.message;
      if (p.step === "done") line.end(text);
      else line.show(text);
    },
  });
  // Commands ask whoever serves the API.
  if (!roles.has("api")) return running;
  let takeBack: () => void;
  try {
    takeBack = announce(config, running.url);
  } catch (error) {
    // Otherwise it would listen on, after having said that it failed.
    await running.close();
    throw error;
  }
  return {
    ...running,
    close() {
      takeBack();
      return running.close();
    },
  };
}

function impatient(): never {
  process.exit(130);
}

/** Nothing may keep a process from ending for longer than an orchestrator waits before it kills. */
const BOUND_MS = 9_500;

/** The same where requests are taken for a while after the signal. */
export function shutdownBound({ drainDelay }: Pick<Config, "drainDelay">): number {
  return BOUND_MS + drainDelay * 1_000;
}

/**
 * Waits for SIGINT or SIGTERM, then closes in order; a second signal ends at once. Exits with 1 where a part did not
 * close, or where the process has not ended by itself within `bound_ms`.
 */
export async function untilSignal(running: Pick<Running, "close" | "log">, bound_ms = BOUND_MS): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
  const signal = await promise;
  running.log.info({ signal }, "shutting down");
  process.once("SIGINT", impatient);
  process.once("SIGTERM", impatient);
  const late = setTimeout(() => {
    running.log.error({ bound_ms }, "the shutdown did not end in time: ending without it");
    process.exit(1);
  }, bound_ms);
  const unwell = await running.close();
  if (unwell.length > 0) process.exit(1);
  // From here on it only counts for what else keeps the process alive.
  late.unref();
  process.off("SIGINT", impatient);
  process.off("SIGTERM", impatient);
}

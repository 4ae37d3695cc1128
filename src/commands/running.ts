/** What `serve` and `demo` share: set-up progress on stderr, and a clean end on a signal. */
import { start } from "../app.ts";
import type { Role, Running } from "../app.ts";
import type { Config } from "../config.ts";
import { bar, progressLine } from "./context.ts";

/** Starts the product; the model's set-up, if it is needed, shows on stderr while the server is up already. */
export function startWithProgress(config: Config, role: Role): Promise<Running> {
  const line = progressLine();
  return start(config, {
    role,
    onProgress: (p) => {
      const text = p.total !== undefined && p.done !== undefined ? `${p.message} ${bar(p.done / p.total)}` : p.message;
      if (p.step === "done") line.end(text);
      else line.show(text);
    },
  });
}

function impatient(): never {
  process.exit(130);
}

/** Waits for SIGINT or SIGTERM, then closes in order; a second signal ends at once. */
export async function untilSignal(running: Running): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
  const signal = await promise;
  running.log.info({ signal }, "shutting down");
  process.once("SIGINT", impatient);
  process.once("SIGTERM", impatient);
  await running.close();
  process.off("SIGINT", impatient);
  process.off("SIGTERM", impatient);
}

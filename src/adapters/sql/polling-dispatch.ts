/** Workers look into the store themselves: when its log has grown, and twice a second. */
import type { Dispatch, Order } from "../../ports/dispatch.ts";
import type { Events } from "../../ports/events.ts";
import type { Work } from "../../ports/work.ts";

/** Retries and expired leases have no event of their own. */
const IDLE_MS = 500;

/** The Dispatch port without any other server. */
export function pollingDispatch(deps: { events: Pick<Events, "onChange">; work: Pick<Work, "depth"> }): Dispatch {
  const waiting = new Set<() => void>();
  let version = 0;
  /** The version at which nothing was due. */
  let dry = -1;
  const unsubscribe = deps.events.onChange(() => {
    version++;
    for (const go of waiting) go();
  });

  const orderAt = (seen: number): Order => ({
    call_nos: null,
    taken(count) {
      dry = count > 0 ? -1 : seen;
    },
    done: () => {},
  });

  /** Resolves with the next event, after IDLE_MS, or when the signal is aborted. */
  const soon = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        waiting.delete(go);
        signal.removeEventListener("abort", go);
        resolve();
      };
      const timer = setTimeout(go, IDLE_MS);
      waiting.add(go);
      signal.addEventListener("abort", go);
      if (signal.aborted) go();
    });

  return {
    // Nobody is told: they look.
    dispatch: () => {},
    async take(_n, signal) {
      if (dry === version) await soon(signal);
      return signal.aborted ? null : orderAt(version);
    },
    depth: async () => (await deps.work.depth()).ready,
    problem: () => null,
    async close() {
      unsubscribe();
      for (const go of waiting) go();
    },
  };
}

/** Clients that send calls through a proxy in front of several processes, until each is acknowledged. */
import { setTimeout as pause } from "node:timers/promises";
import { AUTHORIZED } from "./several.ts";

export interface Written {
  /** Calls acknowledged; each was sent until it was. */
  readonly acknowledged: ReadonlySet<string>;
  /** Sendings that got no answer, or one of the proxy's own. */
  readonly failures: () => number;
  /** No more new calls; resolves when the last is acknowledged. */
  stop(): Promise<void>;
}

/** `lanes` clients at once, each one call after the other; `rate` calls a second of all of them at most. */
export function spreadWrites(url: string, { lanes, rate }: { lanes: number; rate: number }): Written {
  const acknowledged = new Set<string>();
  let going = true;
  let failures = 0;
  const send = async (call_id: string): Promise<boolean> => {
    const transcript = `Agent: How can I help?\nCustomer: The invoice of ${call_id} is wrong and I am tired of it.`;
    const body = JSON.stringify({ call_id, agent_id: `agent-${call_id.length % 3}`, transcript });
    const headers = { ...AUTHORIZED, "content-type": "application/json" };
    const response = await fetch(`${url}/api/v1/calls`, { method: "POST", headers, body }).catch(() => null);
    await response?.arrayBuffer().catch(() => null);
    // Nobody listens, the connection broke: the same call is sent again, and stored once.
    if (response === null || response.status === 502 || response.status === 504) return false;
    if (response.status !== 202) throw new Error(`POST of ${call_id}: ${response.status}`);
    return true;
  };
  const lane = async (number: number): Promise<void> => {
    const began = performance.now();
    for (let i = 0; going; i++) {
      await pause(Math.max(0, began + ((i * lanes + number) * 1_000) / rate - performance.now()));
      if (!going) return;
      const call_id = `w${number}-${i}`;
      while (!(await send(call_id))) failures++;
      acknowledged.add(call_id);
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  // Whoever stops it hears of an error.
  running.catch(() => {
    going = false;
  });
  return {
    acknowledged,
    failures: () => failures,
    async stop() {
      going = false;
      await running;
    },
  };
}

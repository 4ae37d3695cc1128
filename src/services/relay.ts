/** What one process does at a time although several stand by: copies of the log elsewhere, for the most part. */
import { setTimeout as delay } from "node:timers/promises";
import type { Jobs } from "../ports/jobs.ts";
import { LEASE_TIMES, takeLease } from "./lease.ts";
import type { LeaseTimes } from "./lease.ts";

/** One such thing. Each has a lease of its own, so that several relays share them. */
export interface Duty {
  /** Names it in the store, metrics and logs: lower case, a word. */
  readonly name: string;
  /**
   * Goes on until the signal aborts, and resolves soon after that. Another process may begin seconds later, and one that
   * was stopped for long (a suspended machine) may do one thing more: what it does elsewhere must bear a repeat, and a
   * position is moved by `moveBookmark`. @throws what keeps it from going on; some relay then starts it again
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface RelayDeps {
  readonly jobs: Pick<Jobs, "bookmark" | "moveBookmark">;
  /** Names this process among others; never used twice. */
  readonly holder: string;
  readonly onError: (duty: string, error: unknown) => void;
  /** Told when a duty begins here, and when it has ended. */
  readonly onChange: (duty: string, active: boolean) => void;
  /** Shorter ones in tests. */
  readonly times?: LeaseTimes;
  readonly pause_ms?: readonly [number, number];
}

export interface Relay {
  /** The duties this process does now. */
  active(): string[];
  /** Those that failed here and have not been taken up again since, here. */
  failing(): string[];
  /** Ends what goes on and gives it to whoever stands by. */
  stop(): Promise<void>;
}

/** First and longest pause before a duty that failed is tried again here. */
const PAUSE_MS = [500, 30_000] as const;
/** A duty that went on for so long has not failed at the same thing again. */
const STEADY_MS = 60_000;

/** Starts the duties, each as soon as no other process does it. Without any nothing is asked of the store. */
export function startRelay(deps: RelayDeps, duties: readonly Duty[]): Relay {
  const stopping = new AbortController();
  const active = new Set<string>();
  const failing = new Set<string>();
  const { jobs, holder, times = LEASE_TIMES, pause_ms: [first, longest] = PAUSE_MS } = deps;

  /** One turn of the duty. @throws what ended it */
  const doOnce = async (duty: Duty): Promise<void> => {
    const lease = await takeLease({ jobs, times }, { name: `relay.${duty.name}`, holder, signal: stopping.signal });
    if (lease === null) return;
    active.add(duty.name);
    deps.onChange(duty.name, true);
    try {
      const signal = AbortSignal.any([stopping.signal, lease.lost]);
      await duty.run(signal);
      if (!signal.aborted) throw new Error(`${duty.name} ended by itself`);
      failing.delete(duty.name);
    } finally {
      active.delete(duty.name);
      deps.onChange(duty.name, false);
      await lease.giveBack();
    }
  };
  const doAlways = async (duty: Duty): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const began = performance.now();
      try {
        await doOnce(duty);
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        failing.add(duty.name);
        deps.onError(duty.name, error);
        if (performance.now() - began > STEADY_MS) failures = 0;
        const pause = Math.min(longest, first * 2 ** failures++) * (0.5 + Math.random() / 2);
        await delay(pause, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const running = duties.map(doAlways);
  return {
    active: () => [...active],
    failing: () => [...failing],
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

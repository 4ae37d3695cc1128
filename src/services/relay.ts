/** What one process does at a time although several stand by: copies of the log elsewhere, for the most part. */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../observe/logger.ts";
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
  readonly log: Pick<Log, "info" | "error">;
  /** Told when a duty has failed here, and when none that did is left. */
  readonly onChange: (failing: boolean) => void;
  /** Shorter ones in tests. */
  readonly times?: LeaseTimes;
  readonly pause_ms?: readonly [number, number];
}

export interface Relay {
  /** The duties this process does now. */
  active(): string[];
  /** Those that failed here and are not to be tried again yet. */
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
  const { jobs, holder, log, times = LEASE_TIMES, pause_ms: [first, longest] = PAUSE_MS } = deps;

  /** One turn of the duty. @throws what ended it */
  const doOnce = async (duty: Duty): Promise<void> => {
    const lease = await takeLease({ jobs, times }, { name: `relay.${duty.name}`, holder, signal: stopping.signal });
    if (lease === null) return;
    const signal = AbortSignal.any([stopping.signal, lease.lost]);
    active.add(duty.name);
    log.info({ duty: duty.name }, "this relay has taken it over");
    try {
      await duty.run(signal);
      if (!signal.aborted) throw new Error(`${duty.name} ended by itself`);
    } catch (error) {
      // Whoever was told to stop may do so by throwing.
      if (!signal.aborted) throw error;
    } finally {
      active.delete(duty.name);
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
        deps.onChange(true);
        log.error({ error, duty: duty.name }, "what a relay does failed; it is tried again, here or by another");
        if (performance.now() - began > STEADY_MS) failures = 0;
        const pause = Math.min(longest, first * 2 ** failures++) * (0.5 + Math.random() / 2);
        await delay(pause, undefined, { signal: stopping.signal }).catch(() => {});
        failing.delete(duty.name);
        deps.onChange(failing.size > 0);
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

/** Work that goes on step by step until it is stopped, and through whatever fails: with a growing pause, and said once. */
import { setTimeout as delay } from "node:timers/promises";

/** Pause after a failure: doubled from the first up to the longest, with jitter. */
const PAUSE_MS = [200, 2_000] as const;
/** How long a stop waits for the step under way before it is cut short. */
const STOP_MS = 1_000;

export interface Steady {
  /** Why it does not get on; null while it does. */
  problem(): string | null;
  /** Resolves when the step under way has ended; one that takes long is cut short by closing what it works with. */
  stop(): Promise<void>;
}

export interface SteadyDeps {
  /** Ends soon when the signal is aborted. */
  readonly step: (signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Told the first problem, and null when a step after it succeeds; another problem is no news. */
  readonly onChange: (problem: string | null) => void;
  /** Before the pause after each failure; what it throws is passed over. */
  readonly onFailure?: () => Promise<void>;
  /** Makes the step under way end: it may reject. */
  readonly close: () => Promise<unknown>;
}

export function startSteady({ step, random, onChange, onFailure, close }: SteadyDeps): Steady {
  const stopping = new AbortController();
  const { signal } = stopping;
  let problem: string | null = null;
  let failures = 0;

  const say = (what: string | null): void => {
    const news = (problem === null) !== (what === null);
    problem = what;
    if (news) onChange(what);
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await step(signal);
        failures = 0;
        say(null);
      } catch (error) {
        if (signal.aborted) return;
        say(error instanceof Error ? error.message : String(error));
        await onFailure?.().catch(() => undefined);
        const pause = Math.min(PAUSE_MS[1], PAUSE_MS[0] * 2 ** Math.min(failures++, 10)) * (0.5 + random() / 2);
        await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  };
  const running = run();

  return {
    problem: () => problem,
    async stop() {
      stopping.abort();
      await Promise.race([running, delay(STOP_MS, undefined, { ref: false })]);
      await close();
      await running;
    },
  };
}

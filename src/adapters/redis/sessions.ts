import { setTimeout as delay } from "node:timers/promises";

/** Pause before the next try to connect: doubled from the first up to the longest, with jitter. */
const PAUSE_MS = [100, 5_000] as const;

export interface Session {
  /** Aborted when all is to end. */
  readonly signal: AbortSignal;
  /** All is well from now on, until the session ends. */
  readonly whole: () => void;
}

/** One session with a server after the other, each until its connection is lost, for as long as it takes. */
export class Sessions {
  readonly #run: (session: Session) => Promise<never>;
  readonly #onChange: (problem: string | null) => void;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #problem: string | null = "not connected yet";
  /** What was told last; null: nothing yet. */
  #told: "whole" | "away" | null = null;

  /** `run` connects and rejects once it has lost the connection, or its signal is aborted; `onChange` is told as of `problem`. */
  constructor(run: (session: Session) => Promise<never>, onChange: (problem: string | null) => void) {
    this.#run = run;
    this.#onChange = onChange;
    this.#running = this.#keep();
  }

  /** Why the server is away; null while a session is whole. */
  get problem(): string | null {
    return this.#problem;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    const whole = (): void => {
      failures = 0;
      this.#say(null);
    };
    while (!signal.aborted) {
      try {
        await this.#run({ signal, whole });
      } catch (error) {
        if (signal.aborted) return;
        this.#say(error instanceof Error ? error.message || error.name : String(error));
        await pause(Math.min(PAUSE_MS[1], PAUSE_MS[0] * 2 ** failures++) * (0.5 + Math.random() / 2), signal);
      }
    }
  }

  #say(problem: string | null): void {
    this.#problem = problem;
    const state = problem === null ? "whole" : "away";
    // Another reason is no news.
    if (this.#told === state) return;
    this.#told = state;
    this.#onChange(problem);
  }
}

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false }).catch(() => {});
}

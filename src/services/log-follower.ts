/**
 * Follows the event log for the streams of this process: one reader however many listen. What happened in another
 * process shows as well. While nobody listens nothing is read.
 */
import { EVERYTHING } from "../core/call.ts";
import type { EventRow, Events } from "../ports/events.ts";

const STEP = 500;
const RETRY_MS = 1_000;

/** Events in order: all that happened after `from`, up to `to`. */
export interface LogStep {
  readonly from: number;
  readonly to: number;
  readonly events: readonly EventRow[];
}

interface LogListener {
  /** Reads what `take` will need; before the position moves. */
  prepare?(step: LogStep): Promise<void>;
  /** The position is `to` now. The next step waits for the promise. */
  take(step: LogStep): void | Promise<void>;
  /** What came next is gone from the log, or the log is another one: the position is `to` now. */
  lost?(to: number, oldest: number): void;
}

export interface LogFollower {
  listen(listener: LogListener): void;
  /** Somebody follows from now on: everything after the answer is told. Each enter needs a `leave`. */
  enter(): Promise<number>;
  leave(): void;
  /** All up to here has been told to listeners; 0 while nobody follows. */
  position(): number;
  /** Resolves when what is in the log now has been told. @throws what kept it from being read */
  catchUp(): Promise<void>;
  stop(): void;
}

export function followLog({ events, onError }: { events: Events; onError: (error: unknown) => void }): LogFollower {
  const listeners: LogListener[] = [];
  let followers = 0;
  /** null: nobody follows, or not read yet. */
  let position: number | null = null;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let failure: unknown = null;
  let retry: NodeJS.Timeout | undefined;

  /** False when there is nothing new. */
  async function step(): Promise<boolean> {
    const from = position;
    if (from === null || stopped) return false;
    const page = await events.after(from, STEP, EVERYTHING);
    // Everybody left meanwhile, and perhaps somebody else came.
    if (position !== from) return position !== null;
    if (page.oldest > from + 1 || page.head < from) {
      position = page.head;
      for (const listener of listeners) listener.lost?.(page.head, page.oldest);
      return false;
    }
    const to = page.events.at(-1)?.seq ?? from;
    if (to === from) return false;
    const taken: LogStep = { from, to, events: page.events };
    for (const listener of listeners) await listener.prepare?.(taken);
    if (position !== from) return position !== null;
    position = to;
    await Promise.all(listeners.map(async (listener) => listener.take(taken)));
    return true;
  }

  async function run(): Promise<void> {
    try {
      while (again) {
        again = false;
        while (await step());
      }
      failure = null;
    } catch (error) {
      failure = error;
      if (stopped) return;
      onError(error);
      retry = setTimeout(() => void kick(), RETRY_MS);
      retry.unref();
    } finally {
      running = null;
    }
  }

  function kick(): Promise<void> {
    again = true;
    running ??= run();
    return running;
  }

  const unsubscribe = events.onChange(() => {
    if (followers > 0) void kick();
  });

  return {
    listen: (listener) => void listeners.push(listener),
    async enter() {
      followers++;
      if (position === null) {
        const head = await events.head();
        position ??= head;
      }
      return position;
    },
    leave() {
      followers--;
      if (followers === 0) position = null;
    },
    position: () => position ?? 0,
    async catchUp() {
      await kick();
      if (failure !== null) throw failure;
    },
    stop() {
      stopped = true;
      unsubscribe();
      clearTimeout(retry);
    },
  };
}

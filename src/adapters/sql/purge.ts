/** Retention: erasing the oldest calls in small transactions, with pauses in which other writes go first. */
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../errors.ts";
import type { Calls } from "../../ports/calls.ts";
import type { LoopReader } from "./loop-reader.ts";
import { CALLS } from "./statements.ts";
import type { Writer } from "./writer.ts";

/**
 * What is done in one transaction, one to two ms: what a neighbour waits. Calls whose words stay for now, turns taken out of
 * the full text (about 1 ms each at COMMIT), pages of full text dropped.
 */
const STEP = { calls: 2, turns: 1, pages: 16 };
/** Where there are no neighbours. */
const HURRIED = { calls: 200, turns: 200, pages: 2_000 };
/** Free pages given back in one transaction: half a megabyte. */
const PAGES = 128;
/** A step is followed by a pause this many times as long as it took, so that fewer than two of a hundred writes meet one. */
const PAUSE = 60;
/** The same after turns were taken out, of which a call has dozens. */
const TURN_PAUSE = 14;
const MIN_PAUSE_MS = 10;
/** Where the disk is slow, so are all writes, and a step among them is noticed no more. */
const MAX_PAUSE_MS = 120;
/** Calls after which free pages are given back, and log pages go into the file, so that neither heaps up. */
const TIDY_EVERY = 500;
/** Tries to empty the log at the end; a reader in the way lets it be emptied by a later write. */
const SCRUBS = 20;
const COUNT_STEP = 20_000;

interface Deps {
  readonly writer: Writer;
  readonly now: () => number;
}

interface Pace {
  readonly signal: AbortSignal | undefined;
  readonly hurry: boolean;
}

export async function purgeSlowly(
  deps: Deps,
  before: number,
  { onProgress, signal, hurry = false, recurring = false }: NonNullable<Parameters<Calls["purge"]>[1]>,
): Promise<number> {
  const { writer, now } = deps;
  const pace: Pace = { signal, hurry };
  const { calls, turns } = hurry ? HURRIED : STEP;
  let erased = 0;
  let tidied = 0;
  while (signal?.aborted !== true) {
    const step = await paced(
      pace,
      () => writer.run("purge", { before, calls, turns, recurring }, now()),
      ({ words }) => (words ? TURN_PAUSE : PAUSE),
    );
    erased += step.erased;
    onProgress?.(erased);
    if (step.finished) break;
    if (erased - tidied < TIDY_EVERY) continue;
    tidied = erased;
    await giveBack(deps, pace);
  }
  const dropped = await dropWords(deps, pace);
  if (erased === 0 && !dropped) return 0;
  await giveBack(deps, pace);
  for (let i = 0; i < SCRUBS && !(await writer.scrub()); i++) await pause(MIN_PAUSE_MS * TURN_PAUSE, signal);
  return erased;
}

/** Drops the full text of which all calls are gone; whether there was any. */
async function dropWords({ writer, now }: Deps, pace: Pace): Promise<boolean> {
  const { pages } = pace.hurry ? HURRIED : STEP;
  let any = false;
  while (pace.signal?.aborted !== true) {
    const step = () => writer.run("dropWords", { pages }, now());
    if (!(await paced(pace, step, () => 2 * PAUSE))) break;
    any = true;
  }
  return any;
}

async function giveBack({ writer, now }: Deps, pace: Pace): Promise<void> {
  while (pace.signal?.aborted !== true) {
    const step = () => writer.run("giveBack", { pages: PAGES }, now());
    if ((await paced(pace, step, () => PAUSE)) === 0) return;
  }
}

/** Runs a step, then leaves the writer to others for several times as long. A foreign lock is waited out. */
async function paced<T>({ signal, hurry }: Pace, step: () => Promise<T>, times: (value: T) => number): Promise<T> {
  for (;;) {
    const began = performance.now();
    try {
      const value = await step();
      const rest = times(value) * (performance.now() - began);
      if (!hurry) await pause(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, rest)), signal);
      return value;
    } catch (error) {
      if (signal?.aborted === true || !(error instanceof AppError) || error.code !== "store_unavailable") throw error;
      await pause(1_000 * (error.retryAfter ?? 1), signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // An abort ends the pause, and then the loop.
  await wait(ms, undefined, signal && { signal }).catch(() => undefined);
}

/** Counts in steps, letting the loop go on between them. */
export async function countReceivedBefore(reader: LoopReader, before: number): Promise<number> {
  let count = 0;
  let at = { created_at: Number.MIN_SAFE_INTEGER, call_no: 0 };
  for (;;) {
    const from = [before, at.created_at, at.call_no];
    const end = reader.get<typeof at>(CALLS.receivedStep, ...from, COUNT_STEP - 1);
    if (!end) return count + (reader.get<{ n: number }>(CALLS.receivedRest, ...from)?.n ?? 0);
    count += COUNT_STEP;
    at = end;
    await reader.turn();
  }
}

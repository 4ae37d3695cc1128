/** Retention: erasing the oldest calls in small transactions, with pauses in which other writes go first. */
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../errors.ts";
import type { Calls } from "../../ports/calls.ts";
import type { LoopReader } from "./loop-reader.ts";
import { CALLS } from "./statements.ts";
import type { Writer } from "./writer.ts";

/** Calls erased, or turns taken out of the full text, in one transaction, about 1 ms each: what a neighbour waits. */
const PIECES = 1;
/** Pages of full text dropped in one transaction. */
const WORD_PAGES = 64;
/** Where there are no neighbours. */
const HURRIED_PIECES = 200;
const HURRIED_WORD_PAGES = 2_000;
/** Free pages given back in one transaction: half a megabyte. */
const PAGES = 128;
/** A step is followed by a pause this many times as long as it took. */
const PAUSE = 14;
const MIN_PAUSE_MS = 10;
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
  const pieces = hurry ? HURRIED_PIECES : PIECES;
  let erased = 0;
  let tidied = 0;
  while (signal?.aborted !== true) {
    const step = await paced(pace, () => writer.run("purge", { before, pieces, recurring }, now()));
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
  for (let i = 0; i < SCRUBS && !(await writer.scrub()); i++) await pause(MIN_PAUSE_MS * PAUSE, signal);
  return erased;
}

/** Drops the full text of which all calls are gone; whether there was any. */
async function dropWords({ writer, now }: Deps, pace: Pace): Promise<boolean> {
  const pages = pace.hurry ? HURRIED_WORD_PAGES : WORD_PAGES;
  let any = false;
  while (pace.signal?.aborted !== true) {
    if (!(await paced(pace, () => writer.run("dropWords", { pages }, now())))) break;
    any = true;
  }
  return any;
}

async function giveBack({ writer, now }: Deps, pace: Pace): Promise<void> {
  while (pace.signal?.aborted !== true) {
    if ((await paced(pace, () => writer.run("giveBack", { pages: PAGES }, now()))) === 0) return;
  }
}

/** Runs a step, then leaves the writer to others for several times as long. A foreign lock is waited out. */
async function paced<T>({ signal, hurry }: Pace, step: () => Promise<T>): Promise<T> {
  for (;;) {
    const began = performance.now();
    try {
      const value = await step();
      if (!hurry) await pause(Math.max(MIN_PAUSE_MS, PAUSE * (performance.now() - began)), signal);
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

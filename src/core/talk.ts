/** Who talked how much, over whom, and for how long at a stretch. Definitions: core/definitions.ts. */
import type { Speaker } from "./call.ts";
import type { Speech, SpokenTurn } from "./speech.ts";

/** Silences and pauses shorter than this do not count. */
export const SILENCE_MS = 3000;
const MIN_OVERLAP_MS = 300;

export interface WordTotals {
  readonly content: number;
  readonly all: number;
  readonly fillers: number;
}

export function wordTotals(speech: Speech, speaker: Speaker): WordTotals {
  let [content, all, fillers] = [0, 0, 0];
  for (const t of speech.turns) {
    if (t.speaker !== speaker) continue;
    content += t.words.content;
    all += t.words.all;
    fillers += t.words.fillers;
  }
  return { content, all, fillers };
}

/** Milliseconds in which at least one turn of the speaker runs (overlapping turns of one speaker count once). */
export function talkTime(speech: Speech, speaker: Speaker): number {
  let total = 0;
  let until = 0;
  for (const t of speech.turns) {
    if (t.speaker !== speaker) continue;
    total += Math.max(0, t.end - Math.max(t.start, until));
    until = Math.max(until, t.end);
  }
  return total;
}

export interface Silence {
  readonly ms: number;
  /** Indexes of the turns around it. */
  readonly before: number;
  readonly after: number;
}

/** Gaps of more than `longer_than` ms in which nobody speaks, between the first and the last turn. */
export function silences(speech: Speech, longer_than = SILENCE_MS): Silence[] {
  const out: Silence[] = [];
  let last: SpokenTurn | null = null;
  for (const t of speech.turns) {
    const ms = last ? t.start - last.end : 0;
    if (last && ms > longer_than) out.push({ ms, before: last.index, after: t.index });
    if (!last || t.end > last.end) last = t;
  }
  return out;
}

export interface Interruption {
  /** Who interrupts, in which turn, over which. */
  readonly speaker: Speaker;
  readonly turn: number;
  readonly over: number;
  readonly ms: number;
}

/**
 * A turn that starts while the other side is speaking and overlaps it by 300 ms or more, backchannels left out. A
 * speaker who was speaking anyway within the 300 ms before only goes on.
 */
export function interruptions(speech: Speech): Interruption[] {
  const { turns } = speech;
  const out: Interruption[] = [];
  const latest: Record<Speaker, SpokenTurn | null> = { agent: null, customer: null };
  for (let i = 0; i < turns.length; ) {
    // Turns that start together interrupt nobody among themselves.
    let next = i;
    while (next < turns.length && turns[next]?.start === turns[i]?.start) next++;
    const together = turns.slice(i, next);
    for (const t of together) {
      const over = latest[t.speaker === "agent" ? "customer" : "agent"];
      const own = latest[t.speaker];
      const goesOn = own !== null && own.end > t.start - MIN_OVERLAP_MS;
      const ms = over ? Math.min(over.end, t.end) - t.start : 0;
      if (over && ms >= MIN_OVERLAP_MS && !t.backchannel && !goesOn) {
        out.push({ speaker: t.speaker, turn: t.index, over: over.index, ms });
      }
    }
    for (const t of together) {
      const own = latest[t.speaker];
      // A "mhm" within one's own turn does not end it.
      if (own === null || t.end > own.end) latest[t.speaker] = t;
    }
    i = next;
  }
  return out;
}

export interface Stretch {
  /** Indexes of its turns; backchannels of the other side are not among them. */
  readonly turns: readonly number[];
  readonly words: number;
  /** From its first start to its last end; null without timings. */
  readonly seconds: number | null;
}

/**
 * The longest uninterrupted stretch of one speaker: by seconds with timings, by words without. It ends on a pause
 * of 3 s or more (with timings) and on a turn of the other side that is no backchannel.
 */
export function longestStretch(speech: Speech, speaker: Speaker, by: "seconds" | "words"): Stretch | null {
  const timed = speech.untimed === null;
  let best: Stretch | null = null;
  let run: number[] = [];
  let [runWords, start, end] = [0, 0, 0];
  const close = (): void => {
    if (run.length > 0) {
      const found: Stretch = { turns: run, words: runWords, seconds: timed ? (end - start) / 1000 : null };
      if (!best || (found[by] ?? 0) > (best[by] ?? 0)) best = found;
    }
    run = [];
    runWords = 0;
  };
  for (const t of speech.turns) {
    if (t.speaker !== speaker) {
      if (!t.backchannel) close();
      continue;
    }
    if (timed && run.length > 0 && t.start - end >= SILENCE_MS) close();
    if (run.length === 0) {
      start = t.start;
      end = t.end;
    }
    run.push(t.index);
    runWords += t.words.all;
    end = Math.max(end, t.end);
  }
  close();
  return best;
}

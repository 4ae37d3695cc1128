/** A call made ready for measuring: its turns with words, in speaking order, counted once. */
import type { Speaker, Turn } from "./call.ts";
import { supportsLanguage } from "./measures.ts";
import { type SpokenWords, spokenWords, words } from "./words.ts";

/** A rate over less time says nothing, and over next to none it would pass every number that sums can hold. */
export const MIN_RATE_SECONDS = 1;

export interface SpokenTurn {
  /** Position in the call's turns. */
  readonly index: number;
  readonly speaker: Speaker;
  readonly text: string;
  readonly words: SpokenWords;
  /** Milliseconds; 0 where the speech is not timed. */
  readonly start: number;
  readonly end: number;
  /** "mhm", "right": a sign of listening, no turn of one's own. Known for English only. */
  readonly backchannel: boolean;
}

export interface Speech {
  /** Turns with words: by start time where all are timed, else as given. */
  readonly turns: readonly SpokenTurn[];
  readonly english: boolean;
  /** null where every turn with words has a start and an end, else why not. */
  readonly untimed: "no timings" | "no end times" | "incomplete timings" | null;
  /**
   * The length of the call: the given duration, or the end of the last turn where that is later or all there is. null
   * where there is none that a rate could be made of.
   */
  readonly duration_seconds: number | null;
}

/** Prepares a call; every measure is a function of the result. */
export function prepareSpeech(call: {
  turns: readonly Turn[];
  language: string;
  duration_seconds: number | null;
}): Speech {
  const english = supportsLanguage(call.language);
  const counted = call.turns
    .map((turn, index) => ({ turn, index, words: spokenWords(turn.text, english) }))
    .filter((t) => t.words.all > 0);
  const starts = counted.filter(({ turn }) => turn.start_ms !== null).length;
  const ends = counted.filter(({ turn }) => turn.start_ms !== null && turn.end_ms !== null).length;
  const timed = ends === counted.length && ends > 0;
  const untimed = timed
    ? null
    : starts === 0
      ? "no timings"
      : starts === counted.length && ends === 0
        ? "no end times"
        : "incomplete timings";
  const ordered = timed
    ? counted.toSorted((a, b) => (a.turn.start_ms ?? 0) - (b.turn.start_ms ?? 0) || a.index - b.index)
    : counted;

  let asked: Asked | null = null;
  let last = 0;
  const turns: SpokenTurn[] = [];
  for (const { turn, index, words } of ordered) {
    const backchannel = english && isBackchannel(turn, words.all, asked);
    if (!backchannel) asked = askedBy(turn);
    const start = timed ? (turn.start_ms ?? 0) : 0;
    const end = timed ? (turn.end_ms ?? 0) : 0;
    last = Math.max(last, turn.end_ms ?? turn.start_ms ?? 0);
    turns.push({ index, speaker: turn.speaker, text: turn.text, words, start, end, backchannel });
  }
  const seconds = Math.max(call.duration_seconds ?? 0, last / 1000);
  return { turns, english, untimed, duration_seconds: seconds >= MIN_RATE_SECONDS ? seconds : null };
}

/** Words and phrases that show listening; published with the measures. A backchannel is made of these alone. */
export const BACKCHANNELS: readonly string[] = [
  ..."mhm mm-hmm mm-hm mm mmm hm hmm uh-huh uhuh uh um ah oh yeah yep yup yes ya ok okay right sure exactly".split(" "),
  ..."absolutely true wow cool nice great good alright gotcha indeed totally definitely perfect really".split(" "),
  "i see",
  "got it",
  "of course",
  "all right",
  "makes sense",
  "go on",
  "fair enough",
];

const MAX_BACKCHANNEL_WORDS = 4;
const LISTENING = new Set(BACKCHANNELS);

/** Whose turn came last, backchannels left out, and whether it ended in a question. */
export interface Asked {
  readonly speaker: Speaker;
  readonly open: boolean;
}

export function askedBy(turn: Pick<Turn, "speaker" | "text">): Asked {
  return { speaker: turn.speaker, open: /\?["'”’)\s]*$/.test(turn.text.slice(-20)) };
}

/** Whether an English turn of `count` words only shows listening. `asked` is what came before it. */
export function isBackchannel(turn: Pick<Turn, "speaker" | "text">, count: number, asked: Asked | null): boolean {
  // After a question "yes" and "right" are answers.
  const answers = asked !== null && asked.speaker !== turn.speaker && asked.open;
  if (answers || count > MAX_BACKCHANNEL_WORDS) return false;
  const spoken = words(turn.text);
  for (let i = 0; i < spoken.length; ) {
    if (LISTENING.has(`${spoken[i]} ${spoken[i + 1]}`)) i += 2;
    else if (LISTENING.has(spoken[i] as string)) i++;
    else return false;
  }
  return true;
}

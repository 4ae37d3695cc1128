/**
 * The turns of a call as text, while it waits for its enrichment: one JSON list a turn, half the length of an object a
 * turn, so that the words of a usual call fit a page of the store.
 */
import type { Speaker, Turn } from "./call.ts";

type WrittenTurn = readonly [string, Speaker, string, number | null, number | null];

/** `[[turn_id, speaker, text, start_ms, end_ms], …]` */
export function turnsText(turns: readonly Turn[]): string {
  return JSON.stringify(turns.map((t): WrittenTurn => [t.turn_id, t.speaker, t.text, t.start_ms, t.end_ms]));
}

/** The turns of such a text, or of the list of objects that was written before schema 7. */
export function readTurnsText(text: string): Turn[] {
  const turns = JSON.parse(text) as WrittenTurn[] | Turn[];
  return turns.map((turn) => {
    if (!isWritten(turn)) return turn;
    const [turn_id, speaker, words, start_ms, end_ms] = turn;
    return { turn_id, speaker, text: words, start_ms, end_ms };
  });
}

function isWritten(turn: WrittenTurn | Turn): turn is WrittenTurn {
  return Array.isArray(turn);
}

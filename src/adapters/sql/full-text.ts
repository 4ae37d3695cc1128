/**
 * The full text of turns. It is made with the enrichment, not when the call is accepted: FTS5 costs more than all
 * other writes of a call together, and bulk imports wait for it. A call found dead is indexed then, so every call
 * becomes findable. call_records.in_full_text says whether FTS5 holds the turns of the current text: 0 none, 1 all, and
 * while a purge takes them out one more for each turn from the front that is out.
 */
import type { Turn } from "../../core/call.ts";
import { pack, unpackWords } from "./codec.ts";
import { tableOf } from "./full-text-parts.ts";
import { CALLS, ENGINE, TURNS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/** The turns of the current text. */
export function turnsOf(context: WriteContext, call_no: number): readonly Turn[] {
  const text = context.get<{ body: Buffer }>(CALLS.text, call_no);
  return text ? unpackWords(text.body).turns : [];
}

/** Indexes the turns of a call; no-op when that is done already. */
export function indexTurns(
  context: WriteContext,
  call: { call_no: number; in_full_text: number },
  turns: readonly Turn[],
): void {
  if (call.in_full_text > 0) return;
  const index = ENGINE.index(tableOf(context, call.call_no));
  for (const [i, turn] of turns.entries())
    context.run(index, call.call_no * TURNS + i, context.words.indexed(turn.text));
  context.run(CALLS.inFullText, call.call_no);
}

/** Indexes and packs the text of a call that stays without insights; no-op when that is done already. */
export function indexUnenriched(context: WriteContext, call: { call_no: number; in_full_text: number }): void {
  if (call.in_full_text > 0) return;
  const turns = turnsOf(context, call.call_no);
  indexTurns(context, call, turns);
  context.run(CALLS.updateText, pack(JSON.stringify(turns)), call.call_no);
}

/**
 * Takes at most `limit` turns out of the index; how many, and whether none is left in it. What FTS5 does for it at COMMIT
 * grows with their words: 10 ms for a call of 36 turns, in which all other writes would wait.
 */
export function unindexSome(
  context: WriteContext,
  call: { call_no: number; in_full_text: number },
  limit: number,
): { turns: number; finished: boolean } {
  if (call.in_full_text === 0) return { turns: 0, finished: true };
  const from = call.in_full_text - 1;
  const turns = turnsOf(context, call.call_no);
  const some = turns.slice(from, from + limit);
  const unindex = ENGINE.unindex(tableOf(context, call.call_no));
  for (const [i, turn] of some.entries())
    context.run(unindex, call.call_no * TURNS + from + i, context.words.indexed(turn.text));
  return { turns: some.length, finished: from + some.length >= turns.length };
}

/** Takes the turns out of the index; it must happen while the text is still there, for FTS5 wants what it was given. */
export function unindexTurns(context: WriteContext, call: { call_no: number; in_full_text: number }): void {
  unindexSome(context, call, TURNS);
}

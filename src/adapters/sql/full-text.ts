/**
 * The full text of turns. It is made with the enrichment, not when the call is accepted: FTS5 costs more than all
 * other writes of a call together, and bulk imports wait for it. A call found dead is indexed then, so every call
 * becomes findable. call_records.in_full_text says whether FTS5 holds the turns of the current text.
 */
import { pack, unpackTurns } from "./codec.ts";
import { CALLS, ENGINE, TURNS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

const PLAIN_JSON = "[".codePointAt(0);

/** Indexes the turns of a call and packs its text if it is not yet; no-op when that is done already. */
export function indexTurns(context: WriteContext, call: { call_no: number; in_full_text: number }): void {
  if (call.in_full_text === 1) return;
  const text = context.get<{ body: Buffer }>(CALLS.text, call.call_no);
  if (!text) return;
  const turns = unpackTurns(text.body);
  for (const [i, turn] of turns.entries())
    context.run(ENGINE.index, call.call_no * TURNS + i, context.words.indexed(turn.text));
  if (text.body[0] === PLAIN_JSON) context.run(CALLS.updateText, pack(JSON.stringify(turns)), call.call_no);
  context.run(CALLS.inFullText, call.call_no);
}

/** Takes the turns out of the index; it must happen while the text is still there, for FTS5 wants what it was given. */
export function unindexTurns(context: WriteContext, call: { call_no: number; in_full_text: number }): void {
  if (call.in_full_text === 0) return;
  const text = context.get<{ body: Buffer }>(CALLS.text, call.call_no);
  if (!text) return;
  for (const [i, turn] of unpackTurns(text.body).entries()) {
    context.run(ENGINE.unindex, call.call_no * TURNS + i, context.words.indexed(turn.text));
  }
}

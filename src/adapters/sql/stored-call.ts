/** A call as it is read: its text and documents are unpacked when somebody asks for them. */
import type { CallRow, Insights } from "../../core/call.ts";
import type { CallWords } from "../../core/call-document.ts";
import type { StoredCall } from "../../ports/calls.ts";
import { unpack, unpackDocument, unpackWords } from "./codec.ts";

/** `body`: call_texts.body; `derived`: call_insights.body of calls that were enriched before there were documents. */
export function storedCall(row: CallRow, body: Buffer | null, derived?: Buffer | null): StoredCall {
  let document: Buffer | null | undefined;
  let words: CallWords | undefined;
  const read = (): CallWords => {
    if (body === null) return { turns: [], insights: null };
    const { turns, insights } = unpackWords(body);
    return { turns, insights: insights ?? (derived?.length ? (JSON.parse(unpack(derived)) as Insights) : null) };
  };
  return {
    row,
    get document() {
      document ??= body === null ? null : unpackDocument(body);
      return document;
    },
    get turns() {
      words ??= read();
      return words.turns;
    },
    get insights() {
      words ??= read();
      return words.insights;
    },
  };
}

/** The usual transcript, read in one pass. */
import type { Speaker, Turn } from "./call.ts";
import { MAX_TURNS } from "./check-turns.ts";
import { hasWords } from "./words.ts";

const PLAIN = /^[a-z]+$/i;

/**
 * Turns of a transcript in which every line with a colon begins with a known label of plain letters (`Agent: …`): a
 * third of the time that parseTranscript takes line by line, to the same turns. null where a line needs a closer look,
 * and wherever there is something to complain about. `text` is not too long.
 */
export function readPlainLines(text: string, known: ReadonlyMap<string, Speaker>): Turn[] | null {
  if (!text.isWellFormed() || text.includes("\0") || text.includes("：")) return null;
  const returns = text.includes("\r");
  const speakers = new Map<string, Speaker>();
  const turns: Turn[] = [];
  let spoken = false;
  let open: { turn_id: string; speaker: Speaker; text: string; start_ms: null; end_ms: null } | null = null;
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const line = text.slice(at, end);
    at = end + 1;
    // Alone it ends a line too.
    if (returns && line.slice(0, -1).includes("\r")) return null;
    const colon = line.indexOf(":");
    if (colon < 0) {
      const more = line.trim();
      if (more === "") continue;
      if (!open) return null;
      open.text = open.text === "" ? more : `${open.text} ${more}`;
      spoken ||= hasWords(more);
      continue;
    }
    const label = line.slice(0, colon);
    let speaker = speakers.get(label);
    if (!speaker) {
      speaker = PLAIN.test(label) ? known.get(label.toLowerCase()) : undefined;
      if (!speaker || turns.length >= MAX_TURNS) return null;
      speakers.set(label, speaker);
    }
    const words = line.slice(colon + 1).trim();
    spoken ||= hasWords(words);
    open = { turn_id: `t${turns.length + 1}`, speaker, text: words, start_ms: null, end_ms: null };
    turns.push(open);
  }
  return spoken && turns.length <= MAX_TURNS ? turns : null;
}

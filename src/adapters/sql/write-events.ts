/** Retention of the log. */
import type { Input } from "./commands.ts";
import { EVENTS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/** Drops from the front only, so that what is left stays dense even where the clock went back. */
export function pruneEvents(context: WriteContext, { before, limit }: Input<"pruneEvents">): number {
  const rows = context.all<{ seq: number; at: number }>(EVENTS.oldestRows, limit);
  const kept = rows.findIndex((row) => row.at >= before);
  const last = rows[(kept === -1 ? rows.length : kept) - 1];
  return last ? context.run(EVENTS.dropTo, last.seq) : 0;
}

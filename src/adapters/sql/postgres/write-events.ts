/** Retention of the log. */
import type { Input } from "../commands.ts";
import { EVENTS } from "../statements.ts";
import type { Write } from "./write.ts";

/** Drops from the front only, so that what is left stays dense even where the clock went back. */
export async function pruneEvents(write: Write, { before, limit }: Input<"pruneEvents">): Promise<number> {
  const rows = await write.all<{ seq: number; at: number }>(EVENTS.oldestRows, limit);
  const kept = rows.findIndex((row) => row.at >= before);
  const last = rows[(kept === -1 ? rows.length : kept) - 1];
  return last ? write.run(EVENTS.dropTo, last.seq) : 0;
}

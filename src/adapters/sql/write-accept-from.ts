/** Accepting calls from a source that is read once: its mark moves in the same transaction, or nothing is written. */
import type { AcceptResult, SourceMark } from "../../ports/calls.ts";
import type { Input } from "./commands.ts";
import { accept } from "./write-calls.ts";
import type { WriteContext } from "./write-context.ts";

export const MARKS = {
  begin: `INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
  move: `UPDATE bookmarks SET value = ? WHERE name = ? AND value = ?`,
  put: `UPDATE bookmarks SET value = ? WHERE name = ?`,
} as const;

export function acceptFrom(
  context: WriteContext,
  { rows, priority, mark, now }: Input<"acceptFrom">,
): AcceptResult[] | null {
  const { name, from, to } = mark;
  const moved = from === null ? context.run(MARKS.begin, name, to) : context.run(MARKS.move, to, name, from);
  if (moved !== 1) return null;
  const results = accept(context, { rows, priority, now });
  const value = markAfter(mark, results);
  if (value !== to) context.run(MARKS.put, value, name);
  return results;
}

/** What the bookmark becomes: behind `to` the places of calls that were not taken. */
export function markAfter({ to, places }: SourceMark, results: readonly AcceptResult[]): string {
  const refused = places.filter((_, i) => ["conflict", "failed"].includes(results[i]?.status ?? ""));
  return [to, ...refused].join(" ");
}

/**
 * Settling: an accepted call is on disk and found, but not yet in the indexes and counts where it would take a page of its
 * own. It gets there when it is enriched, which touches those pages anyway, or here with many others: neighbours share pages then,
 * and a page that many calls touch is written once.
 */
import type { Input } from "./commands.ts";
import { CALLS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/**
 * So many fresh calls of one process are settled at once, however busy it is. The more, the fewer pages a call; but lists
 * look through all of them (8,000: two thirds of a millisecond).
 */
export const FRESH_LIMIT = 8_000;

/** Settles up to `limit` calls; their number. */
export function settle(context: WriteContext, { limit }: Input<"settle">): number {
  const calls = context.all<{ call_no: number; agent_id: string; start_time: number }>(CALLS.toSettle, limit);
  for (const { call_no, agent_id, start_time } of calls) {
    context.run(CALLS.settle, call_no);
    context.sums.count(1, { call_no, agent_no: context.agentNo(agent_id), start_time });
  }
  return calls.length;
}

/** A bulk of calls: what came in, checked, stored in one durable transaction, answered call by call. */
import type { Calls, Priority } from "../ports/calls.ts";
import { acceptCalls } from "./accept.ts";
import type { BulkReader } from "./bulk-reader.ts";
import type { Rejected } from "./check-bulk.ts";

export type BulkResult =
  | { readonly index: number; readonly call_id: string; readonly status: "accepted" | "replayed" }
  | { readonly index: number; readonly call_id: string | null; readonly status: "conflict" | "failed" }
  | Rejected;

/**
 * Up to 1,000 calls from the JSON of a body, each with a result of its own, in order; what is wrong with one does not
 * touch the others.
 * @throws AppError malformed, validation (the body is no list of calls)
 */
export async function acceptBulk(
  deps: { calls: Pick<Calls, "accept">; bulks: Pick<BulkReader, "read">; now: () => number },
  input: { body: Buffer; priority: Priority },
): Promise<BulkResult[]> {
  const { good, rejected } = await deps.bulks.read(input.body, deps.now());
  const calls = good.map((g) => g.call);
  const stored = await acceptCalls(deps, calls, input.priority);
  const results: BulkResult[] = [...rejected];
  for (const [i, { index, call }] of good.entries()) {
    const { status = "failed", call_id = call.call_id } = stored[i] ?? {};
    results.push({ index, call_id, status });
  }
  return results.toSorted((a, b) => a.index - b.index);
}

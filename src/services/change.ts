/** Changes to calls that are there: within the scope of who asks, anything else is "not found". */
import type { Scope } from "../core/call.ts";
import { AppError } from "../errors.ts";
import { PRIORITY } from "../ports/calls.ts";
import type { Calls } from "../ports/calls.ts";
import { isId } from "./accept.ts";

/** Queues enrichment anew; the revision that will be enriched. @throws AppError call_not_found */
export async function reprocessCall(
  { calls }: { calls: Pick<Calls, "reprocess"> },
  input: { call_id: string; scope: Scope },
): Promise<{ revision: number }> {
  const found = isId(input.call_id) ? await calls.reprocess(input.call_id, input.scope, PRIORITY.single) : null;
  if (found === null) throw new AppError("call_not_found");
  return found;
}

/** @throws AppError call_not_found */
export async function eraseCall(
  { calls }: { calls: Pick<Calls, "remove"> },
  input: { call_id: string; scope: Scope },
): Promise<void> {
  const erased = isId(input.call_id) && (await calls.remove(input.call_id, input.scope));
  if (!erased) throw new AppError("call_not_found");
}

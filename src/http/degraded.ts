import type { FastifyReply } from "fastify";
import type { Models } from "../ports/models.ts";

/** Parts that are not whole at the moment. */
export function degradedParts(models: Pick<Models, "describe">): string[] {
  return models.describe().method === "model" ? [] : ["models"];
}

/** Says so in the header; the same goes into an object's body: `{...body, ...markDegraded(reply, parts)}`. */
export function markDegraded(reply: FastifyReply, parts: readonly string[]): { degraded?: readonly string[] } {
  if (parts.length === 0) return {};
  void reply.header("earshot-degraded", parts.join(", "));
  return { degraded: parts };
}

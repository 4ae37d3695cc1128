import type { FastifyReply } from "fastify";
import type { Models } from "../ports/models.ts";
import type { Vitals } from "../services/readiness.ts";

/** Parts that are not whole at the moment. */
export function degradedParts(models: Pick<Models, "describe">): string[] {
  return models.describe().method === "model" ? [] : ["models"];
}

/** What makes the enrichment of a call just stored begin later. */
export function lateParts(vitals: Pick<Vitals, "dispatch"> | undefined): string[] {
  return (vitals?.dispatch() ?? true) ? [] : ["dispatch"];
}

/** Says so in the header; the same goes into an object's body: `{...body, ...markDegraded(reply, parts)}`. */
export function markDegraded(reply: FastifyReply, parts: readonly string[]): { degraded?: readonly string[] } {
  if (parts.length === 0) return {};
  void reply.header("earshot-degraded", parts.join(", "));
  return { degraded: parts };
}

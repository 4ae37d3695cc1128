import type { FastifyReply } from "fastify";
import type { Models } from "../ports/models.ts";
import type { Vitals } from "../services/readiness.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Of a server that is a copy: whether what it has may be old. */
    late?: () => boolean;
  }
}

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
  const all = reply.server.late?.() === true ? [...parts, "replication"] : parts;
  if (all.length === 0) return {};
  void reply.header("earshot-degraded", all.join(", "));
  return { degraded: all };
}

/** Calls: send, replace, erase, enrich again. Ingest is for admins (integrations): a manager's team is a set of agents
 *  that only the store knows, so a new call cannot be held against it; what is there already can. */
import { AppError, invalid } from "../../errors.ts";
import { PRIORITY } from "../../ports/calls.ts";
import { acceptCalls, normalizeCall } from "../../services/accept.ts";
import { acceptBulk, type BulkResult } from "../../services/bulk.ts";
import { createBulkReader } from "../../services/bulk-reader.ts";
import { eraseCall, reprocessCall } from "../../services/change.ts";
import { ADMINS, CURATORS, who } from "../auth.ts";
import { BULK_BODY_BYTES, CALL_BODY_BYTES, SMALL_BODY_BYTES } from "../body.ts";
import type { App, RouteContext } from "../deps.ts";
import { lateParts, markDegraded } from "../degraded.ts";
import { writeOnce } from "../idempotency.ts";
import { CallParams } from "../inputs.ts";
import { answer, NO_CONTENT, ref } from "../schema.ts";

const CONFLICT = "This call_id is taken by a call with other content; PUT replaces it";
const LIVE_CONFLICT = "This call_id is that of a call that goes on; end it first";

function callUrl(call_id: string): string {
  return `/api/v1/calls/${encodeURIComponent(call_id)}`;
}

export function callRoutes(app: App, { once, now, log, vitals }: RouteContext): void {
  const bulks = createBulkReader();
  app.addHook("onClose", () => bulks.close());
  const accepted = answer("On disk; enrichment follows", ref("Accepted"));

  app.post(
    "/api/v1/calls",
    {
      bodyLimit: CALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["calls"],
        summary: "Send one call",
        description:
          "The same call sent again changes nothing and answers the same, with `Idempotency-Replayed: true`; " +
          "another call with a known call_id answers 409. At most 2 MB.",
        body: ref("CallInput"),
        response: { 202: accepted },
      },
    },
    async (request, reply) => {
      const normalized = normalizeCall(request.body, { now: now() });
      if (!normalized.ok) throw invalid(normalized.errors);
      const { call } = normalized;
      const [result] = await writeOnce(once, request, reply, (writes) => acceptCalls(writes, [call], PRIORITY.single));
      if (result?.status === "conflict") throw new AppError("conflict", CONFLICT);
      if (result === undefined || result.status === "failed") {
        throw new AppError("internal", undefined, { cause: new Error(result?.reason ?? "no result") });
      }
      if (result.status === "replayed") void reply.header("idempotency-replayed", "true");
      const { call_id = call.call_id, revision } = result;
      markDegraded(reply, lateParts(vitals));
      return reply.code(202).header("location", callUrl(call_id)).send({ call_id, status: "accepted", revision });
    },
  );

  app.post(
    "/api/v1/calls/bulk",
    {
      bodyLimit: BULK_BODY_BYTES,
      config: { access: ADMINS, rawBody: true, idempotent: true },
      schema: {
        tags: ["calls"],
        summary: "Send up to 1,000 calls",
        description: "Each with a result of its own; what is wrong with one does not touch the others. At most 64 MB.",
        body: ref("BulkInput"),
        response: { 207: answer("One result a call, in order", ref("BulkResults")) },
      },
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const results = await writeOnce(once, request, reply, (writes) =>
        acceptBulk({ calls: writes.calls, bulks, now }, { body, priority: PRIORITY.bulk }),
      );
      for (const r of results)
        if (r.status === "failed") log.error({ call_id: r.call_id }, "a call could not be stored");
      markDegraded(reply, lateParts(vitals));
      return reply.code(207).send({ results: results.map(presentResult) });
    },
  );

  app.put(
    "/api/v1/calls/:call_id",
    {
      bodyLimit: CALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["calls"],
        summary: "Replace a call, or create it",
        description: "Insights of the old text are dropped; enrichment of the new one follows.",
        params: CallParams,
        body: ref("CallInput"),
        response: { 202: accepted },
      },
    },
    async (request, reply) => {
      const { call_id } = request.params;
      const normalized = normalizeCall(withId(request.body, call_id), { now: now() });
      if (!normalized.ok) throw invalid(normalized.errors);
      const { call } = normalized;
      const result = await writeOnce(once, request, reply, ({ calls }) => calls.replace(call, PRIORITY.single));
      if (result.status === "conflict") throw new AppError("conflict", LIVE_CONFLICT);
      const { revision } = result;
      markDegraded(reply, lateParts(vitals));
      return reply.code(202).header("location", callUrl(call_id)).send({ call_id, status: "accepted", revision });
    },
  );

  app.delete(
    "/api/v1/calls/:call_id",
    {
      config: { access: CURATORS, idempotent: true },
      schema: {
        tags: ["calls"],
        summary: "Erase a call",
        description: "Its words, insights, vectors and index entries go; the event log keeps a tombstone.",
        params: CallParams,
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const call = { call_id: request.params.call_id, scope: who(request).scope };
      await writeOnce(once, request, reply, (writes) => eraseCall(writes, call));
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/api/v1/calls/:call_id/process",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: CURATORS, idempotent: true },
      schema: {
        tags: ["calls"],
        summary: "Enrich a call again",
        params: CallParams,
        response: { 202: accepted },
      },
    },
    async (request, reply) => {
      const { call_id } = request.params;
      const { scope } = who(request);
      const { revision } = await writeOnce(once, request, reply, (writes) => reprocessCall(writes, { call_id, scope }));
      markDegraded(reply, lateParts(vitals));
      return reply.code(202).header("location", callUrl(call_id)).send({ call_id, status: "accepted", revision });
    },
  );
}

/** The body with the call_id of its path; a body that names another one is refused. */
function withId(body: unknown, call_id: string): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const given = (body as { call_id?: unknown }).call_id ?? null;
  if (given !== null && given !== call_id) {
    throw invalid([
      {
        pointer: "/call_id",
        message: "differs from the call_id of the path",
        expected: call_id,
        received: typeof given === "string" ? given.slice(0, 128).toWellFormed() : typeof given,
      },
    ]);
  }
  return { ...body, call_id };
}

function presentResult(result: BulkResult) {
  const { index, call_id, status } = result;
  if (result.status === "conflict") return { index, call_id, status, error: { code: "conflict", detail: CONFLICT } };
  if (result.status === "failed") {
    return { index, call_id, status, error: { code: "internal", detail: "This call could not be stored" } };
  }
  if (result.status === "rejected") {
    const detail = invalid(result.errors).message;
    return { index, call_id, status, error: { code: "validation", detail, errors: result.errors } };
  }
  return { index, call_id, status };
}

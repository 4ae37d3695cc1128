/** Calls that go on: start, append, end, look. As with all ingest, writing is for admins. */
import { appendTurns, endCall, listLive, startCall, viewLive } from "../../services/live-calls.ts";
import { readAppend, readEnd, readStart } from "../../services/live-input.ts";
import { ADMINS, EVERYBODY, who } from "../auth.ts";
import { CALL_BODY_BYTES, SMALL_BODY_BYTES } from "../body.ts";
import { degradedParts, markDegraded } from "../degraded.ts";
import type { App, RouteContext } from "../deps.ts";
import { writeOnce } from "../idempotency.ts";
import { CallParams, NoQuery } from "../inputs.ts";
import { presentLiveCall, presentLiveRow } from "../present-live.ts";
import { answer, NO_CONTENT, ref } from "../schema.ts";

const callUrl = (call_id: string): string => `/api/v1/calls/${encodeURIComponent(call_id)}`;
const liveUrl = (call_id: string): string => `/api/v1/live/${encodeURIComponent(call_id)}`;

export function liveRoutes(app: App, { store, once, now, models, live }: RouteContext): void {
  const reads = { ...store, now };

  app.post(
    "/api/v1/live",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["live"],
        summary: "Start a call that goes on",
        description: "The same start again answers 200; another call with a known call_id 409.",
        body: ref("LiveStart"),
        response: {
          200: answer("It goes on already", ref("LiveStarted")),
          201: answer("Started, on disk", ref("LiveStarted")),
        },
      },
    },
    async (request, reply) => {
      const call = readStart(request.body, { now: now(), alpha: live.settings.alpha });
      const { call_id, replayed } = await writeOnce(once, request, reply, (writes) => startCall(writes, call));
      if (replayed) void reply.header("idempotency-replayed", "true");
      return reply
        .code(replayed ? 200 : 201)
        .header("location", liveUrl(call_id))
        .send({ call_id, state: "live" });
    },
  );

  app.post(
    "/api/v1/calls/:call_id/turns",
    {
      bodyLimit: CALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["live"],
        summary: "Append turns to a call that goes on, or correct them",
        description:
          "A turn whose turn_id is known corrects that turn, or changes nothing if it is the same: turns with ids can be " +
          "sent again after a lost answer. The sentiment follows in the event log as live.turn.",
        params: CallParams,
        body: ref("LiveTurns"),
        response: { 202: answer("On disk; the sentiment follows", ref("LiveAppended")) },
      },
    },
    async (request, reply) => {
      const { call_id } = request.params;
      const input = { call_id, turns: readAppend(request.body) };
      const turns = await writeOnce(once, request, reply, (writes) => appendTurns(writes, input));
      live.scoring.arrived(call_id);
      return reply.code(202).send({ call_id, turns });
    },
  );

  app.post(
    "/api/v1/calls/:call_id/end",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["live"],
        summary: "End a call that goes on",
        description:
          "It becomes a stored call, enriched before all that waits. Where no word was said nothing is stored: 204. " +
          "A call that is stored already answers as it did, with `Idempotency-Replayed: true`.",
        params: CallParams,
        body: ref("LiveEnd"),
        response: { 202: answer("Stored; enrichment follows", ref("Accepted")), 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { call_id } = request.params;
      const { outcome } = readEnd(request.body);
      const ended = await writeOnce(once, request, reply, (writes) =>
        endCall({ live: store.live, writes }, { call_id, outcome }),
      );
      if (ended.status === "removed") return reply.code(204).send(null);
      if (ended.status === "replayed") void reply.header("idempotency-replayed", "true");
      const { revision } = ended;
      return reply.code(202).header("location", callUrl(call_id)).send({ call_id, status: "accepted", revision });
    },
  );

  app.get(
    "/api/v1/live",
    {
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "Calls that go on, newest first",
        querystring: NoQuery,
        response: { 200: answer("At most 1,000", ref("LiveList")) },
      },
    },
    async (request, reply) => {
      const { scope, personal } = who(request);
      const calls = await listLive(reads, scope);
      return reply.send({
        calls: calls.map((call) => presentLiveRow(call, personal)),
        ...markDegraded(reply, degradedParts(models)),
      });
    },
  );

  app.get(
    "/api/v1/live/:call_id",
    {
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "One call that goes on, with its turns and measures so far",
        description: "A call that has ended is 404 here and found under /api/v1/calls.",
        params: CallParams,
        querystring: NoQuery,
        response: { 200: answer("As far as it has gone", ref("LiveCall")) },
      },
    },
    async (request, reply) => {
      const { scope, personal } = who(request);
      const view = await viewLive(reads, { call_id: request.params.call_id, scope });
      const without = view.turns.some((turn) => turn.method === "statistical");
      return reply.send({
        ...presentLiveCall(view, personal),
        ...markDegraded(reply, without ? ["models"] : degradedParts(models)),
      });
    },
  );
}

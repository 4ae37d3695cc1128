import { Type } from "typebox";
import { EVERYBODY, PUBLIC } from "../auth.ts";
import type { App, RouteContext } from "../deps.ts";
import { AppError } from "../../errors.ts";
import { readiness } from "../../services/readiness.ts";
import { CallParams } from "../inputs.ts";
import { answer, ref } from "../schema.ts";

export function healthRoutes(app: App, context: RouteContext): void {
  app.get(
    "/health",
    {
      config: { access: PUBLIC },
      schema: {
        tags: ["health"],
        summary: "Is the process alive",
        description: "Touches nothing but the process.",
        response: { 200: answer("Alive", Type.Object({ status: Type.String() }, { additionalProperties: false })) },
      },
    },
    async (_request, reply) => reply.header("cache-control", "no-store").send({ status: "ok" }),
  );

  app.get(
    "/health/ready",
    {
      config: { access: PUBLIC },
      schema: {
        tags: ["health"],
        summary: "Can it serve",
        description:
          "Looks at store, queue, models, index, stream, lag and disk. degraded still serves. 503 while the store cannot be reached or the server shuts down.",
        response: { 200: answer("Serves", ref("Ready")), 503: answer("Does not serve", ref("Ready")) },
      },
    },
    async (_request, reply) => {
      const ready = await readiness(
        { ...context.store, models: context.models, vectors: context.vectors, vitals: context.vitals },
        { draining: context.draining?.() ?? false },
      );
      void reply.header("cache-control", "no-store");
      return reply.code(ready.status === "unavailable" ? 503 : 200).send(ready);
    },
  );

  // Documented here, served by the upgrade handler: a plain GET has not upgraded.
  const upgrade = "Credentials: the Authorization header, the page's cookie, or ?ticket= of POST /auth/ticket.";
  app.get(
    "/ws",
    {
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "WebSocket: figures as they change",
        description:
          "In: start_streaming, stop_streaming, custom_message {message}. Out: connection, streaming_status, " +
          `analytics_update {data}, echo {message}, error; each with seq. ${upgrade}`,
        response: { 101: { description: "Switched to WebSocket", type: "null" } },
      },
    },
    async () => {
      throw new AppError("upgrade_required");
    },
  );
  app.get(
    "/ws/sentiment/:call_id",
    {
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "WebSocket: the sentiment of one call's turns",
        description:
          "Out: hello, then one sentiment message a turn {call_id, sentiment, timestamp, status: streaming}, then complete. " +
          "A call that is not enriched yet follows when it is, an enriched one again after each change; the stream stays " +
          `open until the client leaves. Closes with 4404 for an unknown call. ${upgrade}`,
        params: CallParams,
        response: { 101: { description: "Switched to WebSocket", type: "null" } },
      },
    },
    async () => {
      throw new AppError("upgrade_required");
    },
  );
}

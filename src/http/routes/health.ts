import { Type } from "typebox";
import { PUBLIC } from "../auth.ts";
import type { App, RouteContext } from "../deps.ts";
import { readiness } from "../../services/readiness.ts";
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
          "Looks at store, queue, models, index, stream, lag and disk, and Kafka where it is used. degraded still serves. 503 while the store cannot be reached or the server shuts down.",
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
}

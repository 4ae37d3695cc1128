import { Type } from "typebox";
import { ALL_PROCESS_ROLES } from "../../core/process-roles.ts";
import type { ProcessRoles } from "../../core/process-roles.ts";
import { PUBLIC } from "../auth.ts";
import type { App, RouteContext } from "../deps.ts";
import { readiness } from "../../services/readiness.ts";
import { answer, ref } from "../schema.ts";

const WITHOUT_MODEL: ProcessRoles = new Set(["relay"]);

export function healthRoutes(app: App, context: RouteContext): void {
  const roles = context.roles ?? ALL_PROCESS_ROLES;
  const looked = {
    models: roles.isSubsetOf(WITHOUT_MODEL) ? null : context.models,
    vectors: roles.has("api") ? context.vectors : null,
  };
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
          "Looks at store, queue, models, index, stream, dispatch, cache, lag and disk, and lake and Kafka where they are used. degraded still serves. 503 while the store cannot be reached, a replica loads for the first time, or the server shuts down.",
        response: { 200: answer("Serves", ref("Ready")), 503: answer("Does not serve", ref("Ready")) },
      },
    },
    async (_request, reply) => {
      const ready = await readiness(
        { ...context.store, ...looked, vitals: context.vitals, replica: context.replica },
        { draining: context.draining?.() ?? false },
      );
      void reply.header("cache-control", "no-store");
      return reply.code(ready.status === "unavailable" ? 503 : 200).send(ready);
    },
  );
}

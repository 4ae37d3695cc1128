/** The OpenAPI 3.1 document, made from the schemas that the routes use. */
import swagger from "@fastify/swagger";
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { PUBLIC } from "./auth.ts";
import type { App } from "./deps.ts";
import { KEY_HEADER } from "./idempotency.ts";
import { ref, SCHEMAS } from "./schema.ts";

const ERROR = {
  description: "An error as problem+json",
  content: { "application/problem+json": { schema: ref("Problem") } },
};

const TAGS = [
  { name: "calls", description: "Send, read, replace and erase calls" },
  { name: "search", description: "Find what was said" },
  { name: "analytics", description: "Figures over calls" },
  { name: "live", description: "WebSockets" },
  { name: "events", description: "The change feed" },
  { name: "jobs", description: "Long work and what was given up" },
  { name: "replication", description: "What a replica reads" },
  { name: "access", description: "Who you are" },
  { name: "health", description: "For load balancers" },
];

/** Registers the shared schemas and the collector of routes; must be awaited before the first route. */
export async function useOpenapi(app: App, version: string): Promise<void> {
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Earshot",
        version,
        description:
          "Analytics of sales calls. Times are RFC 3339 in UTC, errors are RFC 9457 problems, ids are opaque.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API key (ek_…) or the token of POST /auth/login" },
          cookie: { type: "apiKey", in: "cookie", name: "earshot_session", description: "Set by signing in" },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (json["$id"] as string | undefined) ?? `def-${i}`,
    },
    transform: ({ schema, url, route }) => {
      const { access, idempotent } = route.config ?? {};
      const open = access === PUBLIC || access === undefined;
      return {
        url,
        schema: {
          ...schema,
          ...(schema.querystring !== undefined && { querystring: optionalDefaults(schema.querystring) }),
          ...(idempotent && { headers: KEY_HEADER }),
          response: { ...(schema.response as object | undefined), default: ERROR },
          security: open ? [] : [{ bearer: [] }, { cookie: [] }],
          ...(!open && { "x-roles": access }),
        },
      };
    },
  };
  await app.register(swagger, options);
  for (const [name, schema] of Object.entries(SCHEMAS)) app.addSchema({ ...schema, $id: name });
}

/** A parameter with a default may be left out; to the validator, which fills it in, it is there. */
function optionalDefaults(schema: unknown): unknown {
  const {
    required = [],
    properties = {},
    ...rest
  } = schema as {
    required?: readonly string[];
    properties?: Record<string, { default?: unknown }>;
  };
  return { ...rest, properties, required: required.filter((name) => properties[name]?.default === undefined) };
}

/** What the wire types are made of: the words of the API and the shapes that come back in many of them. */
import { Type } from "typebox";
import type { TSchema } from "typebox";
import { MAX_ID } from "../services/accept.ts";

export const CLOSED = { additionalProperties: false };

export function enumOf<T extends string>(values: readonly T[], description?: string) {
  return Type.Unsafe<T>({ type: "string", enum: [...values], ...(description && { description }) });
}

export function nullable(schema: TSchema, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

/** A reference to a schema of SCHEMAS by name. Inside the table its own type is not known yet; elsewhere use `ref`. */
export const named = (name: string) => Type.Unsafe<unknown>({ $ref: `${name}#` });

export const instant = (description: string) => Type.String({ format: "date-time", description });
export const id = (description: string) => Type.String({ minLength: 1, maxLength: MAX_ID, description });
export const score = (description: string) => Type.Number({ minimum: -1, maximum: 1, description });
export const degraded = Type.Optional(
  Type.Array(Type.String(), {
    description: "Parts that are not whole at the moment: models, index, store. Absent when all is well",
  }),
);

export const STATES = ["pending", "running", "enriched", "degraded", "dead"] as const;
export const SPEAKERS = ["agent", "customer"] as const;

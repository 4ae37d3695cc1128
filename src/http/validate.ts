/** Validators: bodies as they are, query strings with text read as the type that is asked for. */
import { Ajv } from "ajv";
import type { App } from "./deps.ts";

const options = { allErrors: true, verbose: true, removeAdditional: false, useDefaults: true, strict: false } as const;

export function useValidation(app: App): void {
  const body = new Ajv({ ...options, coerceTypes: false });
  const query = new Ajv({ ...options, coerceTypes: true });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    // Calls are checked by services/accept, for every way in alike and with better words than a schema has.
    if (httpPart === "body" && typeof schema === "object" && schema !== null && "$ref" in schema) return () => true;
    if (httpPart === "params") return () => true;
    return (httpPart === "querystring" ? query : body).compile(schema as object);
  });
  // `present` names every field that goes out, so a second pass over each answer would only cost time; the tests hold
  // the answers against the schemas.
  app.setSerializerCompiler(() => JSON.stringify);
}

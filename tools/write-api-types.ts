/** Writes web/src/api-types.ts: what the page may ask and what it gets, from openapi.json. A test finds drift. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly description?: string;
}

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "never";
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  switch (schema.type) {
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "array": {
      const item = typeOf(schema.items ?? {});
      const fixed = schema.minItems !== undefined && schema.minItems === schema.maxItems && schema.minItems <= 4;
      return fixed ? `readonly [${Array(schema.minItems).fill(item).join(", ")}]` : `readonly (${item})[]`;
    }
    case "object": {
      if (schema.properties) return members(schema);
      const others = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
      const values = Object.values(schema.patternProperties ?? {})[0] ?? others;
      return `Readonly<Record<string, ${values ? typeOf(values) : "unknown"}>>`;
    }
    default:
      return "unknown";
  }
}

function comment(text: string | undefined): string {
  return text === undefined ? "" : `/** ${text.replaceAll("*/", "* /")} */ `;
}

function members(schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const mark = schema.required?.includes(name) ? "" : "?";
    return `  ${comment(field.description)}readonly ${JSON.stringify(name)}${mark}: ${typeOf(field)};`;
  });
  return `{\n${fields.join("\n")}\n}`;
}

function operations(document: Document, method: string): string {
  const lines = Object.entries(document.paths).flatMap(([path, item]) => {
    const operation = item[method];
    const answer = Object.entries(operation?.responses ?? {}).find(([status]) => status.startsWith("2"))?.[1];
    if (operation === undefined || answer === undefined) return [];
    const query = (operation.parameters ?? []).filter((p) => p.in === "query");
    const schema: Schema = {
      properties: Object.fromEntries(query.map((p) => [p.name, p.schema])),
      required: query.filter((p) => p.required).map((p) => p.name),
    };
    const body = operation.requestBody?.content["application/json"]?.schema;
    const got = answer.content?.["application/json"]?.schema;
    const parts = [
      `query: ${query.length === 0 ? "NoQuery" : members(schema)}`,
      `body: ${body ? typeOf(body) : "undefined"}`,
      `answer: ${got ? typeOf(got) : "undefined"}`,
    ];
    return [`  readonly ${JSON.stringify(path)}: { ${parts.map((p) => `readonly ${p}`).join("; ")} };`];
  });
  return lines.join("\n");
}

/** The text of web/src/api-types.ts for an OpenAPI document as JSON. */
export function apiTypes(openapi: string): string {
  const document = JSON.parse(openapi) as Document;
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `${comment(schema.description)}export type ${name} = ${typeOf(schema)};`,
  );
  return `// Made from openapi.json by tools/write-api-types.ts. Do not edit.

export type NoQuery = Readonly<Record<string, never>>;

${schemas.join("\n\n")}

export interface Gets {
${operations(document, "get")}
}

export interface Posts {
${operations(document, "post")}
}
`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  writeFileSync(join(root, "web/src/api-types.ts"), apiTypes(readFileSync(join(root, "openapi.json"), "utf8")));
}

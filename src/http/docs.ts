/** /openapi.json, and /docs: the same document as one readable page without scripts or anything from elsewhere. */
import { hash } from "node:crypto";
import { ERRORS } from "../errors.ts";
import { PUBLIC } from "./auth.ts";
import type { App } from "./deps.ts";
import { PUBLIC_DOCUMENT } from "./shared-cache.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
}

interface Content {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
  readonly "x-roles"?: readonly string[];
}

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The same for everybody; pages of other sites have other headers. */
const SHARED = { "cache-control": PUBLIC_DOCUMENT, vary: "Origin" };

export function docsRoutes(app: App): void {
  let page: string | null = null;
  const hidden = { hide: true };
  app.get("/openapi.json", { config: { access: PUBLIC }, schema: hidden }, async (_request, reply) =>
    reply.headers({ ...SHARED, "access-control-allow-origin": "*" }).send(app.swagger()),
  );
  app.get("/docs", { config: { access: PUBLIC }, schema: hidden }, async (_request, reply) => {
    page ??= render(app.swagger() as unknown as Document);
    const style = hash("sha256", STYLE, "base64");
    return reply
      .headers(SHARED)
      .header("content-security-policy", `default-src 'none'; style-src 'sha256-${style}'; frame-ancestors 'none'`)
      .type("text/html; charset=utf-8")
      .serializer((html: string) => html)
      .send(page);
  });
}

const STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);--soft:color-mix(in srgb,currentColor 6%,transparent)}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
h1{margin:0}h2{margin-top:3rem;border-bottom:1px solid var(--line)}
article{border:1px solid var(--line);border-radius:.5rem;padding:0 1rem 1rem;margin:1rem 0}
h3{font:600 1rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,monospace;font-size:.875em}
pre{background:var(--soft);padding:.75rem;border-radius:.375rem;overflow-x:auto}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}.roles{opacity:.8}nav a{margin-right:1rem}
a:focus-visible{outline:2px solid;outline-offset:2px}`;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A type in a few words, named schemas as links. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
  }
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((v) => `<code>${escape(String(v))}</code>`).join(" | ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.type === "object" && !schema.properties) {
    const values = Object.values(schema.patternProperties ?? {})[0];
    return values ? `object of ${typeOf(values)}` : "object";
  }
  const bounds =
    schema.minimum !== undefined || schema.maximum !== undefined
      ? ` ${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`
      : "";
  const kind = schema.format === "date-time" ? "RFC 3339 instant" : String(schema.type ?? "anything");
  return escape(`${kind}${bounds}`);
}

function cells(row: readonly string[], tag: string): string {
  return `<tr>${row.map((c) => `<${tag}>${c}</${tag}>`).join("")}</tr>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  return `<div class="table"><table><thead>${cells(head, "th")}</thead><tbody>${rows
    .map((r) => cells(r, "td"))
    .join("")}</tbody></table></div>`;
}

function fields(schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const mark = schema.required?.includes(name) ? "" : " (optional)";
    const nested = field.items?.properties ? fields(field.items) : field.properties ? fields(field) : "";
    return [`<code>${escape(name)}</code>${mark}`, typeOf(field), escape(field.description ?? "") + nested];
  });
  return table(["Field", "Type", "Meaning"], rows);
}

function content(part: Content): string {
  return Object.entries(part.content ?? {})
    .map(([type, { schema }]) => `<code>${escape(type)}</code> ${typeOf(schema)}${schema.$ref ? "" : fields(schema)}`)
    .join("<br>");
}

function operation(path: string, method: string, op: Operation): string {
  const parameters = (op.parameters ?? []).map((p) => {
    const fallback = p.schema.default === undefined ? "" : ` Default: ${JSON.stringify(p.schema.default)}.`;
    const name = `<code>${escape(p.name)}</code>${p.required ? "" : " (optional)"}`;
    return [name, p.in, typeOf(p.schema), escape(`${p.description ?? p.schema.description ?? ""}${fallback}`)];
  });
  const answers = Object.entries(op.responses).map(([status, r]) => [
    escape(status),
    escape(r.description ?? ""),
    content(r),
  ]);
  return `<article><h3>${escape(method.toUpperCase())} ${escape(path)}</h3>
<p>${escape(op.summary ?? "")}. ${escape(op.description ?? "")}</p>
<p class="roles">${op["x-roles"] ? `Roles: ${escape(op["x-roles"].join(", "))}` : "Public"}</p>
${table(["Parameter", "In", "Type", "Meaning"], parameters)}
${op.requestBody ? `<p>Body: ${content(op.requestBody)}</p>` : ""}
${table(["Status", "Meaning", "Body"], answers)}</article>`;
}

function render(document: Document): string {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, op]) => ({ tag: op.tags?.[0] ?? "", html: operation(path, method, op) })),
  );
  const sections = document.tags.map(
    (tag) => `<h2 id="${escape(tag.name)}">${escape(tag.name)}</h2><p>${escape(tag.description)}.</p>
${operations
  .filter((o) => o.tag === tag.name)
  .map((o) => o.html)
  .join("\n")}`,
  );
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => {
    const example = schema.examples?.[0];
    return `<article id="schema-${escape(name)}"><h3>${escape(name)}</h3><p>${escape(schema.description ?? "")}</p>
${fields(schema)}${example === undefined ? "" : `<pre>${escape(JSON.stringify(example, null, 2))}</pre>`}</article>`;
  });
  const errors = Object.entries(ERRORS).map(([code, e]) => [
    `<code id="error-${code}">${code}</code>`,
    String(e.status),
    escape(e.title),
    e.retryable ? "yes" : "no",
  ]);
  const links = [...document.tags.map((t) => t.name), "errors", "schemas"];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(document.info.title)} API ${escape(document.info.version)}</title><style>${STYLE}</style></head><body>
<header><h1>${escape(document.info.title)} API</h1><p>Version ${escape(document.info.version)}. ${escape(document.info.description)}
The machine-readable form: <a href="/openapi.json">openapi.json</a>.</p></header>
<nav>${links.map((l) => `<a href="#${escape(l)}">${escape(l)}</a>`).join("")}</nav>
<main>${sections.join("\n")}
<h2 id="errors">errors</h2><p>Every error is application/problem+json with one of these codes.</p>
${table(["Code", "Status", "Meaning", "Worth a retry"], errors)}
<h2 id="schemas">schemas</h2>${schemas.join("\n")}</main></body></html>`;
}

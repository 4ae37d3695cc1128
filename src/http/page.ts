/** The dashboard's built files: read once, served as they lie, compressed by the build. */
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../errors.ts";
import { PUBLIC } from "./auth.ts";
import type { App } from "./deps.ts";
import { matches } from "./etag.ts";

interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Smallest first; the last has no encoding. */
  readonly forms: readonly { readonly encoding: "br" | "gzip" | null; readonly bytes: Buffer }[];
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const ABSENT = `The dashboard is not built. In a checkout, "npm run build:web" builds it and "npm run demo" does so by itself; start again afterwards. The API is here all the same: see /docs.\n`;

/** `folder`: where the build put index.html and assets/; without it `/` says how to build them. */
export function pageRoutes(app: App, folder: string | null): void {
  const index = folder !== null && existsSync(join(folder, "index.html")) ? read(folder, "index.html") : null;
  const assets = new Map<string, PageFile>();
  if (folder !== null && index !== null) {
    for (const name of readdirSync(join(folder, "assets"))) {
      if (TYPES[extname(name)] !== undefined) assets.set(name, read(join(folder, "assets"), name));
    }
  }
  const policy = index && policyOf(index);
  const options = { config: { access: PUBLIC }, schema: { hide: true } } as const;

  // The page's own addresses: each is the same file, which reads the address.
  for (const url of ["/", "/agents", "/calls/:call_id", "/live", "/live/:call_id"]) {
    app.get(url, options, (request, reply) => {
      if (index === null || policy === null) {
        return reply.code(404).type("text/plain; charset=utf-8").send(ABSENT);
      }
      void reply.header("content-security-policy", policy).header("cache-control", "no-cache");
      return sendFile(request, reply, index);
    });
  }

  app.get<{ Params: { file: string } }>("/assets/:file", options, (request, reply) => {
    const file = assets.get(request.params.file);
    if (!file) throw new AppError("not_found", "There is nothing at this address");
    // The name holds a hash of the content: it never changes.
    void reply.header("cache-control", "public, max-age=31536000, immutable");
    return sendFile(request, reply, file);
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  void reply.header("etag", file.etag).header("vary", "Accept-Encoding, Origin");
  if (matches(request.headers["if-none-match"], file.etag)) return reply.code(304).send();
  const accepted = request.headers["accept-encoding"] ?? "";
  const form = file.forms.find((f) => f.encoding === null || new RegExp(`\\b${f.encoding}\\b`).test(accepted));
  if (!form) throw new Error("a file without its plain form");
  if (form.encoding !== null) void reply.header("content-encoding", form.encoding);
  return reply.type(file.type).send(form.bytes);
}

function read(folder: string, name: string): PageFile {
  const path = join(folder, name);
  const plain = readFileSync(path);
  const packed = (["br", "gzip"] as const).flatMap((encoding) => {
    const file = `${path}.${encoding === "gzip" ? "gz" : encoding}`;
    return existsSync(file) ? [{ encoding, bytes: readFileSync(file) }] : [];
  });
  return {
    type: TYPES[extname(name)] ?? "application/octet-stream",
    etag: `"${hash("sha256", plain, "base64url").slice(0, 22)}"`,
    forms: [...packed, { encoding: null, bytes: plain }],
  };
}

/** Scripts from here only, and the one inline script by its hash. Mantine sets style attributes, so styles may be inline. */
function policyOf(index: PageFile): string {
  const html = index.forms.at(-1)?.bytes.toString() ?? "";
  const inline = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, text]) => `'sha256-${hash("sha256", text ?? "", "base64")}'`,
  );
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inline].join(" "),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

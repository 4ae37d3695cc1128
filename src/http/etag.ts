/** ETag and 304 for everything that is read. */
import { hash } from "node:crypto";
import type { App } from "./deps.ts";

/** True if If-None-Match names the tag (weak comparison, RFC 9110 §13.1.2). */
export function matches(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const opaque = tag.replace(/^W\//, "");
  return ifNoneMatch.split(",").some((t) => t.trim().replace(/^W\//, "") === opaque);
}

/** Answers that name no tag of their own get one from their bytes: saves sending, not computing. */
export function useEtags(app: App): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    const isText = typeof payload === "string";
    if (request.method !== "GET" || reply.statusCode !== 200 || !(isText || Buffer.isBuffer(payload))) {
      done(null, payload);
      return;
    }
    // As bytes: sent, a long string costs some 20 µs more.
    const bytes = isText ? Buffer.from(payload) : payload;
    let tag = reply.getHeader("etag") as string | undefined;
    if (tag === undefined) {
      tag = `"${hash("sha256", bytes, "base64url").slice(0, 22)}"`;
      void reply.header("etag", tag);
    }
    if (!reply.hasHeader("cache-control")) void reply.header("cache-control", "private, no-cache");
    if (matches(request.headers["if-none-match"], tag)) {
      void reply.code(304).removeHeader("content-length").removeHeader("content-type");
      done(null, "");
      return;
    }
    done(null, bytes);
  });
}

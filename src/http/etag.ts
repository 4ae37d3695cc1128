/** ETag and 304 for everything that is read. */
import { hash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "./deps.ts";

/** True if If-None-Match names the tag (weak comparison, RFC 9110 §13.1.2). */
export function matches(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const opaque = tag.replace(/^W\//, "");
  return ifNoneMatch.split(",").some((t) => t.trim().replace(/^W\//, "") === opaque);
}

/** Stays with whoever asked, and is asked about each time. */
export const PRIVATE = "private, no-cache";

/** What becomes of good answers: the bytes that were sent, or null where the asker has them already. */
export type OnGood = (request: FastifyRequest, reply: FastifyReply, tag: string, bytes: Buffer | null) => void;

/** Answers that name no tag of their own get one from their bytes: saves sending, not computing. */
export function useEtags(app: App, onGood: OnGood): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    if (reply.statusCode === 304 && request.method === "GET") {
      onGood(request, reply, String(reply.getHeader("etag")), null);
    }
    const isText = typeof payload === "string";
    const isGood = request.method === "GET" && reply.statusCode === 200 && (isText || Buffer.isBuffer(payload));
    // What may not be stored needs no tag: the asker will not have it when it asks again.
    if (!isGood || reply.getHeader("cache-control") === "no-store") {
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
    onGood(request, reply, tag, bytes);
    if (!reply.hasHeader("cache-control")) void reply.header("cache-control", PRIVATE);
    if (matches(request.headers["if-none-match"], tag)) {
      void reply.code(304).removeHeader("content-length").removeHeader("content-type");
      done(null, "");
      return;
    }
    done(null, bytes);
  });
}

/** Headers of every answer: security, request id, and CORS for the origins that the settings name (none by default). */
import type { App } from "./deps.ts";

// An answer of the API is data: nothing in it may run, be framed, or be read by another site.
export const SECURITY = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  vary: "Authorization, Cookie, Origin",
};
const EXPOSED =
  "Age, ETag, Location, RateLimit, RateLimit-Policy, Retry-After, Earshot-Degraded, Earshot-Position, Earshot-Replica-Lag, Idempotency-Replayed, X-Request-Id";

export function useHeaders(app: App, origins: readonly string[]): void {
  const allowed = new Set(origins);
  app.addHook("onRequest", (request, reply, done) => {
    void reply.headers(SECURITY).header("x-request-id", request.id);
    if (request.protocol === "https") void reply.header("strict-transport-security", "max-age=31536000");
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) {
      done();
      return;
    }
    void reply.headers({
      "access-control-allow-origin": origin,
      "access-control-expose-headers": EXPOSED,
      "cross-origin-resource-policy": "cross-origin",
    });
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      done();
      return;
    }
    // A preflight: asked before credentials are sent, so it is answered before access.
    void reply
      .headers({
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "Authorization, Content-Type, Earshot-Position, If-None-Match, Idempotency-Key",
        "access-control-max-age": "600",
      })
      .code(204)
      .send();
  });
}

/**
 * What a cache that many share (a proxy, a CDN) may keep: figures, for seconds, where the settings allow it and for whoever
 * sends the same credentials. Everything else stays with the asker.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "./deps.ts";
import { PRIVATE } from "./etag.ts";
import { SECURITY } from "./headers.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Holds figures alone, nothing that was said and nobody who said it. */
    shared?: true;
  }
}

/** Documents of this version; one that is a day old is better than none while a new one is fetched. */
export const PUBLIC_DOCUMENT = "public, max-age=300, stale-while-revalidate=86400";

/** Before routes are registered. `seconds`: fresh for so long, and as long again while it is fetched anew. */
export function useSharedCache(app: App, seconds: number): void {
  if (seconds === 0) return;
  const control = `public, max-age=0, s-maxage=${seconds}, stale-while-revalidate=${seconds}`;
  // An answer belongs to the credentials it was made for, and one to "not before this position" to no other request.
  const vary = `${SECURITY.vary}, Earshot-Position`;
  app.addHook("onRoute", (route) => {
    if (route.config?.shared !== true) return;
    // Of the route itself, so after the hook of all that says private.
    route.onSend = (request, reply, payload, done) => {
      if (mayBeShared(request, reply)) void reply.header("cache-control", control).header("vary", vary);
      done(null, payload);
    };
  });
}

/** Not for browsers, whose cookie a cache may not look at, and not what stands in for something better. */
function mayBeShared({ headers }: FastifyRequest, reply: FastifyReply): boolean {
  return (
    reply.getHeader("cache-control") === PRIVATE &&
    headers.authorization !== undefined &&
    headers.cookie === undefined &&
    headers["earshot-position"] === undefined &&
    reply.getHeader("age") === undefined
  );
}

/** The end of the HTTP surface: requests under way are answered, then nobody is listened to. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { App } from "./deps.ts";

/** While requests are under way new connections are taken a little longer, so that /health/ready can say 503. */
const LINGER_MS = 1_500;
/** A client that does not finish what it sends, or read what it is sent, is cut off after this. */
const PATIENCE_MS = 4_000;

export interface Drain {
  /** Resolves when no connection is left; the number of requests that were cut off. */
  close(): Promise<number>;
}

/** Counts requests from now on. */
export function createDrain(app: App): Drain {
  const underWay = new Set<ServerResponse>();
  let draining = false;
  let idle: (() => void) | null = null;
  // One function for all requests: a listener of its own for each showed in profiles.
  function ended(this: ServerResponse): void {
    underWay.delete(this);
    if (underWay.size === 0) idle?.();
  }
  app.server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
    underWay.add(response);
    if (draining) sendAway(response);
    response.on("close", ended);
  });
  return {
    async close() {
      draining = true;
      for (const response of underWay) sendAway(response);
      let cut = 0;
      const timer = setTimeout(() => {
        cut = underWay.size;
        app.server.closeAllConnections();
      }, PATIENCE_MS);
      if (underWay.size > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
          setTimeout(resolve, LINGER_MS).unref();
        });
      }
      await app.close();
      clearTimeout(timer);
      return cut;
    },
  };
}

/** A client that comes again should come to another server. */
function sendAway(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}

/** The end of the HTTP surface: requests under way are answered, then nobody is listened to. */
import type { ServerResponse } from "node:http";
import type { App } from "./deps.ts";
import type { UnderWay } from "./under-way.ts";

/** While requests are under way new connections are taken a little longer, so that /health/ready can say 503. */
const LINGER_MS = 1_500;
/** A client that does not finish what it sends, or read what it is sent, is cut off after this. */
const PATIENCE_MS = 4_000;

export interface Drain {
  /** Resolves when no connection is left; the number of requests that were cut off. */
  close(): Promise<number>;
}

export function createDrain(app: App, underWay: UnderWay): Drain {
  return {
    async close() {
      const idle = Promise.withResolvers<void>();
      underWay.watch({ added: sendAway, idle: idle.resolve });
      for (const response of underWay.responses) sendAway(response);
      let cut = 0;
      const timer = setTimeout(() => {
        cut = underWay.responses.size;
        app.server.closeAllConnections();
      }, PATIENCE_MS);
      if (underWay.responses.size > 0) {
        setTimeout(idle.resolve, LINGER_MS).unref();
        await idle.promise;
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

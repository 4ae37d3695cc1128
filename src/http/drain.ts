/** The end of the HTTP surface: requests under way are answered, then nobody is listened to. */
import type { ServerResponse } from "node:http";
import { Server } from "node:net";
import type { App } from "./deps.ts";
import type { UnderWay } from "./under-way.ts";

/** While requests are under way new connections are taken a little longer, so that /health/ready can say 503. */
const LINGER_MS = 1_500;
/** A client that does not finish what it sends, or read what it is sent, is cut off after this. */
const PATIENCE_MS = 4_000;

export interface Drain {
  /** Everything is answered as before, and every client told to leave its connection. */
  begin(): void;
  /** Resolves when no connection is left; the number of requests that were cut off. */
  close(): Promise<number>;
}

export function createDrain(app: App, underWay: UnderWay): Drain {
  const idle = Promise.withResolvers<void>();
  let lingering = false;
  const ended = (): void => {
    if (lingering) idle.resolve();
  };
  const begin = (): void => {
    underWay.watch({ added: sendAway, idle: ended });
    for (const response of underWay.responses) sendAway(response);
  };
  return {
    begin,
    async close() {
      begin();
      lingering = true;
      let cut = 0;
      const timer = setTimeout(() => {
        cut = underWay.responses.size;
        app.server.closeAllConnections();
      }, PATIENCE_MS);
      if (underWay.responses.size > 0) {
        setTimeout(idle.resolve, LINGER_MS).unref();
        await idle.promise;
      }
      stopListening(app.server);
      await app.close();
      clearTimeout(timer);
      return cut;
    },
  };
}

/**
 * Whoever connects now is refused by the system, so that a proxy asks the next process, while sockets are told to go and
 * requests on open connections are answered. The server's own close would end idle connections first, and sockets that
 * come back at once would come back to here.
 */
function stopListening(server: Server): void {
  Server.prototype.close.call(server);
}

/** A client that comes again should come to another server. */
function sendAway(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}

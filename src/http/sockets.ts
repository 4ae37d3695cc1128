/** WebSockets on the server's own port: the handshake is always taken, so that a refusal is a close code that
 *  browsers can read. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { RawData } from "ws";
import { AppError } from "../errors.ts";
import type { Access, Principal } from "../services/access.ts";
import { CLOSE } from "../services/stream-client.ts";
import type { Session } from "../services/stream-client.ts";
import type { Streams } from "../services/streams.ts";
import type { App } from "./deps.ts";
import type { RateLimits } from "./limits.ts";
import type { Producers } from "./live-socket.ts";
import { allowed, closeCode, closeReason, socketPrincipal } from "./socket-access.ts";
import { startPulse } from "./stream-pulse.ts";
import { readAfter, readFeedQuery, readPlace } from "./stream-query.ts";
import { StreamSocket } from "./stream-socket.ts";

/** Takes upgrade requests of another protocol. */
export interface Gateway {
  takes(url: string): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends its connections, once streams have said why. */
  close(): Promise<void>;
}

export interface SocketDeps {
  readonly producers: Producers;
  readonly streams: Streams;
  readonly access: Access;
  readonly limits: RateLimits;
  readonly origins: readonly string[];
  readonly gateway?: Gateway | null;
}

/** Of larger messages no more is read. */
const HARD_LIMIT = 1_048_576;
/** Parts of one message: each is an object until the last has come, and ws would take 16,384. */
const FRAGMENTS = 128;
/** Before the credentials are looked at. */
const EARLY_MESSAGES = 16;
/** Who does not answer the close in time is cut off. */
const CLOSE_MS = 5_000;
/** The same at a shutdown, which must end. */
const PATIENCE_MS = 1_000;

export function useSockets(app: App, deps: SocketDeps): void {
  const { streams, gateway } = deps;
  // A name of its own, for the types of ws do not know the last two yet.
  const options = {
    noServer: true,
    WebSocket: StreamSocket,
    maxPayload: HARD_LIMIT,
    perMessageDeflate: false,
    maxFragments: FRAGMENTS,
    closeTimeout: CLOSE_MS,
  };
  const server = new WebSocketServer(options);
  const pulse = startPulse<StreamSocket>(streams.limits.ping_ms, (ws) => {
    if (!ws.beat()) ws.terminate();
  });

  let closing = false;

  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", destroy);
    if (closing) {
      socket.end(
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
      );
      return;
    }
    if (gateway?.takes(request.url ?? "")) {
      gateway.upgrade(request, socket, head);
      return;
    }
    if (deps.producers.take(request, socket, head)) return;
    const route = routeOf(request.url ?? "");
    if (route === null) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    server.handleUpgrade(request, socket, head, (ws) => {
      ws.duplex = socket;
      void open(ws, request, route);
    });
  });

  // One function for all sockets: of listeners of their own ten thousand have fifty thousand.
  function receive(this: WebSocket, data: RawData, binary: boolean): void {
    const ws = this as StreamSocket;
    // A closed client may go on sending for seconds; what comes is read for the answer to the close alone.
    if (ws.readyState !== WebSocket.OPEN) return;
    const bytes = data as Buffer;
    ws.alive = true;
    if (binary) ws.close(CLOSE.bad_message, "send text");
    else if (bytes.length > streams.limits.message_bytes) ws.close(CLOSE.too_large, "more than 64 KB");
    else if (ws.session !== null) ws.session.receive(bytes.toString("utf8"));
    else if ((ws.early ??= []).push(bytes.toString("utf8")) > EARLY_MESSAGES) {
      ws.close(CLOSE.too_many, "too many messages before hello");
    }
  }
  function ended(this: WebSocket): void {
    const ws = this as StreamSocket;
    pulse.remove(ws);
    ws.session?.ended();
    ws.session = null;
  }

  async function open(ws: StreamSocket, request: IncomingMessage, route: Route): Promise<void> {
    ws.on("message", receive).on("pong", answered).on("error", ignore).on("close", ended);
    pulse.add(ws);
    try {
      if (!allowed(request, deps.origins)) {
        ws.close(CLOSE.forbidden, "This origin may not connect");
        return;
      }
      const principal = await socketPrincipal(deps, request, { ticket: route.query.get("ticket") });
      if (ws.readyState !== WebSocket.OPEN) return;
      ws.session = start(ws, principal, route);
      for (const text of ws.early?.splice(0) ?? []) ws.session?.receive(text);
      ws.early = null;
    } catch (error) {
      if (error instanceof AppError) {
        ws.close(closeCode(error), closeReason(error));
        return;
      }
      app.log.error({ error }, "a socket could not be opened");
      ws.close(CLOSE.internal, "Try again");
    }
  }

  /** @throws AppError validation, forbidden */
  function start(ws: StreamSocket, principal: Principal, { stream, call_id, query }: Route): Session | null {
    if (stream === "feed") return streams.feed.open(ws, principal, readFeedQuery(query));
    if (stream === "sentiment") return streams.sentiment.open(ws, principal, { call_id, ...readPlace(query) });
    return streams.figures.open(ws, principal, { after: readAfter(query), streaming: false });
  }

  app.addHook("preClose", async () => {
    // One that came now would not be among those that are waited for.
    closing = true;
    deps.producers.close();
    pulse.stop();
    streams.close();
    for (const ws of server.clients) ws.close(CLOSE.restarting, "The server is restarting");
    const others = gateway?.close();
    const timer = setTimeout(() => {
      for (const ws of server.clients) ws.terminate();
    }, PATIENCE_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = (): void => {
      if (server.clients.size === 0) resolve();
    };
    for (const ws of server.clients) ws.once("close", () => queueMicrotask(last));
    last();
    await promise;
    await others;
    clearTimeout(timer);
    server.close();
  });
}

function destroy(this: Duplex): void {
  this.destroy();
}
function answered(this: WebSocket): void {
  (this as StreamSocket).alive = true;
}
/** A protocol error or broken pipe; `close` follows. */
function ignore(): void {}

interface Route {
  readonly stream: "feed" | "sentiment" | "figures";
  /** Of the sentiment stream. */
  readonly call_id: string;
  readonly query: URLSearchParams;
}

function routeOf(url: string): Route | null {
  const [path = "", ...rest] = url.split("?");
  const query = new URLSearchParams(rest.join("?"));
  const bare = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  if (bare === "/ws") return { stream: "figures", call_id: "", query };
  if (bare === "/ws/feed") return { stream: "feed", call_id: "", query };
  const found = /^\/ws\/sentiment\/([^/]+)$/.exec(bare)?.[1];
  if (found === undefined) return null;
  try {
    return { stream: "sentiment", call_id: decodeURIComponent(found), query };
  } catch {
    return null;
  }
}

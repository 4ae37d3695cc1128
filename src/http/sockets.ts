/** WebSockets on the server's own port: the handshake is always taken, so that a refusal is a close code that
 *  browsers can read. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { RawData } from "ws";
import type { Access, Principal } from "../services/access.ts";
import { CLOSE } from "../services/live-client.ts";
import type { Live, Session } from "../services/live.ts";
import type { Connection } from "../services/live-client.ts";
import { AppError } from "../errors.ts";
import { credentialOf, sameOrigin } from "./auth.ts";
import type { App } from "./deps.ts";
import { countStranger } from "./limits.ts";
import type { Producers } from "./live-socket.ts";
import type { RateLimits } from "./limits.ts";

export interface SocketDeps {
  readonly live: Live;
  readonly producers: Producers;
  readonly access: Access;
  readonly limits: RateLimits;
  readonly origins: readonly string[];
}

/** Of larger messages no more is read. */
const HARD_LIMIT = 1_048_576;

/** ws closes too large messages by itself, with the protocol's 1009; ours is the code that clients rely on. */
class Socket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (code === 1009) super.close(CLOSE.too_large, "more than 64 KB");
    else super.close(code, reason);
  }
}

export function useSockets(app: App, deps: SocketDeps): void {
  const { live } = deps;
  const server = new WebSocketServer({
    noServer: true,
    WebSocket: Socket,
    maxPayload: HARD_LIMIT,
    perMessageDeflate: false,
  });
  const alive = new WeakSet<WebSocket>();

  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (deps.producers.take(request, socket, head)) return;
    const route = routeOf(request.url ?? "");
    if (route === null) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    server.handleUpgrade(request, socket, head, (ws) => {
      void open(ws, request, route);
    });
  });

  async function open(ws: WebSocket, request: IncomingMessage, route: Route): Promise<void> {
    let session: Session | null = null;
    const early: RawData[] = [];
    const receive = (data: RawData, binary: boolean): void => {
      const bytes = data as Buffer;
      if (binary) ws.close(CLOSE.bad_message, "send text");
      else if (bytes.length > live.limits.message_bytes) ws.close(CLOSE.too_large, "more than 64 KB");
      else if (session !== null) session.receive(bytes.toString("utf8"));
      // What comes before the credentials are looked at waits, but not for ever.
      else if (early.push(data) > 16) ws.close(CLOSE.too_many, "too many messages before hello");
    };
    ws.on("message", receive);
    ws.on("pong", () => alive.add(ws));
    // A protocol error or broken pipe; `close` follows.
    ws.on("error", () => {});
    ws.on("close", () => session?.ended());
    alive.add(ws);
    try {
      if (!allowed(request, deps.origins)) {
        ws.close(CLOSE.forbidden, "This origin may not connect");
        return;
      }
      const principal = await principalOf(request, route, deps.access);
      if (ws.readyState !== WebSocket.OPEN) return;
      if (principal === null) {
        await countStranger(deps.limits, request.socket.remoteAddress ?? "");
        ws.close(CLOSE.unauthorized, "No credentials, or wrong ones");
        return;
      }
      const connection = connectionOf(ws);
      session =
        route.call_id === null
          ? live.dashboard(connection, principal)
          : live.sentiment(connection, principal, route.call_id);
      for (const data of early.splice(0)) receive(data, false);
    } catch (error) {
      if (error instanceof AppError && error.code === "too_many_requests") {
        // A close reason has 123 bytes.
        ws.close(CLOSE.too_many, error.message.slice(0, 120));
        return;
      }
      app.log.error({ error }, "a socket could not be opened");
      ws.close(CLOSE.internal, "Try again");
    }
  }

  const pinging = setInterval(() => {
    for (const ws of server.clients) {
      if (alive.delete(ws)) ws.ping();
      else ws.terminate();
    }
  }, live.limits.ping_ms);
  pinging.unref();

  app.addHook("preClose", async () => {
    clearInterval(pinging);
    live.close();
    deps.producers.close();
    for (const ws of server.clients) ws.close(CLOSE.restarting, "The server is restarting");
    // Who does not answer the close in time is cut off: a shutdown must end.
    const timer = setTimeout(() => {
      for (const ws of server.clients) ws.terminate();
    }, 1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = (): void => {
      if (server.clients.size === 0) resolve();
    };
    for (const ws of server.clients) ws.once("close", () => queueMicrotask(last));
    last();
    await promise;
    clearTimeout(timer);
    server.close();
  });
}

interface Route {
  /** null: /ws. */
  readonly call_id: string | null;
  readonly query: URLSearchParams;
}

function routeOf(url: string): Route | null {
  const [path = "", ...rest] = url.split("?");
  const query = new URLSearchParams(rest.join("?"));
  if (path === "/ws" || path === "/ws/") return { call_id: null, query };
  const found = /^\/ws\/sentiment\/([^/]+)\/?$/.exec(path)?.[1];
  if (found === undefined) return null;
  try {
    return { call_id: decodeURIComponent(found), query };
  } catch {
    return null;
  }
}

/** Programs send no Origin; pages must be our own or of an origin that the settings name. */
function allowed(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  return origin === undefined || origins.includes(origin) || sameOrigin(request);
}

async function principalOf(request: IncomingMessage, route: Route, access: Access): Promise<Principal | null> {
  const ticket = route.query.get("ticket");
  if (ticket !== null) return access.redeemTicket(ticket);
  const credential = credentialOf(request);
  return credential && access.authenticate(credential.value);
}

function connectionOf(ws: WebSocket): Connection {
  return {
    send: (text, done) => ws.send(text, done),
    buffered: () => ws.bufferedAmount,
    close(code, reason) {
      ws.close(code, reason);
      // A client that reads nothing does not read the close either.
      if (code === CLOSE.too_slow) setTimeout(() => ws.terminate(), 5_000).unref();
    },
  };
}

/**
 * Socket.IO on the streams of the sockets, for teams that use its clients. A client subscribes to a stream and gets its
 * messages as events of that name, as the sockets send them; `after` resumes. By WebSocket alone, so that a client may
 * meet another process each time. No adapter carries messages between processes: each follows the log itself.
 */
import { Server as Engine } from "engine.io";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Server } from "socket.io";
import type { Socket } from "socket.io";
import { pointer } from "../core/field-error.ts";
import { AppError, invalid } from "../errors.ts";
import type { FieldError } from "../errors.ts";
import type { Principal } from "../services/access.ts";
import { CLOSE, Client } from "../services/stream-client.ts";
import type { App } from "./deps.ts";
import { Subscription } from "./socket-io-subscription.ts";
import type { StreamName } from "./socket-io-subscription.ts";
import { allowed, closeCode, socketPrincipal } from "./socket-access.ts";
import type { Gateway, SocketDeps } from "./sockets.ts";
import { readAfter, readFeedQuery, readPlace } from "./stream-query.ts";

const PATH = "/socket.io/";
/** One socket's at most. */
const SUBSCRIPTIONS = 50;
/** Who has not said by then who they are is cut off. */
const PATIENCE_MS = 10_000;
const CLOSE_MS = 1_000;
const STREAMS: readonly StreamName[] = ["feed", "sentiment", "figures"];

type Answer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** As the close codes of sockets. */
      readonly code: number;
      readonly message: string;
      readonly errors?: readonly FieldError[];
    };

interface Asked {
  readonly stream: StreamName;
  readonly call_id: string | null;
  readonly query: URLSearchParams;
}

export function socketIo(app: App, deps: Omit<SocketDeps, "gateway" | "producers">): Gateway {
  const { streams } = deps;
  const engine = new Engine({
    transports: ["websocket"],
    maxHttpBufferSize: streams.limits.message_bytes,
    perMessageDeflate: false,
    pingInterval: streams.limits.ping_ms,
    allowRequest: (request, answer) => answer(null, allowed(request, deps.origins)),
  });
  const io = new Server({ serveClient: false, connectTimeout: PATIENCE_MS });
  io.bind(engine);
  const open = new Set<Socket["conn"]>();
  engine.on("connection", (conn: Socket["conn"]) => {
    open.add(conn);
    conn.once("close", () => open.delete(conn));
  });

  io.use((socket, proceed) => void letIn(socket).then(proceed));
  io.on("connection", serve);

  /** @throws AppError unauthorized, too_many_requests */
  function authenticate({ handshake, request }: Socket): Promise<Principal> {
    const { token, ticket } = handshake.auth as { token?: unknown; ticket?: unknown };
    return socketPrincipal(deps, request, {
      ticket: typeof ticket === "string" ? ticket : null,
      token: typeof token === "string" ? token : undefined,
    });
  }

  /** Why not; nothing where it may come in. */
  async function letIn(socket: Socket): Promise<Error | undefined> {
    try {
      (socket.data as { principal: Principal }).principal = await authenticate(socket);
      return undefined;
    } catch (error) {
      const told = toldError(error);
      return Object.assign(new Error(told.message), { data: { code: closeCode(told) } });
    }
  }

  function toldError(error: unknown): AppError {
    if (error instanceof AppError) return error;
    app.log.error({ error }, "a Socket.IO client could not be served");
    return new AppError("internal", "Try again");
  }

  function serve(socket: Socket): void {
    const { principal } = socket.data as { principal: Principal };
    const own = new Map<string, Subscription>();
    const hangUp = (): void => void socket.disconnect(true);
    const nothing = { push() {}, waiting: () => 0, drained: async () => {}, close: hangUp };
    const sender = new Client(nothing, principal, streams.limits);

    const subscribe = (asked: Asked): Answer => {
      const key = `${asked.stream} ${asked.call_id ?? ""}`;
      if (own.has(key)) return { ok: false, code: CLOSE.bad_message, message: "This stream is subscribed to already" };
      if (own.size >= SUBSCRIPTIONS) {
        return { ok: false, code: CLOSE.too_many, message: `more than ${SUBSCRIPTIONS} streams of one connection` };
      }
      const subscription = new Subscription(socket, asked.stream, asked.call_id, () => own.delete(key));
      own.set(key, subscription);
      try {
        subscription.session = follow(subscription, principal, asked);
      } catch (error) {
        subscription.end();
        throw error;
      }
      return subscription.refusal === null ? { ok: true } : { ok: false, ...subscription.refusal };
    };

    const on = (event: string, handle: (asked: Asked) => Answer): void => {
      socket.on(event, (input: unknown, answer: unknown) => {
        if (!sender.mayReceive(Date.now())) return;
        const reply = typeof answer === "function" ? (answer as (answer: Answer) => void) : () => {};
        try {
          reply(handle(read(input)));
        } catch (error) {
          reply(refusalOf(toldError(error)));
        }
      });
    };
    on("subscribe", subscribe);
    on("unsubscribe", ({ stream, call_id }) => {
      own.get(`${stream} ${call_id ?? ""}`)?.end();
      return { ok: true };
    });
    socket.on("disconnect", () => {
      sender.gone();
      for (const subscription of own.values()) subscription.end();
    });
  }

  /** @throws AppError validation, forbidden */
  function follow(subscription: Subscription, principal: Principal, { stream, call_id, query }: Asked) {
    if (stream === "feed") return streams.feed.open(subscription, principal, readFeedQuery(query));
    if (stream === "figures") {
      return streams.figures.open(subscription, principal, { after: readAfter(query), streaming: true });
    }
    return streams.sentiment.open(subscription, principal, { call_id: call_id ?? "", ...readPlace(query) });
  }

  return {
    takes: (url) => url.startsWith(PATH),
    upgrade: (request, socket, head) => engine.handleUpgrade(request, socket, head),
    async close() {
      const ended = [...open].map((conn) => once(conn, "close"));
      // What was said last still goes out.
      for (const conn of open) conn.close();
      await Promise.race([Promise.all(ended), delay(CLOSE_MS, undefined, { ref: false })]);
      engine.close();
    },
  };
}

/** @throws AppError validation */
function read(input: unknown): Asked {
  const given = typeof input === "object" && input !== null ? (input as Readonly<Record<string, unknown>>) : {};
  const stream = STREAMS.find((name) => name === given["stream"]);
  const { call_id } = given;
  if (stream === undefined) throw wrong("stream", STREAMS.join(", "), given["stream"]);
  if (stream === "sentiment" && typeof call_id !== "string") throw wrong("call_id", "the id of a call", call_id);
  const query = new URLSearchParams();
  for (const name of ["after", "of", "agent_id", "team", "types"]) {
    const value = given[name];
    if (value !== undefined && value !== null)
      query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return { stream, call_id: stream === "sentiment" ? String(call_id) : null, query };
}

function refusalOf(error: AppError): Answer {
  const { message } = error;
  // Fields of a query elsewhere, of a message here.
  const errors = error.errors.map((one) => ({ ...one, pointer: one.pointer.replace(/^\?/, "/") }));
  return { ok: false, code: closeCode(error), message, ...(errors.length > 0 && { errors }) };
}

function wrong(field: string, expected: string, received: unknown): AppError {
  const message = `${field} must be ${expected}`;
  return invalid([{ pointer: pointer(field), message, expected, received: String(received).slice(0, 40) }], message);
}

/** WS /ws/live: who sends calls as they go on, over one socket for any number of them. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { AppError } from "../errors.ts";
import type { Principal } from "../services/access.ts";
import { appendTurns, endCall, startCall } from "../services/live-calls.ts";
import { CLOSE } from "../services/stream-client.ts";
import { readAppend, readEnd, readStart } from "../services/live-input.ts";
import { parseJson } from "../services/parse-json.ts";
import { ADMINS } from "./auth.ts";
import { CALL_BODY_BYTES } from "./body.ts";
import type { RouteContext } from "./deps.ts";
import { takeAccount } from "./limits.ts";
import { allowed, closeCode, closeReason, socketPrincipal } from "./socket-access.ts";
import { startPulse } from "./stream-pulse.ts";

export interface Producers {
  /** True where the upgrade is one to /ws/live, and seen to. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Ends all sockets: what was acknowledged is on disk, anything else is sent again. */
  close(): void;
}

/** Messages of one socket that are not answered yet; then no more is read until half of them are. */
const UNANSWERED = 256;
const PING_MS = 30_000;

type Context = Pick<RouteContext, "access" | "config" | "limits" | "live" | "log" | "metrics" | "now" | "store">;
type Message = Readonly<Record<string, unknown>>;

export function createProducers(context: Context): Producers {
  const server = new WebSocketServer({ noServer: true, maxPayload: CALL_BODY_BYTES, perMessageDeflate: false });
  const alive = new WeakSet<WebSocket>();
  const pulse = startPulse<WebSocket>(PING_MS, (ws) => {
    if (alive.delete(ws)) ws.ping();
    else ws.terminate();
  });
  return {
    take(request, socket, head) {
      const [path = "", query = ""] = (request.url ?? "").split("?");
      if (path !== "/ws/live" && path !== "/ws/live/") return false;
      const ticket = new URLSearchParams(query).get("ticket");
      server.handleUpgrade(request, socket, head, (ws) => {
        alive.add(ws);
        pulse.add(ws);
        ws.on("close", () => pulse.remove(ws));
        ws.on("pong", () => alive.add(ws));
        // A protocol error or broken pipe; `close` follows.
        ws.on("error", () => {});
        receive(context, ws, admit(context, ws, request, ticket));
      });
      return true;
    },
    close() {
      pulse.stop();
      for (const ws of server.clients) {
        ws.close(CLOSE.restarting, "The server is restarting");
        setTimeout(() => ws.terminate(), 1_000).unref();
      }
      server.close();
    },
  };
}

/** Who it is, or null and the socket closed. */
async function admit(
  context: Context,
  ws: WebSocket,
  request: IncomingMessage,
  ticket: string | null,
): Promise<Principal | null> {
  const { config, log } = context;
  const refuse = (code: number, reason: string): null => {
    ws.close(code, reason);
    return null;
  };
  try {
    if (!allowed(request, config.corsOrigins)) return refuse(CLOSE.forbidden, "This origin may not connect");
    const principal = await socketPrincipal(context, request, { ticket });
    return ADMINS.includes(principal.role) ? principal : refuse(CLOSE.forbidden, "This needs the role admin");
  } catch (error) {
    if (error instanceof AppError) return refuse(closeCode(error), closeReason(error));
    log.error({ error }, "a socket could not be opened");
    return refuse(CLOSE.internal, "Try again");
  }
}

/** Messages of one call are done one after the other, those of different calls side by side. */
function receive(context: Context, ws: WebSocket, admitted: Promise<Principal | null>): void {
  const last = new Map<string, Promise<void>>();
  let unanswered = 0;
  ws.on("message", (data: Buffer, binary: boolean) => {
    if (binary) {
      ws.close(CLOSE.bad_message, "send text");
      return;
    }
    let message: Message = {};
    let refused: unknown = null;
    try {
      message = readMessage(data);
    } catch (error) {
      refused = error;
    }
    if (++unanswered >= UNANSWERED) ws.pause();
    const id = String(message["call_id"]);
    const before = last.get(id) ?? Promise.resolve();
    const answered = async (): Promise<void> => {
      await before;
      const answer = await reply(context, ws, admitted, message, refused);
      if (answer !== null && ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify(answer));
      if (--unanswered <= UNANSWERED / 2 && ws.isPaused) ws.resume();
      if (last.get(id) === done) last.delete(id);
    };
    const done = answered();
    last.set(id, done);
  });
}

function readMessage(data: Buffer): Message {
  const value = parseJson(data);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Message;
  throw new AppError("malformed", "A message is an object with a type");
}

/** The answer to a message; null: nobody is to be answered. Never rejects. */
async function reply(
  context: Context,
  ws: WebSocket,
  admitted: Promise<Principal | null>,
  message: Message,
  refused: unknown,
): Promise<object | null> {
  const ref = typeof message["ref"] === "string" || typeof message["ref"] === "number" ? message["ref"] : null;
  try {
    const principal = await admitted;
    if (principal === null) return null;
    if ((await context.access.recheck(principal)) === null) {
      ws.close(CLOSE.unauthorized, "Credentials were revoked or have expired");
      return null;
    }
    if (context.limits.account !== null) await takeAccount(context.limits.account, principal.account_id);
    if (refused !== null) throw refused;
    return { type: "ack", ref, ...(await act(context, message)) };
  } catch (error) {
    if (!(error instanceof AppError)) context.log.error({ error }, "a message of a live call failed");
    const known = error instanceof AppError ? error : new AppError("internal");
    const { code, errors, retryAfter, quota } = known;
    if (quota !== undefined) context.metrics.rateLimited(quota.name);
    return {
      type: "error",
      ref,
      code,
      message: known.message,
      ...(errors.length > 0 && { errors }),
      ...(retryAfter !== undefined && { retry_after: retryAfter }),
    };
  }
}

async function act({ store, live, now }: Context, message: Message): Promise<object> {
  const { type, ref: _, ...said } = message;
  const { call_id: id, ...body } = said;
  const call_id = typeof id === "string" ? id : "";
  switch (type) {
    case "start": {
      const started = await startCall(store, readStart(said, { now: now(), alpha: live.settings.alpha }));
      return { call_id: started.call_id, state: "live" };
    }
    case "turns": {
      const turns = await appendTurns(store, { call_id, turns: readAppend(body) });
      live.scoring.arrived(call_id);
      return { call_id, turns };
    }
    case "end": {
      const { outcome } = readEnd(body);
      const ended = await endCall({ live: store.live, writes: store }, { call_id, outcome });
      if (ended.status === "removed") return { call_id, status: "removed" };
      return { call_id, status: "accepted", revision: ended.revision };
    }
    default:
      throw new AppError("malformed", "The type of a message is start, turns or end");
  }
}

/**
 * Live streams: the sentiment of one call's turns, and the figures of everything in scope. Both are fed by what is
 * stored and by the event log, so a call enriched in another process shows as well.
 */
import { EVERYTHING } from "../core/call.ts";
import type { Scope } from "../core/call.ts";
import { sentimentLabel } from "../core/sentiment.ts";
import type { CallReads, StoredCall } from "../ports/calls.ts";
import type { Events } from "../ports/events.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { Access, Principal } from "./access.ts";
import { isId } from "./accept.ts";
import { overview } from "./analytics.ts";
import { CLOSE, Client, LIVE_LIMITS } from "./live-client.ts";
import type { Connection, LiveLimits } from "./live-client.ts";

export type { LiveLimits } from "./live-client.ts";

export interface LiveDeps {
  readonly reads: Pick<CallReads, "get">;
  readonly rollups: Pick<Rollups, "agents">;
  readonly events: Events;
  readonly access: Pick<Access, "recheck">;
  readonly now: () => number;
  readonly limits?: Partial<LiveLimits>;
  readonly onError: (error: unknown) => void;
}

export interface Session {
  /** One text message of the client. */
  receive(text: string): void;
  /** The connection has ended. */
  ended(): void;
  /** Closes it from our side. */
  close(code: number, reason: string): void;
}

export interface Live {
  readonly limits: LiveLimits;
  /**
   * Hello, then one message a turn of the call in order, then `complete`. A call that waits for enrichment is sent
   * once it has it, an enriched one again after each change. The stream stays open until the client leaves; a call
   * that is unknown, out of scope or deleted closes it with 4404.
   */
  sentiment(connection: Connection, principal: Principal, call_id: string): Session;
  /** Messages as `/ws` defines them. */
  dashboard(connection: Connection, principal: Principal): Session;
  open(): number;
  /** Says 1012 to everybody and stops. */
  close(): void;
}

interface Follower {
  readonly client: Client;
  readonly call_id: string;
  /** Revision and time of the enrichment sent last. */
  sent: string | null;
  busy: boolean;
  again: boolean;
}

const STEP = 500;

export function createLive(deps: LiveDeps): Live {
  const limits: LiveLimits = { ...LIVE_LIMITS, ...deps.limits };
  const clients = new Set<Client>();
  const followers = new Map<string, Set<Follower>>();
  const streaming = new Set<Client>();
  let closed = false;

  // ---- the log ---------------------------------------------------------------------------------------------------

  /** null: nobody listens, or not read yet. */
  let seq: number | null = null;
  let reading = false;
  let readAgain = false;

  /** Everything after the answer of this is noticed. */
  async function listen(): Promise<void> {
    if (seq !== null) return;
    const head = await deps.events.head();
    seq ??= head;
  }

  async function readLog(): Promise<void> {
    if (reading) {
      readAgain = true;
      return;
    }
    reading = true;
    try {
      do {
        readAgain = false;
        while (seq !== null && clients.size > 0) {
          const page = await deps.events.after(seq, STEP, EVERYTHING);
          for (const event of page.events) {
            for (const follower of followers.get(event.call_id) ?? []) void follow(follower);
          }
          if (page.events.length > 0) changed();
          seq = page.events.at(-1)?.seq ?? seq;
          if (page.events.length < STEP) break;
        }
      } while (readAgain);
    } catch (error) {
      deps.onError(error);
    } finally {
      reading = false;
    }
  }

  const unsubscribe = deps.events.onChange(() => {
    if (clients.size > 0) void readLog();
  });

  // ---- figures ---------------------------------------------------------------------------------------------------

  let due: NodeJS.Timeout | null = null;
  let lastSent = 0;

  function changed(): void {
    if (streaming.size === 0 || due !== null || closed) return;
    const wait = Math.max(0, Math.min(limits.coalesce_ms, lastSent + limits.coalesce_ms - deps.now()));
    due = setTimeout(() => {
      due = null;
      lastSent = deps.now();
      void sendFigures([...streaming]);
    }, wait);
  }

  async function sendFigures(to: readonly Client[]): Promise<void> {
    const byScope = Map.groupBy(to, (c) => JSON.stringify(c.principal.scope));
    try {
      for (const group of byScope.values()) {
        const data = await figures((group[0] as Client).principal.scope);
        for (const client of group) if (streaming.has(client)) client.send("analytics_update", { data });
      }
    } catch (error) {
      deps.onError(error);
      for (const client of to) {
        client.send("error", { code: "store_unavailable", message: "The figures cannot be read at the moment" });
      }
    }
  }

  async function figures(scope: Scope): Promise<Record<string, unknown>> {
    const all = await overview(deps, { scope });
    return {
      total_calls: all.total_calls,
      enriched_calls: all.talk_ratio.n,
      agents: all.agents,
      avg_sentiment: all.sentiment.mean,
      avg_talk_ratio: all.talk_ratio.mean,
    };
  }

  // ---- one call ----------------------------------------------------------------------------------------------------

  async function follow(follower: Follower): Promise<void> {
    const { client } = follower;
    if (follower.busy) {
      follower.again = true;
      return;
    }
    follower.busy = true;
    try {
      do {
        follower.again = false;
        await listen();
        const call = await deps.reads.get(follower.call_id, client.principal.scope);
        if (call === null) {
          client.close(CLOSE.unknown_call, "Call record not found");
          return;
        }
        if (follower.sent === null) {
          follower.sent = "";
          client.send("hello", {
            call_id: call.row.call_id,
            message: `Connected to the sentiment stream of call ${call.row.call_id}`,
            state: call.row.state,
            turns: call.turns.length,
          });
        }
        const version = `${call.row.revision}:${call.row.enriched_at}`;
        if (call.insights !== null && follower.sent !== version) {
          follower.sent = version;
          await replay(client, call);
        }
      } while (follower.again && !client.closed);
    } catch (error) {
      deps.onError(error);
      client.close(CLOSE.internal, "The call cannot be read at the moment");
    } finally {
      follower.busy = false;
    }
  }

  // ---- clients -----------------------------------------------------------------------------------------------------

  function admit(connection: Connection, principal: Principal): Client | null {
    const client = new Client(connection, principal, limits, deps.now);
    let same = 0;
    for (const other of clients) if (other.principal.account_id === principal.account_id) same++;
    if (closed) client.close(CLOSE.restarting, "The server is restarting");
    else if (same >= limits.sockets_per_account) {
      client.close(CLOSE.too_many, `more than ${limits.sockets_per_account} sockets of one account`);
    } else clients.add(client);
    return client.closed ? null : client;
  }

  function drop(client: Client): void {
    client.gone();
    clients.delete(client);
    streaming.delete(client);
    if (clients.size === 0) seq = null;
  }

  async function recheck(): Promise<void> {
    for (const client of clients) {
      const { scope } = client.principal;
      const now = await deps.access.recheck(client.principal);
      if (now === null) {
        client.close(CLOSE.unauthorized, "Credentials were revoked or have expired");
        drop(client);
      } else {
        client.principal = now;
        // What it may see has changed: let it ask again.
        if (JSON.stringify(now.scope) !== JSON.stringify(scope)) client.close(CLOSE.forbidden, "Access has changed");
      }
    }
  }

  let checking = false;
  const guard = setInterval(() => {
    if (checking) return;
    checking = true;
    // A store that cannot be reached for a moment throws nobody out.
    recheck()
      .catch(deps.onError)
      .finally(() => {
        checking = false;
      });
  }, limits.recheck_ms);
  guard.unref();

  const NONE: Session = { receive() {}, ended() {}, close() {} };

  return {
    limits,

    sentiment(connection, principal, call_id) {
      const client = admit(connection, principal);
      if (client === null) return NONE;
      const follower: Follower = { client, call_id, sent: null, busy: false, again: false };
      const group = followers.get(call_id) ?? new Set();
      followers.set(call_id, group.add(follower));
      if (isId(call_id)) void follow(follower);
      else client.close(CLOSE.unknown_call, "Call record not found");
      return {
        receive() {
          // Nothing is expected here; what comes is counted and let go.
          client.mayReceive();
        },
        ended() {
          drop(client);
          group.delete(follower);
          if (group.size === 0 && followers.get(call_id) === group) followers.delete(call_id);
        },
        close: (code, reason) => client.close(code, reason),
      };
    },

    dashboard(connection, principal) {
      const client = admit(connection, principal);
      if (client === null) return NONE;
      client.send("connection", { status: "connected", message: "Connected", role: principal.role });
      return {
        receive(text) {
          if (!client.closed && client.mayReceive()) receive(client, text);
        },
        ended: () => drop(client),
        close: (code, reason) => client.close(code, reason),
      };
    },

    open: () => clients.size,

    close() {
      closed = true;
      unsubscribe();
      clearInterval(guard);
      if (due !== null) clearTimeout(due);
      for (const client of clients) client.close(CLOSE.restarting, "The server is restarting");
      clients.clear();
    },
  };

  function receive(client: Client, text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      client.close(CLOSE.bad_message, "messages are JSON objects with a type");
      return;
    }
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      client.close(CLOSE.bad_message, "messages are JSON objects with a type");
      return;
    }
    const { type } = message as { type?: unknown };
    if (type === "start_streaming") {
      streaming.add(client);
      client.send("streaming_status", { status: "started", streaming: true });
      void listen()
        .catch(deps.onError)
        .then(() => sendFigures([client]));
    } else if (type === "stop_streaming") {
      streaming.delete(client);
      client.send("streaming_status", { status: "stopped", streaming: false });
    } else if (type === "custom_message") {
      const { message: words, data } = message as { message?: unknown; data?: unknown };
      client.send("echo", { message: words ?? data ?? null });
    } else {
      const code = "unknown_type";
      client.send("error", { code, message: "type must be start_streaming, stop_streaming or custom_message" });
    }
  }
}

async function replay(client: Client, call: StoredCall): Promise<void> {
  const { call_id } = call.row;
  for (const [i, turn] of call.turns.entries()) {
    await client.room();
    if (client.closed) return;
    const sentiment = call.insights?.turn_sentiment[i] ?? null;
    client.send("sentiment", {
      call_id,
      turn_id: turn.turn_id,
      turn_index: i,
      speaker: turn.speaker,
      sentiment,
      sentiment_label: sentiment === null ? null : sentimentLabel(sentiment),
      start_ms: turn.start_ms,
      end_ms: turn.end_ms,
      revision: call.row.revision,
      method: call.row.method,
      status: "streaming",
    });
  }
  client.send("complete", {
    call_id,
    turns: call.turns.length,
    customer_sentiment_score: call.row.customer_sentiment_score,
    revision: call.row.revision,
    status: "complete",
  });
}

/** The figures of everything in scope, again whenever something changed, at most so often. */
import { EVERYTHING } from "../core/call.ts";
import type { Scope } from "../core/call.ts";
import type { Events } from "../ports/events.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { Principal } from "./access.ts";
import { overview } from "./analytics.ts";
import type { LogFollower } from "./log-follower.ts";
import { CLOSE, message } from "./stream-client.ts";
import type { Client, Connection, Session, StreamLimits } from "./stream-client.ts";
import type { StreamClients } from "./stream-clients.ts";

interface FiguresDeps {
  readonly events: Events;
  readonly rollups: Pick<Rollups, "agents">;
  readonly follower: LogFollower;
  readonly clients: StreamClients;
  readonly limits: StreamLimits;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export interface FiguresQuery {
  /** The seq of the last message the client has: figures come at once only if something changed since. */
  readonly after: number | null;
  /** Figures from the start, not only once the client asks for them. */
  readonly streaming: boolean;
}

export function createFiguresStream(deps: FiguresDeps) {
  const { events, follower, clients, limits, now, onError } = deps;
  const streaming = new Set<Client>();
  let due: NodeJS.Timeout | null = null;
  let lastSent = 0;
  let stopped = false;

  follower.listen({ take: changed, lost: changed });

  function changed(): void {
    if (streaming.size === 0 || due !== null || stopped) return;
    const wait = Math.max(0, Math.min(limits.coalesce_ms, lastSent + limits.coalesce_ms - now()));
    due = setTimeout(() => {
      due = null;
      lastSent = now();
      void sendFigures([...streaming]);
    }, wait);
  }

  /** Every message carries the position of the log that it reflects, at least. */
  function tell(to: readonly Client[], type: string, fields: Readonly<Record<string, unknown>>, seq?: number): void {
    const timestamp = new Date(now()).toISOString();
    const parcel = [message(type, seq ?? follower.position(), { ...fields, timestamp })];
    for (const client of to) client.send(parcel);
  }

  async function sendFigures(to: readonly Client[]): Promise<void> {
    const byScope = Map.groupBy(to, (c) => JSON.stringify(c.principal.scope));
    try {
      for (const group of byScope.values()) {
        const seq = follower.position();
        const data = await figures((group[0] as Client).principal.scope);
        tell(
          group.filter((client) => streaming.has(client)),
          "analytics_update",
          { data },
          seq,
        );
      }
    } catch (error) {
      onError(error);
      tell(to, "error", { code: "store_unavailable", message: "The figures cannot be read at the moment" });
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

  /** Of anybody's calls: what is asked is whether figures may differ, and a log that was cut may hide why. */
  async function changedSince(after: number): Promise<boolean> {
    const page = await events.after(after, 1, EVERYTHING);
    return page.events.length > 0 || page.oldest > after + 1 || after > page.head;
  }

  async function start(client: Client, after: number | null): Promise<void> {
    if (client.closed) return;
    streaming.add(client);
    tell([client], "streaming_status", { status: "started", streaming: true });
    if (after === null || (await changedSince(after))) await sendFigures([client]);
  }

  async function answer(client: Client, text: string, after: number | null): Promise<void> {
    const said = parse(text);
    if (said === null) client.close(CLOSE.bad_message, "messages are JSON objects with a type");
    else if (said.type === "start_streaming") await start(client, after);
    else if (said.type === "stop_streaming") {
      streaming.delete(client);
      tell([client], "streaming_status", { status: "stopped", streaming: false });
    } else if (said.type === "custom_message") tell([client], "echo", { message: said.message ?? said.data ?? null });
    else {
      const code = "unknown_type";
      tell([client], "error", { code, message: "type must be start_streaming, stop_streaming or custom_message" });
    }
  }

  return {
    open(connection: Connection, principal: Principal, query: FiguresQuery): Session | null {
      const client = clients.admit(connection, principal);
      if (client === null) return null;
      const failed = (error: unknown): void => {
        onError(error);
        client.close(CLOSE.internal, "The figures cannot be read at the moment");
      };
      const greet = async (): Promise<void> => {
        await follower.enter();
        tell([client], "connection", { status: "connected", message: "Connected", role: principal.role });
        if (query.streaming) await start(client, query.after);
      };
      const ready = greet();
      ready.catch(failed);
      return {
        receive(text) {
          // In order, and after the greeting.
          if (!client.closed && client.mayReceive(now()))
            ready.then(() => answer(client, text, query.after)).catch(failed);
        },
        ended() {
          clients.drop(client);
          streaming.delete(client);
          follower.leave();
        },
      };
    },
    stop() {
      stopped = true;
      if (due !== null) clearTimeout(due);
    },
  };
}

function parse(text: string): { type?: unknown; message?: unknown; data?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Everybody who follows a stream: how many an account may have, whether they still may, and the end for all. */
import type { Access, Principal } from "./access.ts";
import { CLOSE, Client } from "./stream-client.ts";
import type { Connection, StreamLimits } from "./stream-client.ts";

export interface StreamClients {
  /** null: refused, and closed with the reason. */
  admit(connection: Connection, principal: Principal): Client | null;
  /** Its connection has ended. */
  drop(client: Client): void;
  count(): number;
  /** Tells each to come back, at times that are spread, and admits nobody any more. */
  close(): void;
}

interface Deps {
  readonly access: Pick<Access, "recheck">;
  readonly limits: StreamLimits;
  readonly onError: (error: unknown) => void;
}

/** Nobody is told to come back sooner: the next process has to start. */
const RECONNECT_AFTER_MS = 250;

export function createStreamClients({ access, limits, onError }: Deps): StreamClients {
  const accounts = new Map<string, Set<Client>>();
  let count = 0;
  let closed = false;
  let sentAway = 0;

  function drop(client: Client): void {
    client.gone();
    const group = accounts.get(client.principal.account_id);
    if (!group?.delete(client)) return;
    count--;
    if (group.size === 0) accounts.delete(client.principal.account_id);
  }

  function sendAway(client: Client, spread_ms: number): void {
    // Steps of the golden ratio fill the time evenly however many there are.
    const retry = RECONNECT_AFTER_MS + Math.round(((sentAway++ * 0.618034) % 1) * spread_ms);
    client.close(CLOSE.restarting, `reconnect after ${retry} ms`, retry);
  }

  /** Clients of one account and one expiry are asked about once. */
  async function recheck(): Promise<void> {
    for (const group of accounts.values()) {
      const alike = Map.groupBy(group, (c) => `${c.principal.expires_at} ${JSON.stringify(c.principal.scope)}`);
      for (const clients of alike.values()) {
        const { principal } = clients[0] as Client;
        const now = await access.recheck(principal);
        const same = now !== null && JSON.stringify(now.scope) === JSON.stringify(principal.scope);
        for (const client of clients) {
          if (now === null) client.close(CLOSE.unauthorized, "Credentials were revoked or have expired");
          // What it may see has changed: let it ask again.
          else if (!same || now.personal !== principal.personal) client.close(CLOSE.forbidden, "Access has changed");
          else client.principal = now;
        }
      }
    }
  }

  let checking = false;
  const guard = setInterval(() => {
    if (checking) return;
    checking = true;
    // A store that cannot be reached for a moment throws nobody out.
    recheck()
      .catch(onError)
      .finally(() => {
        checking = false;
      });
  }, limits.recheck_ms);
  guard.unref();

  return {
    admit(connection, principal) {
      const client = new Client(connection, principal, limits);
      const group = accounts.get(principal.account_id) ?? new Set();
      if (closed) sendAway(client, limits.reconnect_ms);
      else if (group.size >= limits.sockets_per_account) {
        client.close(CLOSE.too_many, `more than ${limits.sockets_per_account} streams of one account`);
      } else {
        accounts.set(principal.account_id, group.add(client));
        count++;
      }
      return client.closed ? null : client;
    },
    drop,
    count: () => count,
    close() {
      closed = true;
      clearInterval(guard);
      const spread = Math.max(limits.reconnect_ms, count);
      for (const group of accounts.values()) for (const client of group) sendAway(client, spread);
      accounts.clear();
      count = 0;
    },
  };
}

/** What a server says that is a copy of another one: how far behind it is with every answer, and who takes writes. */
import { readOnly } from "../services/read-only.ts";
import type { ReplicaState } from "../services/replicate.ts";
import type { App } from "./deps.ts";

export interface Replica {
  /** The address of the primary. */
  readonly primary: string;
  readonly state: () => ReplicaState;
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Sessions and tickets are each server's own. */
const OWN = /^\/auth\//;

/** `Earshot-Replica-Lag: SECONDS;seq=SEQ;behind=EVENTS`, a structured field (RFC 9651); the item is ?0 where it is not known. */
function lagHeader({ lag_ms, seq, behind }: ReplicaState): string {
  return `${lag_ms === null ? "?0" : (lag_ms / 1000).toFixed(1)};seq=${seq};behind=${behind}`;
}

/** To be used after access: who may not write is told that first. */
export function useReplica(app: App, { primary, state }: Replica): void {
  app.decorate("late", () => state().late);
  app.addHook("onRequest", (request, _reply, done) => {
    const { url = "", config } = request.routeOptions;
    // No access means no route: the not-found handler answers.
    const writes = config.access !== undefined && !READS.has(request.method) && !OWN.test(url);
    done(writes ? readOnly(primary) : undefined);
  });
  app.addHook("onSend", (request, reply, payload, done) => {
    const now = state();
    void reply.header("earshot-replica-lag", lagHeader(now));
    const said = String(reply.getHeader("earshot-degraded") ?? "");
    // Lists and other answers whose body has no place for it.
    if (now.late && request.principal !== null && !said.includes("replication"))
      void reply.header("earshot-degraded", said === "" ? "replication" : `${said}, replication`);
    done(null, payload);
  });
}

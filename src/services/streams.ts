/**
 * The streams: feed, sentiment of a call, figures. All are fed by what is stored and by the event log, so what happens
 * in another process shows as well. They know no transport: sockets and event streams (SSE) bring connections.
 */
import type { CallReads } from "../ports/calls.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { EventRow, Events } from "../ports/events.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { Access } from "./access.ts";
import { createFeedStream } from "./feed-stream.ts";
import { createFiguresStream } from "./figures-stream.ts";
import { followLog } from "./log-follower.ts";
import { createSentimentStream } from "./sentiment-stream.ts";
import { STREAM_LIMITS } from "./stream-client.ts";
import type { StreamLimits } from "./stream-client.ts";
import { createStreamClients } from "./stream-clients.ts";

export type { StreamLimits } from "./stream-client.ts";

export interface StreamDeps {
  readonly reads: Pick<CallReads, "get">;
  readonly live: Pick<LiveCalls, "row" | "turnsAfter">;
  /** Weight of the customer's newest turn in the live sentiment. */
  readonly alpha: number;
  readonly rollups: Pick<Rollups, "agents">;
  readonly events: Events;
  readonly access: Pick<Access, "recheck">;
  /** An event as clients read it, beside its seq and type. */
  readonly present: (event: EventRow) => Readonly<Record<string, unknown>>;
  readonly now: () => number;
  readonly limits?: Partial<StreamLimits>;
  readonly onError: (error: unknown) => void;
}

export type Streams = ReturnType<typeof createStreams>;

export function createStreams(deps: StreamDeps) {
  const limits: StreamLimits = { ...STREAM_LIMITS, ...deps.limits };
  const clients = createStreamClients({ ...deps, limits });
  const follower = followLog(deps);
  const parts = { ...deps, limits, clients, follower };
  const figures = createFiguresStream(parts);
  return {
    limits,
    feed: createFeedStream(parts),
    sentiment: createSentimentStream(parts),
    figures,
    count: () => clients.count(),
    /** Tells everybody when to come back, and stops. */
    close() {
      clients.close();
      figures.stop();
      follower.stop();
    },
  };
}

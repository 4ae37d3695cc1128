/** Streams: what sockets serve, for the document, and the same as event streams (SSE). */
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../../errors.ts";
import type { Connection, Session } from "../../services/stream-client.ts";
import type { Streams } from "../../services/streams.ts";
import { EVERYBODY, who } from "../auth.ts";
import type { App } from "../deps.ts";
import { EventStream } from "../event-stream.ts";
import { CallParams } from "../inputs.ts";
import { startPulse } from "../stream-pulse.ts";
import {
  AfterQuery,
  FeedSocketQuery,
  feedQuery,
  FeedStreamQuery,
  lastEvent,
  lastPlace,
  SentimentSocketQuery,
  SentimentStreamQuery,
  SocketQuery,
} from "../stream-query.ts";

const UPGRADE = "Credentials: the Authorization header, the page's cookie, or ?ticket= of POST /auth/ticket.";
const RESUME = "after: goes on after that seq, without a gap; resync_required where that cannot be.";
const FEED =
  "hello {seq, head}, then one message an event {type, seq, prev_seq, call_id, agent_id, at, …}; prev_seq is the seq of " +
  `the message before. ${RESUME}`;
const SENTIMENT =
  "hello {seq}, then one sentiment message a turn {seq, prev_seq, call_id, turn_id, turn_index, speaker, text, sentiment, " +
  "status: streaming}, then complete; seq is the position within the call. A call that goes on is followed turn by turn, " +
  "with alert {alert, rule_id, text, evidence}, and one that is not enriched yet when it is; after a change comes " +
  `resync_required, then all anew. ${RESUME} Give of back with after, as the message had it.`;
const FIGURES =
  "analytics_update {data} whenever something changed, with the seq of the log that it reflects. after: at once only if " +
  "something changed since.";

const UNTIL_IT_LEAVES = {
  200: { description: "Until the client leaves", content: { "text/event-stream": { schema: { type: "string" } } } },
};

interface StreamRoutes {
  /** null where only the document is wanted. */
  readonly streams: Streams | null;
}

export function streamRoutes(app: App, { streams }: StreamRoutes): void {
  socketDocs(app);
  const open = opener(app, streams);
  const twin = "id is the seq, event the type, data the message as the socket has it; comments keep it alive.";

  app.get(
    "/api/v1/stream/feed",
    {
      exposeHeadRoute: false,
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "Event stream: what happens to calls",
        description: `${FEED} ${twin}`,
        querystring: FeedStreamQuery,
        response: UNTIL_IT_LEAVES,
      },
    },
    async (request, reply) => {
      const after = lastEvent(request.headers["last-event-id"], request.query.after);
      const query = feedQuery({ ...request.query, after });
      open(request, reply, (to, { feed }) => feed.open(to, who(request), query));
    },
  );

  app.get(
    "/api/v1/stream/sentiment/:call_id",
    {
      exposeHeadRoute: false,
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "Event stream: the sentiment of one call's turns",
        description: `${SENTIMENT} ${twin}`,
        params: CallParams,
        querystring: SentimentStreamQuery,
        response: UNTIL_IT_LEAVES,
      },
    },
    async (request, reply) => {
      const { call_id } = request.params;
      const place = lastPlace(request.headers["last-event-id"], request.query);
      if (!(await streams?.sentiment.knows(who(request), call_id))) throw new AppError("call_not_found");
      open(request, reply, (to, { sentiment }) => sentiment.open(to, who(request), { call_id, ...place }));
    },
  );

  app.get(
    "/api/v1/stream/figures",
    {
      exposeHeadRoute: false,
      config: { access: EVERYBODY },
      schema: {
        tags: ["live"],
        summary: "Event stream: figures as they change",
        description: `${FIGURES} ${twin}`,
        querystring: AfterQuery,
        response: UNTIL_IT_LEAVES,
      },
    },
    async (request, reply) => {
      const after = lastEvent(request.headers["last-event-id"], request.query.after);
      open(request, reply, (to, { figures }) => figures.open(to, who(request), { after, streaming: true }));
    },
  );
}

type Open = (to: Connection, streams: Streams) => Session | null;

function opener(app: App, streams: Streams | null): (request: FastifyRequest, reply: FastifyReply, open: Open) => void {
  if (streams === null) return () => {};
  const pulse = startPulse<EventStream>(streams.limits.ping_ms, (stream) => stream.beat());
  app.addHook("onClose", async () => pulse.stop());
  return (_request, reply, open) => {
    const stream = new EventStream(reply);
    const session = open(stream, streams);
    stream.begin();
    pulse.add(stream);
    reply.raw.on("close", () => {
      pulse.remove(stream);
      session?.ended();
    });
  };
}

/** Documented here, served by the upgrade handler: a plain GET has not upgraded. */
function socketDocs(app: App): void {
  const response = { 101: { description: "Switched to WebSocket", type: "null" } };
  const config = { access: EVERYBODY };
  const tags = ["live"];
  app.get(
    "/ws",
    {
      config,
      schema: {
        tags,
        summary: "WebSocket: figures as they change",
        description:
          "In: start_streaming, stop_streaming, custom_message {message}. Out: connection, streaming_status, echo {message}, " +
          `error, ${FIGURES} ${UPGRADE}`,
        querystring: SocketQuery,
        response,
      },
    },
    refuse,
  );
  app.get(
    "/ws/feed",
    {
      config,
      schema: {
        tags,
        summary: "WebSocket: what happens to calls",
        description: `Out: ${FEED} ${UPGRADE}`,
        querystring: FeedSocketQuery,
        response,
      },
    },
    refuse,
  );
  app.get(
    "/ws/sentiment/:call_id",
    {
      config,
      schema: {
        tags,
        summary: "WebSocket: the sentiment of one call's turns",
        description: `Out: ${SENTIMENT} Closes with 4404 for an unknown call. ${UPGRADE}`,
        params: CallParams,
        querystring: SentimentSocketQuery,
        response,
      },
    },
    refuse,
  );
}

function refuse(): never {
  throw new AppError("upgrade_required");
}

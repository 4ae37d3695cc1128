/** What a client asks of a stream: query strings of sockets, and of event streams (SSE), read alike. */
import { Type } from "typebox";
import { invalid } from "../errors.ts";
import { EVENT_TYPES } from "../ports/events.ts";
import type { EventType } from "../ports/events.ts";
import type { FeedQuery } from "../services/feed-stream.ts";
import type { SentimentQuery } from "../services/sentiment-stream.ts";
import { CLOSED } from "./schema-parts.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const after = Type.Optional(
  Type.Integer({ minimum: 0, maximum: MAX, description: "Goes on after this seq; Last-Event-ID counts before it" }),
);
const NAME = /^[\w-]{1,80}$/;
const of = Type.Optional(
  Type.String({
    pattern: NAME.source,
    description: "What that seq is of, as the message with it said (Last-Event-ID holds both)",
  }),
);
export const AfterQuery = Type.Object({ after }, CLOSED);
export const SentimentStreamQuery = Type.Object({ after, of }, CLOSED);
export const FeedStreamQuery = Type.Object(
  {
    after,
    agent_id: Type.Optional(Type.String({ description: "Calls of this agent" })),
    team: Type.Optional(Type.String({ description: "Calls of this team's agents" })),
    types: Type.Optional(Type.String({ description: `Comma separated: ${EVENT_TYPES.join(", ")}` })),
  },
  CLOSED,
);
const ticket = Type.Optional(Type.String({ description: "Of POST /auth/ticket" }));
/** Of the upgrade request, which no validator sees: for the document. */
export const SocketQuery = Type.Object({ after, ticket });
export const SentimentSocketQuery = Type.Object({ after, of, ticket });
export const FeedSocketQuery = Type.Object({ ...FeedStreamQuery.properties, ticket });

/** @throws AppError validation */
export function readAfter(query: URLSearchParams): number | null {
  return positionOf(query.get("after"), "?after");
}

/** @throws AppError validation */
export function readFeedQuery(query: URLSearchParams): FeedQuery {
  return feedQuery({
    after: readAfter(query),
    agent_id: query.get("agent_id"),
    team: query.get("team"),
    types: query.get("types"),
  });
}

interface Asked {
  readonly after?: number | null;
  readonly agent_id?: string | null;
  readonly team?: string | null;
  readonly types?: string | null;
}

/** @throws AppError validation */
export function feedQuery({ after: from = null, agent_id = null, team = null, types = null }: Asked): FeedQuery {
  const kinds = types === null ? null : types.split(",").map((type) => eventType(type.trim()));
  return { after: from, agent_id, team, types: kinds };
}

/** @throws AppError validation */
export function readPlace(query: URLSearchParams): Place {
  return { after: readAfter(query), of: nameOf(query.get("of"), "?of") };
}

export type Place = Pick<SentimentQuery, "after" | "of">;

/** @throws AppError validation */
export function lastPlace(header: string | string[] | undefined, asked: Partial<Place>): Place {
  const given = Array.isArray(header) ? header.at(-1) : header;
  if (!given) return { after: asked.after ?? null, of: asked.of ?? null };
  const [seq = "", of = null] = given.split("@", 2);
  return { after: positionOf(seq, "Last-Event-ID"), of: nameOf(of, "Last-Event-ID") };
}

/** What a client that lost its connection had last, or what it asked for. @throws AppError validation */
export function lastEvent(header: string | string[] | undefined, asked: number | undefined): number | null {
  const given = Array.isArray(header) ? header.at(-1) : header;
  return positionOf(given === "" ? null : (given ?? null), "Last-Event-ID") ?? asked ?? null;
}

function positionOf(text: string | null, name: string): number | null {
  if (text === null) return null;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= MAX) return value;
  const expected = "an integer from 0";
  throw invalid([{ pointer: name, message: `${name} must be a seq`, expected, received: text.slice(0, 40) }]);
}

/** It goes back into a line of an event stream. */
function nameOf(text: string | null, name: string): string | null {
  if (text === null || NAME.test(text)) return text;
  const expected = "as the message with the seq said it";
  throw invalid([
    { pointer: name, message: `${name} must name what the seq is of`, expected, received: text.slice(0, 40) },
  ]);
}

function eventType(text: string): EventType {
  const known = EVENT_TYPES.find((type) => type === text);
  if (known !== undefined) return known;
  const expected = EVENT_TYPES.join(", ");
  const received = text.slice(0, 40);
  throw invalid([{ pointer: "?types", message: "types must name event types", expected, received }]);
}

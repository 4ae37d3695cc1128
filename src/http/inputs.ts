/** Parameters and small bodies, as the validator checks them and the OpenAPI document shows them. */
import { Type } from "typebox";
import { SORT_FIELDS } from "../core/list.ts";
import { OUTCOMES } from "../services/accept.ts";
import { SEARCH_MODES } from "../services/search.ts";
import type { SearchMode } from "../services/search.ts";
import { enumOf, id, nullable, score, STATES } from "./schema-parts.ts";

const CLOSED = { additionalProperties: false };

const filterParameters = {
  agent_id: Type.Optional(Type.String({ description: "Calls of this agent" })),
  customer_id: Type.Optional(Type.String({ description: "Calls of this customer; not for role analyst" })),
  language: Type.Optional(Type.String()),
  outcome: Type.Optional(enumOf(OUTCOMES)),
  state: Type.Optional(enumOf(STATES, "Enrichment state")),
  from_date: Type.Optional(Type.String({ description: "start_time from this day (UTC) or RFC 3339 instant on" })),
  to_date: Type.Optional(Type.String({ description: "start_time up to this day or instant, inclusive" })),
  created_from: Type.Optional(Type.String({ description: "created_at from" })),
  created_to: Type.Optional(Type.String({ description: "created_at up to" })),
  updated_since: Type.Optional(Type.String({ description: "updated_at from" })),
  min_sentiment: Type.Optional(score("customer_sentiment_score from")),
  max_sentiment: Type.Optional(score("customer_sentiment_score up to")),
  min_duration: Type.Optional(Type.Number({ minimum: 0, description: "Seconds" })),
  max_duration: Type.Optional(Type.Number({ minimum: 0, description: "Seconds" })),
  min_talk_ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  max_talk_ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
};

export const ListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    offset: Type.Integer({ minimum: 0, default: 0, description: "Up to 10,000; beyond it follow next_cursor" }),
    cursor: Type.Optional(Type.String({ maxLength: 500, description: "next_cursor of the page before" })),
    sort: Type.Optional(
      Type.String({
        maxLength: 50,
        description: `${SORT_FIELDS.join(", ")}; - before it: descending. Default: -start_time`,
      }),
    ),
    fields: Type.Optional(Type.String({ maxLength: 500, description: "Only these fields, comma separated" })),
    view: Type.Optional(enumOf(["basic", "full"], "full: with transcript, turns and insights")),
    ...filterParameters,
  },
  CLOSED,
);

export const SearchQuery = Type.Object(
  {
    q: Type.String({ minLength: 1, maxLength: 500, description: "Words to find, or what is meant" }),
    mode: Type.Unsafe<SearchMode>({ type: "string", enum: [...SEARCH_MODES], default: "hybrid" }),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    ...filterParameters,
  },
  CLOSED,
);

export const EventsQuery = Type.Object(
  {
    after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  },
  CLOSED,
);

export const LimitQuery = Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) }, CLOSED);
export const NoQuery = Type.Object({}, CLOSED);

export const LoginBody = Type.Object(
  { username: Type.String({ minLength: 1, maxLength: 200 }), password: Type.String({ minLength: 1, maxLength: 1000 }) },
  CLOSED,
);
export const SignInBody = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) }, CLOSED);
export const RedriveBody = Type.Object(
  { call_id: Type.Optional(nullable(id("Only this call's; absent: all"))) },
  CLOSED,
);
export const CallParams = Type.Object({ call_id: Type.String() });
export const JobParams = Type.Object({ job_id: Type.String() });

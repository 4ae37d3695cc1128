/** Every wire type. One table of named schemas: the OpenAPI document and the tests read it; inputs.ts has parameters. */
import { Type } from "typebox";
import type { TSchema } from "typebox";
import { LIVE_RULES } from "../core/live-alerts.ts";
import { MEASURE_NAMES } from "../core/measures.ts";
import { ERRORS } from "../errors.ts";
import { ROLES } from "../ports/accounts.ts";
import { EVENT_TYPES } from "../ports/events.ts";
import { SEARCH_MODES } from "../services/search.ts";
import { CALL_SCHEMAS } from "./schema-calls.ts";
import { LIVE_SCHEMAS } from "./schema-live.ts";
import { CLOSED, degraded, enumOf, instant, named, nullable, score, SPEAKERS, STATES } from "./schema-parts.ts";

/** A named schema of SCHEMAS; becomes `#/components/schemas/Name`. */
export function ref(name: keyof typeof SCHEMAS) {
  return Type.Unsafe<unknown>({ $ref: `${name}#` });
}

const figures = Type.Object(
  {
    n: Type.Integer({ minimum: 0, description: "Enriched calls with a value" }),
    sd: nullable(Type.Number({ minimum: 0 }), "Sample standard deviation"),
    ci95: nullable(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), "95 % interval of the mean"),
  },
  CLOSED,
);

export const SCHEMAS = {
  FieldError: Type.Object(
    {
      pointer: Type.String({ description: "JSON pointer into the body, or ?name for a query parameter" }),
      message: Type.String(),
      expected: Type.String({ description: "What would have been right" }),
      received: Type.String({ description: "What came, or its type: words of a call are never repeated" }),
    },
    CLOSED,
  ),
  Problem: Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      instance: Type.String(),
      code: enumOf(Object.keys(ERRORS)),
      request_id: Type.String(),
      errors: Type.Optional(Type.Array(named("FieldError"))),
    },
    { ...CLOSED, description: "RFC 9457" },
  ),
  ...CALL_SCHEMAS,
  ...LIVE_SCHEMAS,
  Nudge: Type.Object(
    {
      text: Type.String({ description: "At most 40 words" }),
      rule_id: Type.String(),
      severity: enumOf(["high", "medium", "low", "strength"]),
      evidence: Type.Array(Type.String(), { description: "turn_id of the turns it saw, most telling first" }),
      expected: Type.Object(
        {
          measure: nullable(enumOf(MEASURE_NAMES)),
          low: nullable(Type.Number()),
          high: nullable(Type.Number()),
          source: enumOf(["default", "team"], "Published figures, or the team's own best quarter"),
          text: Type.String(),
        },
        CLOSED,
      ),
      observed: Type.Object({ value: nullable(Type.Number()), text: Type.String() }, CLOSED),
    },
    CLOSED,
  ),
  Recommendations: Type.Object(
    {
      similar_calls: Type.Array(
        Type.Object(
          {
            call_id: Type.String(),
            similarity_score: score("Cosine of the call vectors, what all calls share taken out; 1 is the same"),
            agent_id: Type.String(),
            customer_sentiment_score: nullable(score("Of that call")),
          },
          CLOSED,
        ),
        { maxItems: 5 },
      ),
      similar_calls_reason: Type.Optional(Type.String({ description: "Why there are none" })),
      coaching_nudges: Type.Array(Type.String(), { maxItems: 3 }),
      nudges: Type.Array(named("Nudge"), { maxItems: 3 }),
      nudges_reason: Type.Optional(Type.String({ description: "Why there are none" })),
      degraded,
    },
    CLOSED,
  ),
  AgentFigures: Type.Object(
    {
      agent_id: Type.String(),
      avg_sentiment: nullable(score("Mean customer_sentiment_score")),
      avg_talk_ratio: nullable(Type.Number({ minimum: 0, maximum: 1 }), "Mean agent_talk_ratio"),
      total_calls: Type.Integer({ minimum: 0, description: "All accepted calls" }),
      rank: nullable(Type.Integer({ minimum: 1 }), "By sentiment, among agents with enough calls; else null"),
      sentiment: figures,
      talk_ratio: figures,
    },
    CLOSED,
  ),
  Definitions: Type.Object(
    {
      version: Type.String(),
      measures: Type.Array(
        Type.Object(
          {
            name: enumOf(MEASURE_NAMES),
            title: Type.String(),
            unit: Type.String(),
            definition: Type.String(),
            source: Type.String(),
            group: Type.String(),
            needs: Type.Array(Type.String()),
            range: Type.Array(nullable(Type.Number()), { minItems: 2, maxItems: 2 }),
          },
          CLOSED,
        ),
      ),
      live: Type.Array(
        Type.Object(
          {
            name: Type.String(),
            title: Type.String(),
            unit: Type.String(),
            definition: Type.String(),
            source: Type.String(),
          },
          CLOSED,
        ),
        { description: "What only a call that goes on has" },
      ),
      alerts: Type.Array(Type.Object({ rule_id: enumOf(LIVE_RULES), definition: Type.String() }, CLOSED)),
    },
    CLOSED,
  ),
  Job: Type.Object(
    {
      job_id: Type.String(),
      kind: enumOf(["import", "recalculate", "backup", "retention"]),
      state: enumOf(["running", "done", "failed"]),
      created_at: instant("When it began"),
      updated_at: instant("When it last moved"),
      counts: Type.Record(Type.String(), Type.Number()),
      errors: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() }, CLOSED), {
        description: "The first 100",
      }),
      detail: nullable(Type.String()),
      report: nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            "What came of it: what differed (recalculate), what the copy holds (backup), what went (retention)",
        }),
      ),
    },
    CLOSED,
  ),
  Jobs: Type.Object({ jobs: Type.Array(named("Job")) }, CLOSED),
  Event: Type.Object(
    {
      seq: Type.Integer(),
      type: enumOf(EVENT_TYPES),
      at: instant("When"),
      call_id: Type.String(),
      agent_id: Type.String(),
      revision: Type.Integer(),
      state: nullable(enumOf(STATES)),
      customer_sentiment_score: nullable(score("As it was then")),
      agent_talk_ratio: nullable(Type.Number()),
      reason: nullable(enumOf(["request", "customer", "retention"], "Why a call was deleted")),
      turn_index: nullable(Type.Integer({ minimum: 0 }), "Of live.turn"),
      position: nullable(Type.Integer({ minimum: 0 }), "Of live.turn: its place among the turn messages of its call"),
      turn_sentiment: nullable(score("Of live.turn")),
      live_sentiment: nullable(score("Of live.turn and live.alert: the customer's moving average then")),
      rule_id: nullable(enumOf(LIVE_RULES, "Of live.alert")),
      evidence: nullable(Type.Array(Type.Integer()), "Of live.alert: indexes of turns, most telling first"),
    },
    CLOSED,
  ),
  EventPage: Type.Object(
    {
      events: Type.Array(named("Event")),
      next_after: Type.Integer({ description: "Pass as after" }),
      resync_required: Type.Boolean({ description: "Events after `after` are gone from the log: read the list anew" }),
    },
    CLOSED,
  ),
  DeadLetters: Type.Object(
    {
      dead_letters: Type.Array(
        Type.Object(
          {
            call_id: Type.String(),
            agent_id: Type.String(),
            revision: Type.Integer(),
            attempts: Type.Integer(),
            error: Type.String(),
            at: instant("When it was given up"),
          },
          CLOSED,
        ),
      ),
    },
    CLOSED,
  ),
  SearchResults: Type.Object(
    {
      query: Type.String(),
      mode: enumOf(SEARCH_MODES, "What was done: keyword while no model runs"),
      results: Type.Array(
        Type.Object(
          {
            call_id: Type.String(),
            agent_id: Type.String(),
            start_time: instant("When the call began"),
            customer_sentiment_score: nullable(score("Of the call")),
            turn_id: Type.String(),
            turn_index: Type.Integer({ minimum: 0 }),
            speaker: enumOf(SPEAKERS),
            text: Type.String(),
            start_ms: nullable(Type.Integer()),
            score: Type.Number({ description: "Higher is better; comparable within one answer" }),
            highlights: Type.Array(Type.Object({ start: Type.Integer(), end: Type.Integer() }, CLOSED), {
              description: "Words found: ranges [start, end) of text in UTF-16 units",
            }),
          },
          CLOSED,
        ),
      ),
      degraded,
    },
    CLOSED,
  ),
  User: Type.Object(
    {
      account_id: Type.String(),
      name: Type.String(),
      role: enumOf(ROLES),
      agent_id: nullable(Type.String()),
      team: nullable(Type.String()),
    },
    CLOSED,
  ),
  Session: Type.Object(
    {
      access_token: Type.String(),
      token_type: enumOf(["bearer"]),
      expires_in: Type.Integer({ description: "Seconds" }),
      user_info: named("User"),
    },
    CLOSED,
  ),
  Ready: Type.Object(
    {
      status: enumOf(["ok", "degraded", "unavailable"]),
      degraded: Type.Array(Type.String()),
      checks: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean() }, { additionalProperties: true })),
    },
    CLOSED,
  ),
} satisfies Record<string, TSchema>;

// ---- answers -----------------------------------------------------------------------------------------------------

/** One answer of the OpenAPI document. */
export function answer(description: string, schema: TSchema) {
  return { description, content: { "application/json": { schema } } };
}

export const NO_CONTENT = { description: "Done", type: "null" as const };

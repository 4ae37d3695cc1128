/** Every wire type. One table of named schemas: the OpenAPI document and the tests read it; inputs.ts has parameters. */
import { Type } from "typebox";
import type { TSchema } from "typebox";
import { DEFINITIONS } from "../core/definitions.ts";
import { MEASURE_NAMES } from "../core/measures.ts";
import { MAX_TURNS } from "../core/transcript.ts";
import { ERRORS } from "../errors.ts";
import { ROLES } from "../ports.ts";
import { MAX_BULK_CALLS, MAX_DURATION_SECONDS, MAX_ID, OUTCOMES } from "../services/accept.ts";
import { SEARCH_MODES } from "../services/search.ts";

const CLOSED = { additionalProperties: false };

export function enumOf<T extends string>(values: readonly T[], description?: string) {
  return Type.Unsafe<T>({ type: "string", enum: [...values], ...(description && { description }) });
}

export function nullable(schema: TSchema, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

/** A named schema of SCHEMAS; becomes `#/components/schemas/Name`. */
export function ref(name: keyof typeof SCHEMAS) {
  return Type.Unsafe<unknown>({ $ref: `${name}#` });
}
// Inside the table its own type is not known yet.
const named = (name: string) => Type.Unsafe<unknown>({ $ref: `${name}#` });

const instant = (description: string) => Type.String({ format: "date-time", description });
export const id = (description: string) => Type.String({ minLength: 1, maxLength: MAX_ID, description });
export const score = (description: string) => Type.Number({ minimum: -1, maximum: 1, description });
const degraded = Type.Optional(
  Type.Array(Type.String(), { description: "Parts that are not whole at the moment: models. Absent when all is well" }),
);

export const STATES = ["pending", "running", "enriched", "degraded", "dead"] as const;
const SPEAKERS = ["agent", "customer"] as const;
const METHODS = ["model", "statistical"] as const;
const LABELS = ["negative", "neutral", "positive"] as const;
const EVENT_TYPES = ["call.accepted", "call.replaced", "call.enriched", "call.deleted"] as const;

const rowFields = {
  call_id: id("Unique"),
  agent_id: id("Who spoke for us; `unassigned` where it was not said"),
  customer_id: nullable(Type.String(), "null for role analyst"),
  language: Type.String({ description: "BCP 47, lower case" }),
  start_time: instant("When the call began"),
  created_at: instant("When it was first accepted"),
  updated_at: instant("When anything of it last changed"),
  duration_seconds: nullable(Type.Number({ minimum: 0 })),
  agent_talk_ratio: nullable(Type.Number({ minimum: 0, maximum: 1 }), "Agent words ÷ all words, fillers left out"),
  customer_sentiment_score: nullable(score("Mean of the customer's turns weighted by words")),
  outcome: nullable(enumOf(OUTCOMES)),
  enrichment: named("Enrichment"),
};
export const ROW_FIELDS = Object.keys(rowFields) as readonly (keyof typeof rowFields)[];

const callFields = {
  transcript: nullable(Type.String(), "Speaker lines; null for role analyst"),
  turns: Type.Array(named("Turn")),
  insights: nullable(named("Insights"), "null until the call is enriched"),
};

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
  Enrichment: Type.Object(
    {
      state: enumOf(STATES, "degraded: made without the model, and made again when it is back. dead: gave up"),
      revision: Type.Integer({ minimum: 1, description: "Grows with each change of the text" }),
      method: nullable(enumOf(METHODS)),
      model: nullable(Type.String()),
      at: nullable(instant("When the insights were made")),
      error: Type.Optional(Type.String()),
    },
    CLOSED,
  ),
  CallRow: Type.Object(rowFields, CLOSED),
  Turn: Type.Object(
    {
      turn_id: Type.String(),
      speaker: enumOf(SPEAKERS),
      text: nullable(Type.String(), "null for role analyst"),
      start_ms: nullable(Type.Integer({ minimum: 0 })),
      end_ms: nullable(Type.Integer({ minimum: 0 })),
      sentiment: nullable(score("null until enriched, or where the turn has no words")),
      sentiment_label: nullable(enumOf(LABELS, "at ±1/3")),
    },
    CLOSED,
  ),
  Provenance: Type.Object(
    {
      method: enumOf(["model", "statistical", "formula"]),
      model: Type.String(),
      version: Type.String(),
      computed_at: instant("When"),
    },
    CLOSED,
  ),
  Insights: Type.Object(
    {
      ...Object.fromEntries(MEASURE_NAMES.map((name) => [name, nullable(Type.Number(), DEFINITIONS[name].definition)])),
      unavailable: Type.Record(Type.String(), Type.String(), { description: "Why a measure is null" }),
      provenance: Type.Object(
        {
          sentiment: named("Provenance"),
          conversation: named("Provenance"),
          vectors: nullable(named("Provenance")),
        },
        CLOSED,
      ),
    },
    CLOSED,
  ),
  Call: Type.Object({ ...rowFields, ...callFields, degraded }, CLOSED),
  CallList: Type.Object(
    {
      calls: Type.Array(
        Type.Partial(Type.Object({ ...rowFields, ...callFields }), {
          ...CLOSED,
          description: "`CallRow`, or with view=full `Call`, or the fields asked for",
        }),
      ),
      total: Type.Integer({ minimum: 0, description: "Exact up to 10,000" }),
      total_relation: enumOf(["eq", "gte"], "gte: there are at least `total`"),
      limit: Type.Integer(),
      offset: Type.Integer(),
      next_cursor: nullable(Type.String(), "Pass as cursor for the next page; null at the end"),
      partial: Type.Optional(Type.Boolean({ description: "The time for one page ran out; next_cursor goes on" })),
      degraded,
    },
    CLOSED,
  ),
  TurnInput: Type.Object(
    {
      speaker: Type.String({ description: "agent or customer, or a label of speaker_map" }),
      text: Type.String(),
      start_ms: Type.Optional(nullable(Type.Number({ minimum: 0 }), "From the start of the call")),
      end_ms: Type.Optional(nullable(Type.Number({ minimum: 0 }))),
      turn_id: Type.Optional(nullable(id("Unique within the call; made where absent"))),
    },
    CLOSED,
  ),
  CallInput: Type.Object(
    {
      call_id: Type.Optional(nullable(id("Made where absent"))),
      agent_id: Type.Optional(nullable(id("Default: unassigned"))),
      customer_id: Type.Optional(nullable(id("The customer"))),
      language: Type.Optional(nullable(Type.String({ maxLength: 35 }), "BCP 47; default: en")),
      start_time: Type.Optional(nullable(instant("Default: now"))),
      duration_seconds: Type.Optional(
        nullable(Type.Number({ minimum: 0, maximum: MAX_DURATION_SECONDS }), "Default: the last end_ms"),
      ),
      outcome: Type.Optional(nullable(enumOf(OUTCOMES))),
      transcript: Type.Optional(
        nullable(Type.String(), "Lines `Agent: …` and `Customer: …`; this or turns. At most 2 MB of text"),
      ),
      turns: Type.Optional(nullable(Type.Array(named("TurnInput"), { maxItems: MAX_TURNS }))),
      speaker_map: Type.Optional(
        nullable(Type.Record(Type.String(), enumOf(SPEAKERS)), "Labels of your own to speakers, by label"),
      ),
    },
    {
      ...CLOSED,
      examples: [
        {
          call_id: "c-1001",
          agent_id: "ana",
          start_time: "2026-03-01T09:30:00Z",
          outcome: "won",
          transcript: "Agent: Hello, how can I help?\nCustomer: I would love to hear about the new plan.",
        },
      ],
    },
  ),
  BulkInput: Type.Object(
    { calls: Type.Array(named("CallInput"), { minItems: 1, maxItems: MAX_BULK_CALLS }) },
    { ...CLOSED, description: "What is wrong with one call does not touch the others" },
  ),
  Accepted: Type.Object(
    {
      call_id: Type.String(),
      status: enumOf(["accepted"]),
      revision: Type.Integer({ minimum: 1 }),
    },
    { ...CLOSED, description: "The call is on disk; enrichment follows, GET the call shows its state" },
  ),
  BulkResults: Type.Object(
    {
      results: Type.Array(
        Type.Object(
          {
            index: Type.Integer({ minimum: 0 }),
            call_id: nullable(Type.String()),
            status: enumOf(
              ["accepted", "replayed", "conflict", "rejected", "failed"],
              "replayed: the same call was there. conflict: the call_id has other content. rejected: see error",
            ),
            error: Type.Optional(
              Type.Object(
                {
                  code: enumOf(Object.keys(ERRORS)),
                  detail: Type.String(),
                  errors: Type.Optional(Type.Array(named("FieldError"))),
                },
                CLOSED,
              ),
            ),
          },
          CLOSED,
        ),
      ),
    },
    CLOSED,
  ),
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

/** The wire types of a call: what is sent, what is listed, what one call shows. */
import { Type } from "typebox";
import type { TSchema } from "typebox";
import { MAX_TURNS } from "../core/check-turns.ts";
import { DEFINITIONS } from "../core/definitions.ts";
import { MEASURE_NAMES } from "../core/measures.ts";
import { ERRORS } from "../errors.ts";
import { MAX_DURATION_SECONDS, OUTCOMES } from "../services/accept.ts";
import { MAX_BULK_CALLS } from "../services/check-bulk.ts";
import { CLOSED, degraded, enumOf, id, instant, named, nullable, score, SPEAKERS, STATES } from "./schema-parts.ts";

const METHODS = ["model", "statistical"] as const;
const LABELS = ["negative", "neutral", "positive"] as const;

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

export const CALL_SCHEMAS = {
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
} satisfies Record<string, TSchema>;

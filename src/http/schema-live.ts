/** The wire types of calls that go on. */
import { Type } from "typebox";
import type { TSchema } from "typebox";
import { LIVE_RULES } from "../core/live-alerts.ts";
import { LIVE_MEASURE_NAMES } from "../core/live-measures.ts";
import { MEASURE_NAMES } from "../core/measures.ts";
import { MAX_LIVE_TURNS } from "../services/live-input.ts";
import { OUTCOMES } from "../services/accept.ts";
import { CLOSED, degraded, enumOf, id, instant, named, nullable, score, SPEAKERS } from "./schema-parts.ts";

const ratio = Type.Number({ minimum: 0, maximum: 1 });

const rowFields = {
  call_id: Type.String(),
  agent_id: Type.String(),
  customer_id: nullable(Type.String(), "null for role analyst"),
  start_time: instant("When the call began"),
  live_sentiment: nullable(score("Moving average of the customer's turns")),
  trend: nullable(enumOf(["rising", "steady", "falling"])),
  agent_talk_ratio: nullable(ratio, "So far"),
  longest_monologue_seconds: nullable(Type.Number({ minimum: 0 }), "Of the agent, so far"),
  longest_monologue_words: nullable(Type.Integer({ minimum: 0 }), "Of the agent, so far"),
  longest_silence_ms: nullable(Type.Number({ minimum: 0 }), "So far"),
  silence_ms: nullable(Type.Number({ minimum: 0 }), "Since the last turn arrived"),
  last_turn_at: nullable(instant("When the last turn or correction arrived")),
  alerts: Type.Array(named("LiveAlert"), { description: "Oldest first" }),
};

export const LIVE_SCHEMAS = {
  LiveStart: Type.Object(
    {
      call_id: Type.Optional(nullable(id("Made where it is left out"))),
      agent_id: Type.Optional(nullable(id("`unassigned` where it is left out"))),
      customer_id: Type.Optional(nullable(id("Who called"))),
      language: Type.Optional(nullable(Type.String(), "BCP 47; en where it is left out")),
      start_time: Type.Optional(nullable(instant("Now where it is left out"))),
    },
    CLOSED,
  ),
  LiveStarted: Type.Object({ call_id: Type.String(), state: enumOf(["live"]) }, CLOSED),
  LiveTurns: Type.Object(
    { turns: Type.Array(named("TurnInput"), { minItems: 1, maxItems: MAX_LIVE_TURNS }) },
    { ...CLOSED, description: "A turn_id that is known corrects that turn" },
  ),
  LiveAppended: Type.Object(
    {
      call_id: Type.String(),
      turns: Type.Array(
        Type.Object(
          {
            turn_id: Type.String(),
            turn_index: Type.Integer({ minimum: 0 }),
            status: enumOf(["appended", "corrected", "unchanged"]),
          },
          CLOSED,
        ),
      ),
    },
    CLOSED,
  ),
  LiveEnd: Type.Object({ outcome: Type.Optional(nullable(enumOf(OUTCOMES))) }, CLOSED),
  LiveAlert: Type.Object(
    {
      rule_id: enumOf(LIVE_RULES),
      severity: enumOf(["high", "medium", "low"]),
      text: Type.String({ description: "At most 40 words" }),
      evidence: Type.Array(Type.Integer({ minimum: 0 }), { description: "Indexes of turns, most telling first" }),
      expected: Type.Object(
        {
          measure: enumOf(LIVE_MEASURE_NAMES),
          low: nullable(Type.Number()),
          high: nullable(Type.Number()),
          source: enumOf(["default", "team"]),
          text: Type.String(),
        },
        CLOSED,
      ),
      observed: Type.Object({ value: nullable(Type.Number()), text: Type.String() }, CLOSED),
      position: Type.Integer({ minimum: 0, description: "The last that it saw" }),
    },
    CLOSED,
  ),
  LiveRow: Type.Object({ ...rowFields, turns: Type.Integer({ minimum: 0, description: "So far" }) }, CLOSED),
  LiveList: Type.Object(
    { calls: Type.Array(named("LiveRow"), { description: "Newest first, at most 1,000" }), degraded },
    CLOSED,
  ),
  LiveTurn: Type.Object(
    {
      turn_id: Type.String(),
      turn_index: Type.Integer({ minimum: 0 }),
      position: Type.Integer({ minimum: 1, description: "Of its newest version among the turn messages of the call" }),
      speaker: enumOf(SPEAKERS),
      text: nullable(Type.String(), "null for role analyst"),
      start_ms: nullable(Type.Integer({ minimum: 0 })),
      end_ms: nullable(Type.Integer({ minimum: 0 })),
      sentiment: nullable(score("null until it is known, or where the turn has no words")),
      method: nullable(enumOf(["model", "statistical"]), "null until the sentiment is known"),
    },
    CLOSED,
  ),
  LiveCall: Type.Object(
    {
      ...rowFields,
      language: Type.String(),
      turns: Type.Array(named("LiveTurn")),
      measures: Type.Object(Object.fromEntries(MEASURE_NAMES.map((name) => [name, nullable(Type.Number())])), {
        ...CLOSED,
        description: "As they would be if the call ended now",
      }),
      unavailable: Type.Record(Type.String(), Type.String(), { description: "Why a measure is null" }),
      position: Type.Integer({ minimum: 0, description: "Of the last turn message; 0 before the first" }),
      seq: Type.Integer({ minimum: 0, description: "The event log up to here is in this answer" }),
      degraded,
    },
    CLOSED,
  ),
} satisfies Record<string, TSchema>;

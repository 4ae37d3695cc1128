import { expect, test } from "vitest";
import type { EventRow, EventType } from "../../src/ports/events.ts";
import { changesOf } from "../../src/services/follow-index.ts";

const event = (type: EventType, call_no: number): EventRow => ({
  seq: 0,
  type,
  at: 0,
  call_no,
  call_id: `c${call_no}`,
  agent_id: "a",
  revision: 1,
  customer_sentiment_score: null,
  agent_talk_ratio: null,
  state: null,
  reason: null,
  turn_index: null,
  position: null,
  turn_sentiment: null,
  live_sentiment: null,
  rule_id: null,
  evidence: null,
});

test("the last event of a call decides what the index does with it", () => {
  const events = [
    event("call.accepted", 1),
    event("call.enriched", 1),
    event("call.enriched", 2),
    event("call.deleted", 2),
    event("call.replaced", 3),
    event("call.enriched", 3),
    event("call.replaced", 4),
    event("call.accepted", 5),
  ];
  expect(changesOf(events)).toEqual({ put: [1, 3], gone: [2, 4] });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Insights, Turn } from "../../src/core/call.ts";
import { callText } from "../../src/http/call-text.ts";
import { presentCall } from "../../src/http/present.ts";
import type { StoredCall } from "../../src/ports.ts";
import { randomRows } from "../support/call-rows.ts";

const offset = fc.option(fc.nat());
const turn = fc.record<Turn>({
  turn_id: fc.string({ unit: "binary" }),
  speaker: fc.constantFrom("agent", "customer"),
  text: fc.string({ unit: "binary" }),
  start_ms: offset,
  end_ms: offset,
});
const made = { method: "model", model: "m", version: "1", computed_at: 0 } as const;
const score = fc.option(fc.double({ min: -1, max: 1, noNaN: true }));
const insights = fc.record({
  measures: fc.dictionary(fc.stringMatching(/^[a-z_]{1,9}$/), score),
  reasons: fc.dictionary(fc.stringMatching(/^[a-z_]{1,9}$/), fc.string()),
  turn_sentiment: fc.array(score),
  provenance: fc.record({
    sentiment: fc.constant(made),
    conversation: fc.constant(made),
    embedding: fc.option(fc.constant(made)),
  }),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<Insights>;

test("the text of a call is the text of what present shows", () => {
  const rows = randomRows(50, 1);
  fc.assert(
    fc.property(
      fc.constantFrom(...rows),
      fc.array(turn),
      fc.option(insights),
      fc.boolean(),
      fc.constantFrom({}, { degraded: ["models"] }),
      (row, turns, insights, personal, more) => {
        const call: StoredCall = { row, turns, insights, turns_json: "", insights_json: null };
        expect(callText(call, personal, more)).toBe(JSON.stringify({ ...presentCall(call, personal), ...more }));
      },
    ),
  );
});

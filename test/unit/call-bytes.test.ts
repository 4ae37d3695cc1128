import fc from "fast-check";
import { expect, test } from "vitest";
import type { Insights, Turn } from "../../src/core/call.ts";
import { documentText, readDocument } from "../../src/core/call-document.ts";
import { callBytes } from "../../src/http/call-bytes.ts";
import { presentCall } from "../../src/http/present.ts";
import type { StoredCall } from "../../src/ports/calls.ts";
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

test("the bytes of a call are those of what present shows, stored or made", () => {
  const rows = randomRows(50, 1);
  fc.assert(
    fc.property(
      fc.constantFrom(...rows),
      fc.array(turn),
      fc.option(insights),
      fc.boolean(),
      fc.constantFrom({}, { degraded: ["models"] }),
      (row, turns, insights, personal, more) => {
        const document = Buffer.from(documentText({ turns, insights }, true));
        const shown = JSON.stringify({ ...presentCall({ row, turns, insights, document }, personal), ...more });
        for (const stored of [document, null]) {
          const call: StoredCall = { row, turns, insights, document: stored };
          expect(callBytes(call, personal, more).toString("utf8")).toBe(shown);
        }
      },
    ),
  );
});

test("words and insights come out of a document as they went in", () => {
  fc.assert(
    fc.property(fc.array(turn), fc.option(insights), (turns, some) => {
      const own = some && { ...some, turn_sentiment: turns.map((_, i) => some.turn_sentiment[i] ?? null) };
      // JSON has no negative zero, and no unpaired surrogate survives UTF-8: the store has neither.
      const asJson = JSON.parse(JSON.stringify({ turns, insights: own })) as unknown;
      expect(readDocument(documentText({ turns, insights: own }, true))).toEqual(asJson);
    }),
  );
});

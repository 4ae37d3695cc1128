import fc from "fast-check";
import { expect, test } from "vitest";
import { highlights } from "../../src/core/highlight.ts";

const found = (text: string, query: string): string[] => highlights(text, query).map(([a, b]) => text.slice(a, b));

test.each([
  ["The prices are high, pricing is hard.", "price", ["prices", "pricing"]],
  ["Café owners called, the CALL went well", "cafe calling", ["Café", "called", "CALL"]],
  ["nothing here", "price", []],
  ["a b c", "", []],
  ['say "stop" now', '"stop" OR x*', ["stop"]],
])("%j for %j", (text, query, words) => expect(found(text, query)).toEqual(words));

test("ranges are in order, apart, and within the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, query) => {
      let last = 0;
      for (const [start, end] of highlights(text, query)) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        last = end;
      }
      expect(last).toBeLessThanOrEqual(text.length);
    }),
  );
});

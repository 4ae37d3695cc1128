import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatInstant, parseDay, parseInstant } from "../../src/core/time.ts";

describe("instants", () => {
  test.each([
    ["2026-03-01T09:30:00Z", Date.UTC(2026, 2, 1, 9, 30)],
    ["2026-03-01t09:30:00z", Date.UTC(2026, 2, 1, 9, 30)],
    ["2026-03-01T09:30:00.5Z", Date.UTC(2026, 2, 1, 9, 30, 0, 500)],
    ["2026-03-01T09:30:00.123456789Z", Date.UTC(2026, 2, 1, 9, 30, 0, 123)],
    ["2026-03-01T09:30:00+05:30", Date.UTC(2026, 2, 1, 4, 0)],
    ["2026-03-01T00:30:00-01:00", Date.UTC(2026, 2, 1, 1, 30)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    // A leap second is the last millisecond before it.
    ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1) - 1],
  ])("%s", (text, ms) => expect(parseInstant(text)).toBe(ms));

  test.each([
    "2026-03-01",
    "2026-03-01T09:30:00",
    "2026-03-01 09:30:00Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00Z",
    "26-01-01T00:00:00Z",
    " 2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
    "٢٠٢٦-01-01T00:00:00Z",
    "now",
    "",
  ])("%j is none", (text) => expect(parseInstant(text)).toBeNull());

  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 4e12 }), (ms) => {
        expect(parseInstant(formatInstant(ms))).toBe(ms);
        expect(formatInstant(ms)).toBe(new Date(ms).toISOString());
      }),
    );
  });
});

test("days", () => {
  expect(parseDay("2026-03-01")).toBe(Date.UTC(2026, 2, 1));
  for (const text of ["2026-3-1", "2026-02-30", "2026-03-01T00:00:00Z", ""]) expect(parseDay(text)).toBeNull();
});

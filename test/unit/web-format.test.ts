import { expect, test } from "vitest";
import { agentName, ago, clock, measure, percent, signed } from "../../web/src/format.ts";

test("scores have a sign, a real minus, and no signed nought", () => {
  expect([0.123, -0.306, 0, 0.004, -0.004, -1].map(signed)).toEqual([
    "+0.12",
    "−0.31",
    "0.00",
    "0.00",
    "0.00",
    "−1.00",
  ]);
});

test("lengths read like a clock and round across the minute", () => {
  expect([0, 9.4, 59.6, 148.219, 3599.7, 3723].map(clock)).toEqual([
    "0:00",
    "0:09",
    "1:00",
    "2:28",
    "1:00:00",
    "1:02:03",
  ]);
});

function read(value: number, unit: string): string {
  const { figure, unit: shown } = measure(value, unit);
  return `${figure} ${shown}`.trim();
}

test("measures stand in the unit people read them in", () => {
  expect(read(0.619, "ratio")).toBe("62\u00A0%");
  expect(read(149_798, "ms")).toBe("2:30 min");
  expect(read(672, "ms")).toBe("0.7 s");
  expect(read(-0.0633, "score")).toBe("−0.06");
  expect(read(151.8, "words/min")).toBe("152 words/min");
  expect(read(1234, "count")).toBe("1,234");
});

test("the past is near in words", () => {
  const now = Date.parse("2026-03-10T12:00:00Z");
  const at = (instant: string) => ago(instant, now);
  expect(at("2026-03-10T11:59:40Z")).toBe("just now");
  expect(at("2026-03-10T09:00:00Z")).toBe("3 hours ago");
  expect(at("2026-03-09T11:00:00Z")).toBe("yesterday");
  expect(at("2026-02-24T12:00:00Z")).toBe("2 weeks ago");
  expect(at("2026-03-11T13:00:00Z")).toBe("tomorrow");
});

test("ids that look like names read like names, others stay", () => {
  expect(["dean.novak", "ana", "4711", "a.b@c"].map(agentName)).toEqual(["Dean Novak", "ana", "4711", "a.b@c"]);
  expect(percent(0.666)).toBe("67\u00A0%");
});

import { expect, test } from "vitest";
import type { Turn } from "../../src/core/call.ts";
import { readTurnsText, turnsText } from "../../src/core/turns-text.ts";

const TURNS: Turn[] = [
  { turn_id: "t1", speaker: "agent", text: 'He said "no",\n then \u2028 left', start_ms: 0, end_ms: 1_500 },
  { turn_id: "t2", speaker: "customer", text: "", start_ms: null, end_ms: null },
];

test("turns come back from their text, in less than half the characters an object each takes around the words", () => {
  const text = turnsText(TURNS);
  expect(readTurnsText(text)).toEqual(TURNS);
  const words = JSON.stringify(TURNS.map((t) => t.text)).length;
  expect(text.length - words).toBeLessThan((JSON.stringify(TURNS).length - words) / 2);
});

test("the objects that were written before are still read", () => {
  expect(readTurnsText(JSON.stringify(TURNS))).toEqual(TURNS);
  expect(readTurnsText("[]")).toEqual([]);
});

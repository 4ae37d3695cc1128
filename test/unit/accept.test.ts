import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isId, normalizeCall } from "../../src/services/accept.ts";

const NOW = Date.UTC(2026, 0, 1);
const context = { now: NOW };

function accepted(input: unknown) {
  const result = normalizeCall(input, context);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.call;
}

const said = fc.record({
  call_id: fc.string({ minLength: 1, maxLength: 20 }).filter(isId),
  agent_id: fc.option(fc.constantFrom("ana", "ben"), { nil: undefined }),
  customer_id: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
  outcome: fc.option(fc.constantFrom("won", "lost", "open"), { nil: undefined }),
  duration_seconds: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  turns: fc.array(
    fc.record({ speaker: fc.constantFrom("agent", "customer"), text: fc.constantFrom("yes", "no", "well then") }),
    { minLength: 1, maxLength: 4 },
  ),
});

describe("the digest", () => {
  test("is of what was said, not of its form", () => {
    fc.assert(
      fc.property(said, (call) => {
        const { digest } = accepted(call);
        // The order of fields, defaults spelled out, nulls, and another moment change nothing.
        const reversed = Object.fromEntries(Object.entries(call).toReversed());
        const spelled = { language: "en", start_time: null, ...call, agent_id: call.agent_id ?? "unassigned" };
        expect(accepted(reversed).digest).toBe(digest);
        expect(accepted(spelled).digest).toBe(digest);
        const later = normalizeCall(call, { now: NOW + 1 });
        expect(later.ok && later.call.digest).toBe(digest);
      }),
    );
  });

  test("tells any other content apart", () => {
    fc.assert(
      fc.property(said, (call) => {
        const { digest } = accepted(call);
        const others: object[] = [
          { ...call, call_id: `${call.call_id}x` },
          { ...call, agent_id: "cem" },
          { ...call, customer_id: "z" },
          { ...call, language: "de" },
          { ...call, start_time: "2026-01-01T00:00:00Z" },
          { ...call, duration_seconds: 1001 },
          { ...call, outcome: call.outcome === "won" ? "lost" : "won" },
          { ...call, turns: [...call.turns, { speaker: "agent", text: "bye" }] },
          { ...call, turns: call.turns.map((t) => Object.assign({}, t, { start_ms: 1 })) },
        ];
        for (const other of others) expect(accepted(other).digest).not.toBe(digest);
      }),
    );
  });

  test("is the same for lines and for turns", () => {
    const lines = accepted({ call_id: "a", transcript: "Agent: Hi there\nCustomer: Hello" });
    const turns = accepted({
      call_id: "a",
      turns: [
        { speaker: "agent", text: "Hi there" },
        { speaker: "customer", text: "Hello" },
      ],
    });
    expect(lines).toEqual(turns);
  });
});

test("whatever comes is accepted or refused with pointers, never thrown at", () => {
  const field = fc.constantFrom(
    "call_id",
    "agent_id",
    "start_time",
    "transcript",
    "turns",
    "speaker_map",
    "outcome",
    "x",
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.array(
      fc.dictionary(fc.constantFrom("speaker", "text", "start_ms", "end_ms", "turn_id", "__proto__"), fc.jsonValue()),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(value, fc.dictionary(field, value)), (input) => {
      const result = normalizeCall(input, context);
      if (result.ok) {
        expect(result.call.turns.length).toBeGreaterThan(0);
        expect(result.call.digest).toMatch(/^[\da-f]{64}$/);
      } else {
        expect(result.errors.length).toBeGreaterThan(0);
        for (const e of result.errors) expect(e.pointer).toMatch(/^(\/.*)?$/s);
      }
    }),
    { numRuns: 500 },
  );
});

test("errors are at most a hundred", () => {
  const result = normalizeCall({ turns: Array.from({ length: 20_000 }, () => ({ speaker: 1, mood: 2 })) }, context);
  expect(!result.ok && result.errors.length).toBeLessThanOrEqual(100);
});

test("the duration is the last end where it is not given", () => {
  const turns = [
    { speaker: "agent", text: "a", start_ms: 0, end_ms: 9_000 },
    { speaker: "customer", text: "b", start_ms: 1_000, end_ms: 2_500 },
  ];
  expect(accepted({ turns }).duration_seconds).toBe(9);
  expect(accepted({ turns, duration_seconds: 20 }).duration_seconds).toBe(20);
  expect(accepted({ transcript: "Agent: a" }).duration_seconds).toBeNull();
  // In whole milliseconds, as offsets.
  expect(accepted({ transcript: "Agent: a", duration_seconds: 5e-324 }).duration_seconds).toBe(0);
  expect(accepted({ transcript: "Agent: a", duration_seconds: 1.23449 }).duration_seconds).toBe(1.234);
});

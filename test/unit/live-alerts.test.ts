import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NUDGE_WORDS } from "../../src/core/coach.ts";
import type { Speaker } from "../../src/core/call.ts";
import {
  ALERT_LIMITS,
  type AlertState,
  LIVE_RULES,
  type LiveAlert,
  nextAlerts,
  NO_ALERTS,
} from "../../src/core/live-alerts.ts";
import { addTurn, fromTurns, type LiveTurn, startLive } from "../../src/core/live-measures.ts";

const AT = Date.UTC(2026, 2, 2, 9, 30);

/** Arrives `at` milliseconds into the call, without times. */
function turn(speaker: Speaker, at: number, more: Partial<LiveTurn> = {}): LiveTurn {
  return { speaker, text: "some plain words", start_ms: null, end_ms: null, sentiment: null, at: AT + at, ...more };
}
/** From second to second of the call; it arrives when it ends. */
const timed = (speaker: Speaker, from: number, to: number, text = "some plain words"): LiveTurn =>
  turn(speaker, to * 1000, { start_ms: from * 1000, end_ms: to * 1000, text });
const felt = (...values: readonly number[]): LiveTurn[] =>
  values.map((sentiment, i) => turn("customer", i * 1000, { sentiment }));
const said = (words: number): string => Array.from({ length: words }, () => "word").join(" ");

const now = (turns: readonly LiveTurn[], later = 0) => (turns.at(-1)?.at ?? AT) + later;
const alertsAt = (turns: readonly LiveTurn[], later = 0, before: AlertState = NO_ALERTS) =>
  nextAlerts(fromTurns("en", turns), before, now(turns, later));

/** Every alert of a call as its turns come, each with the index of the turn it came at. */
function follow(turns: readonly LiveTurn[], limits = ALERT_LIMITS): { alert: LiveAlert; turn: number; at: number }[] {
  let [state, memory] = [startLive("en"), NO_ALERTS];
  return turns.flatMap((t, i) => {
    state = addTurn(state, t);
    const next = nextAlerts(state, memory, t.at, limits);
    memory = JSON.parse(JSON.stringify(next.state)) as AlertState;
    return next.alerts.map((alert) => ({ alert, turn: i, at: t.at }));
  });
}
const rules = (turns: readonly LiveTurn[]) => follow(turns).map((f) => [f.alert.rule_id, f.turn]);

describe("talking too long", () => {
  it("comes past a minute without a break, with the newest turns first", () => {
    const { alerts } = alertsAt([timed("customer", 0, 2), timed("agent", 3, 30), timed("agent", 31, 64)]);
    expect(alerts).toEqual([
      {
        rule_id: "talking_too_long",
        severity: "medium",
        text: "You have talked for 61 s without a break, in turns 2 to 3 (expected at most 60 s). Finish the thought and ask what the customer makes of it.",
        evidence: [2, 1],
        expected: {
          measure: "longest_monologue_seconds",
          low: null,
          high: 60,
          source: "default",
          text: "at most 60 s",
        },
        observed: { value: 61, text: "61 s" },
      },
    ]);
  });

  it("keeps quiet at a minute, as it is shown", () => {
    expect(alertsAt([timed("agent", 0, 60.4)]).alerts).toEqual([]);
    expect(alertsAt([timed("agent", 0, 60.5)]).alerts).toHaveLength(1);
  });

  it("weighs words where there are no times", () => {
    expect(alertsAt([turn("agent", 0, { text: said(150) })]).alerts).toEqual([]);
    expect(alertsAt([turn("agent", 0, { text: said(151) })]).alerts[0]).toMatchObject({
      expected: { measure: "longest_monologue_words", high: 150 },
      observed: { value: 151, text: "151 words" },
    });
  });

  it("is high past twice the range", () => {
    expect(alertsAt([timed("agent", 0, 121)]).alerts[0]?.severity).toBe("high");
  });

  it("goes through a sign of listening, not through an answer or a pause", () => {
    const half = timed("agent", 0, 40);
    const rest = timed("agent", 42, 70);
    expect(rules([half, timed("customer", 40, 41, "mhm"), rest])).toEqual([["talking_too_long", 2]]);
    expect(rules([half, timed("customer", 40, 41, "wait a moment"), rest])).toEqual([]);
    expect(rules([half, timed("agent", 43, 70)])).toEqual([]);
  });

  it("is over when the customer has the floor", () => {
    expect(alertsAt([timed("agent", 0, 70), timed("customer", 71, 73)]).alerts).toEqual([]);
  });

  it("comes once a stretch, however long that goes on", () => {
    const long = Array.from({ length: 20 }, (_, i) => timed("agent", i * 20, i * 20 + 19));
    const next = [timed("customer", 401, 404), timed("agent", 405, 470)];
    expect(rules([...long, ...next])).toEqual([
      ["talking_too_long", 3],
      ["talking_too_long", 21],
    ]);
  });

  it("says nothing of a language whose backchannels it does not know", () => {
    expect(nextAlerts(fromTurns("de", [timed("agent", 0, 200)]), NO_ALERTS, AT).alerts).toEqual([]);
  });
});

describe("sentiment falling", () => {
  // Averages: 0.4, 0.19, 0.028, −0.13.
  const falling = felt(0.4, -0.3, -0.35, -0.5);

  it("comes when the mood has fallen below the range, worst turn first", () => {
    expect(rules(falling)).toEqual([["sentiment_falling", 3]]);
    expect(alertsAt(falling).alerts).toEqual([
      {
        rule_id: "sentiment_falling",
        severity: "medium",
        text: "The customer's mood fell from +0.40 to −0.13 in 3 of their turns, lowest in turn 4 (−0.50). Ask what is behind it before you go on.",
        evidence: [3, 2, 1],
        expected: { measure: "live_sentiment", low: -0.1, high: null, source: "default", text: "at least −0.10" },
        observed: { value: expect.closeTo(-0.1304, 4), text: "−0.13" },
      },
    ]);
  });

  it("expects no more than a fall from a mood that was low already", () => {
    const { alerts } = alertsAt(felt(-0.1, -0.9, -0.9));
    expect(alerts[0]).toMatchObject({ severity: "high", expected: { low: expect.closeTo(-0.4, 9) } });
  });

  it.each([
    ["a warm greeting that becomes ordinary talk", felt(0.9, 0, 0, 0, 0, -0.05)],
    ["one bad turn", felt(0.4, -1)],
    ["a mood that was low from the start", felt(-0.5, -0.5, -0.5, -0.5)],
    ["a mood that rises again", felt(0.4, -0.3, -0.3, -0.1, -0.05, 0.1)],
    [
      "turns of the agent",
      felt(0.4, -0.3, -0.35, -0.5).map((t) => Object.assign({}, t, { speaker: "agent" as const })),
    ],
  ])("keeps quiet about %s", (_name, turns) => {
    expect(rules(turns)).toEqual([]);
  });

  it("comes again for a fall that goes on from where it was told of, after the pause", () => {
    const worse = [4, 5, 6, 7].map((i) => turn("customer", i * 30_000, { sentiment: -1 }));
    expect(rules([...falling, ...worse])).toEqual([
      ["sentiment_falling", 3],
      ["sentiment_falling", 5],
    ]);
    // Told of at once, and low ever since: no news.
    const low = [4, 5, 6, 7].map((i) => turn("customer", i * 100_000, { sentiment: -0.2 }));
    expect(rules([...falling, ...low])).toEqual([["sentiment_falling", 3]]);
  });
});

describe("long silence", () => {
  it("tells of a silence between two turns", () => {
    const { alerts } = alertsAt([timed("agent", 0, 10), timed("agent", 26, 30)]);
    expect(alerts).toEqual([
      {
        rule_id: "long_silence",
        severity: "low",
        text: "Nobody spoke for 16 s before turn 2 (expected at most 15 s). Say what you are doing while you look something up, and how long it takes.",
        evidence: [0, 1],
        expected: { measure: "longest_silence_ms", low: null, high: 15_000, source: "default", text: "at most 15 s" },
        observed: { value: 16_000, text: "16 s" },
      },
    ]);
    expect(alertsAt([timed("agent", 0, 10), timed("agent", 25.4, 30)]).alerts).toEqual([]);
    expect(alertsAt([timed("agent", 0, 10), timed("agent", 41, 50)]).alerts[0]?.severity).toBe("medium");
  });

  it("tells of a silence that goes on, times or not", () => {
    const turns = [turn("agent", 0), turn("customer", 4000)];
    expect(alertsAt(turns, 29_999).alerts).toEqual([]);
    expect(alertsAt(turns, 30_000).alerts).toEqual([
      {
        rule_id: "long_silence",
        severity: "low",
        text: "Nothing has been said for 30 s since turn 2 (expected less than 30 s). Say what you are doing, or ask whether the customer is still there.",
        evidence: [1],
        expected: { measure: "silence_ms", low: null, high: 30_000, source: "default", text: "less than 30 s" },
        observed: { value: 30_000, text: "30 s" },
      },
    ]);
    expect(alertsAt(turns, 61_000).alerts[0]?.severity).toBe("medium");
  });

  it("tells of one silence once, while it lasts and when it is over", () => {
    const turns = [timed("agent", 0, 10)];
    const first = alertsAt(turns, 30_000);
    expect(first.alerts).toHaveLength(1);
    expect(alertsAt(turns, 200_000, first.state).alerts).toEqual([]);
    expect(alertsAt([...turns, timed("customer", 130, 140)], 0, first.state).alerts).toEqual([]);
    expect(alertsAt([...turns, timed("customer", 130, 140)], 40_000, first.state).alerts).toHaveLength(1);
  });

  it("has nothing to point at before the first turn", () => {
    expect(nextAlerts(startLive("en"), NO_ALERTS, AT + 1e9).alerts).toEqual([]);
  });
});

describe("every alert", () => {
  // Long stretches, moods of all kinds, silences: something for each rule.
  const calls = fc
    .array(
      fc.record({
        speaker: fc.constantFrom<Speaker>("agent", "customer"),
        sentiment: fc.constantFrom(0.8, 0.2, -0.2, -0.9, null),
        pause: fc.constantFrom(0, 1, 5, 20, 50, 100),
        length: fc.constantFrom(1, 5, 40, 70, 130),
      }),
      { maxLength: 60, size: "max" },
    )
    .map((list) => {
      let clock = 0;
      return list.map(({ speaker, sentiment, pause, length }) => {
        const from = clock + pause;
        clock = from + length;
        return { ...timed(speaker, from, clock), sentiment };
      });
    });

  it("keeps the pause of its rule and the limit of the call", () => {
    const limits = { pause_ms: 90_000, most: 4 };
    fc.assert(
      fc.property(calls, (turns) => {
        const found = follow(turns, limits);
        expect(found.length).toBeLessThanOrEqual(limits.most);
        for (const rule of LIVE_RULES) {
          const times = found.filter((f) => f.alert.rule_id === rule).map((f) => f.at);
          times.slice(1).forEach((at, i) => expect(at - (times[i] ?? 0)).toBeGreaterThanOrEqual(limits.pause_ms));
        }
      }),
    );
  });

  it("is short, has evidence that has been said, and was outside of what is expected", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(calls, (turns) => {
        for (const { alert, turn: at } of follow(turns)) {
          seen.add(alert.rule_id);
          expect(alert.text.split(/\s+/).length).toBeLessThanOrEqual(NUDGE_WORDS);
          expect(alert.evidence.length).toBeGreaterThan(0);
          expect(new Set(alert.evidence).size).toBe(alert.evidence.length);
          for (const index of alert.evidence) expect(index >= 0 && index <= at).toBe(true);
          const value = alert.observed.value ?? Number.NaN;
          const { low, high } = alert.expected;
          expect((low !== null && value <= low) || (high !== null && value >= high)).toBe(true);
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    expect([...seen].toSorted()).toEqual(LIVE_RULES.toSorted());
  });

  it("is the same for the same state and time, and leaves both as they were", () => {
    fc.assert(
      fc.property(calls, (turns) => {
        const state = fromTurns("en", turns);
        const copy = structuredClone(state);
        expect(nextAlerts(state, NO_ALERTS, now(turns))).toEqual(nextAlerts(state, NO_ALERTS, now(turns)));
        expect(state).toEqual(copy);
        expect(NO_ALERTS).toEqual({ count: 0, last: {} });
      }),
    );
  });

  it("does not come where nothing is left to give", () => {
    const turns = [timed("agent", 0, 100)];
    expect(alertsAt(turns, 0, { count: ALERT_LIMITS.most, last: {} })).toEqual({
      alerts: [],
      state: { count: ALERT_LIMITS.most, last: {} },
    });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Speaker } from "../../src/core/call.ts";
import {
  addTurn,
  fromTurns,
  LIVE_MEASURE_NAMES,
  liveMeasures,
  type LiveState,
  type LiveTurn,
  startLive,
  TREND_FROM,
  trendOf,
} from "../../src/core/live-measures.ts";
import { measureCall } from "../../src/core/measure-call.ts";
import { nextLive } from "../../src/core/sentiment.ts";

const AT = Date.UTC(2026, 2, 2, 9, 30);

function turn(speaker: Speaker, text: string, more: Partial<LiveTurn> = {}): LiveTurn {
  return { speaker, text, start_ms: null, end_ms: null, sentiment: null, at: AT, ...more };
}
const timed = (speaker: Speaker, start_ms: number, end_ms: number, text = "some plain words"): LiveTurn =>
  turn(speaker, text, { start_ms, end_ms });

const measured = (turns: readonly LiveTurn[], language = "en") =>
  measureCall({
    turns: turns.map((t, i) => ({ ...t, turn_id: String(i) })),
    language,
    duration_seconds: null,
    turnSentiment: turns.map((t) => t.sentiment),
  }).measures;

/** What a live call and a stored one both have. */
const SHARED = [
  "agent_talk_ratio",
  "longest_monologue_seconds",
  "longest_monologue_words",
  "longest_silence_ms",
] as const;

const shared = (values: Readonly<Record<(typeof SHARED)[number], number | null>>) =>
  Object.fromEntries(SHARED.map((name) => [name, values[name]]));

// Backchannels, fillers, questions, turns without words: everything that the rules tell apart.
const texts = fc.constantFrom(
  "one two three four",
  "mhm",
  "yeah, right",
  "um, it was, like, huge, you know",
  "is that a question?",
  "yes",
  "…",
  "",
  "a much longer turn with a good many words in it, so that it stands out from the others",
);
/** Without -0, which JSON does not have. */
const feeling = fc.double({ min: -1, max: 1, noNaN: true }).map((value) => value + 0);
const sentiment = fc.option(feeling, { nil: null });
const speaker = fc.constantFrom<Speaker>("agent", "customer");
const spoken = fc.record({ speaker, text: texts, sentiment });

/** Turns whose starts are in order, as a transcript has them; some overlap, some follow a pause. */
const timedTurns = fc
  .array(fc.tuple(spoken, fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 9000 })), { maxLength: 30 })
  .map((list) => {
    let start = 0;
    return list.map(([t, step, length]) => {
      start += step;
      return turn(t.speaker, t.text, { sentiment: t.sentiment, start_ms: start, end_ms: start + length });
    });
  });
const untimedTurns = fc
  .array(spoken, { maxLength: 30 })
  .map((list) => list.map((t) => turn(t.speaker, t.text, { sentiment: t.sentiment })));

describe("live measures", () => {
  it("has nothing to say before the first turn", () => {
    const none = Object.fromEntries(LIVE_MEASURE_NAMES.map((name) => [name, null]));
    expect(liveMeasures(startLive("en"), AT)).toEqual(none);
  });

  it("moves with the customer's turns that have a sentiment, and with no other", () => {
    const state = fromTurns("en", [
      turn("agent", "Hello, how are things?", { sentiment: 0.9 }),
      turn("customer", "Not good.", { sentiment: -0.5 }),
      turn("customer", "…"),
      turn("customer", "It is late again.", { sentiment: -0.7 }),
    ]);
    // −0.5, then −0.5 + 0.3 × −0.2; the slower one is −0.5 + 0.1 × −0.2.
    const measures = liveMeasures(state, AT);
    expect(measures).toMatchObject({ live_sentiment: expect.closeTo(-0.56, 9), trend: "steady" });
    expect(state.recent.map((r) => r.turn)).toEqual([1, 3]);
    expect(liveMeasures(fromTurns("en", [turn("agent", "Hello.", { sentiment: 0.9 })]), AT)).toMatchObject({
      live_sentiment: null,
      trend: null,
    });
  });

  it("takes its weight from the start of the call", () => {
    const turns = [0, 1].map((value) => turn("customer", "So it is.", { sentiment: value }));
    expect([0.1, 0.5, 1].map((alpha) => fromTurns("en", turns, alpha).sentiment?.average)).toEqual([0.1, 0.5, 1]);
  });

  it("calls a trend from its threshold on", () => {
    const trends = [TREND_FROM, TREND_FROM - 1e-9, 0, 1e-9 - TREND_FROM, -TREND_FROM].map((trend) =>
      trendOf({ trend }),
    );
    expect(trends).toEqual(["rising", "steady", "steady", "steady", "falling"]);
  });

  it("counts the silence since the last turn with words", () => {
    const state = fromTurns("en", [turn("agent", "One moment."), turn("agent", "…", { at: AT + 5000 })]);
    expect(liveMeasures(state, AT + 9000).silence_ms).toBe(9000);
    // Another clock may be behind.
    expect(liveMeasures(state, AT - 1).silence_ms).toBe(0);
  });

  it("goes on by words once a turn has no times", () => {
    const first = [timed("agent", 0, 60_000), timed("customer", 90_000, 91_000)];
    expect(liveMeasures(fromTurns("en", first), AT)).toMatchObject({
      longest_monologue_seconds: 60,
      longest_silence_ms: 30_000,
    });
    expect(liveMeasures(fromTurns("en", [...first, turn("agent", "no times here")]), AT)).toMatchObject({
      longest_monologue_seconds: null,
      longest_monologue_words: 3,
      longest_silence_ms: null,
    });
  });

  it("measures what a stored call is measured by", () => {
    fc.assert(
      fc.property(fc.oneof(timedTurns, untimedTurns), fc.constantFrom("en", "de"), (turns, language) => {
        const live = liveMeasures(fromTurns(language, turns), AT);
        expect(shared(live)).toEqual(shared(measured(turns, language)));
      }),
      { numRuns: 1000 },
    );
  });

  it("goes on from what was stored, with the same numbers as from all turns", () => {
    fc.assert(
      fc.property(timedTurns, fc.double({ min: 0.01, max: 1, noNaN: true }), (turns, alpha) => {
        let state = startLive("en", alpha);
        for (const t of turns) state = addTurn(JSON.parse(JSON.stringify(state)) as LiveState, t);
        expect(state).toEqual(fromTurns("en", turns, alpha));
        const felt = turns.flatMap((t) => (t.speaker === "customer" && t.sentiment !== null ? [t.sentiment] : []));
        const average = felt.reduce<ReturnType<typeof nextLive> | null>((s, v) => nextLive(s, v, alpha), null);
        expect(state.sentiment).toEqual(average);
      }),
    );
  });

  it("leaves the state before as it was", () => {
    const before = fromTurns("en", [timed("agent", 0, 1000), timed("customer", 5000, 6000)]);
    const copy = structuredClone(before);
    addTurn(before, { ...timed("agent", 7000, 8000), sentiment: 0.1 });
    addTurn(before, { ...timed("customer", 7000, 8000), sentiment: 0.1 });
    expect(before).toEqual(copy);
  });

  it("stays small however long the call is", () => {
    const turns = Array.from({ length: 2000 }, (_, i) =>
      turn(i % 40 < 30 ? "agent" : "customer", "one two three four five", {
        start_ms: i * 1000,
        end_ms: i * 1000 + 900,
        sentiment: Math.sin(i),
      }),
    );
    expect(JSON.stringify(fromTurns("en", turns)).length).toBeLessThan(2000);
  });

  it("reads no turn but the one that comes", () => {
    let reads = 0;
    const counting = (i: number): LiveTurn => ({
      ...turn(i % 3 ? "agent" : "customer", ""),
      get text() {
        reads++;
        return "a plain turn of some words";
      },
    });
    const readsOf = (state: LiveState, i: number): [LiveState, number] => {
      reads = 0;
      return [addTurn(state, counting(i)), reads];
    };
    let state = startLive("en");
    const counts = new Set<number>();
    for (let i = 0; i < 500; i++) {
      const [next, read] = readsOf(state, i);
      state = next;
      counts.add(read);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });
});

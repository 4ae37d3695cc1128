import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Speaker, Turn } from "../../src/core/call.ts";
import { DEFINITIONS } from "../../src/core/definitions.ts";
import { type CallToMeasure, measureCall } from "../../src/core/measure-call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../src/core/measures.ts";
import { interruptions, longestStretch } from "../../src/core/talk.ts";
import { prepareSpeech } from "../../src/core/speech.ts";

/** "a hello" or "c 1000-2000 hello": speaker, times, words. */
function turn(line: string, i: number): Turn {
  const [, who, start, end, text] = /^([ac]) (?:(\d+)-(\d+) )?(.*)$/.exec(line) ?? [];
  return {
    turn_id: `t${i + 1}`,
    speaker: who === "a" ? "agent" : "customer",
    text: text ?? "",
    start_ms: start === undefined ? null : Number(start),
    end_ms: end === undefined ? null : Number(end),
  };
}
function call(lines: readonly string[], more: Partial<CallToMeasure> = {}): CallToMeasure {
  const turns = lines.map(turn);
  return { turns, language: "en", duration_seconds: null, turnSentiment: turns.map(() => null), ...more };
}
const speech = (lines: readonly string[]) => prepareSpeech(call(lines));

const cuts = (lines: readonly string[]) => interruptions(speech(lines)).map((x) => [x.turn, x.over, x.ms]);
const other = (s: Speaker): Speaker => (s === "agent" ? "customer" : "agent");

/** The reason of a measure that must be null. */
const reasonOf = (name: MeasureName, lines: string[], more: Partial<CallToMeasure> = {}) => {
  const { measures, reasons } = measureCall(call(lines, more));
  expect(measures[name]).toBeNull();
  return reasons[name];
};

/** Counts accesses, not time: linear work reads each turn's text equally often in short and long calls. */
const readsPerTurn = (n: number): number => {
  let reads = 0;
  const turns = Array.from({ length: n }, (_, i): Turn => {
    const base = turn(`${i % 2 ? "a" : "c"} ${i * 1000}-${i * 1000 + 900} what is the price of this one?`, i);
    return {
      ...base,
      get text() {
        reads++;
        return base.text;
      },
    };
  });
  measureCall({ turns, language: "en", duration_seconds: null, turnSentiment: turns.map(() => 0.1) });
  return reads / n;
};

describe("talk by words", () => {
  it("leaves fillers out of the ratio", () => {
    // agent: "so we offer three plans" 5 + nothing; customer: "it was huge" 3 of 7 words.
    const { measures } = measureCall(call(["a Um, so we offer three plans, you know.", "c It was, like, uh, huge."]));
    expect(measures).toMatchObject({
      agent_talk_ratio: 5 / 8,
      agent_words: 5,
      customer_words: 3,
      agent_fillers: 2,
      customer_fillers: 2,
    });
  });

  it("keeps what only looks like a filler", () => {
    const { measures } = measureCall(call(["a Do you know what kind of plan you like?"]));
    expect(measures).toMatchObject({ agent_words: 9, agent_fillers: 0, agent_talk_ratio: 1, customer_words: 0 });
  });

  it("finds the longest stretch across backchannels, in words without timings", () => {
    const lines = ["a one two three", "c mhm, right", "a four five", "c no wait", "a six seven eight nine"];
    expect(longestStretch(speech(lines), "agent", "words")).toEqual({ turns: [0, 2], words: 5, seconds: null });
    expect(measureCall(call(lines)).measures).toMatchObject({
      longest_monologue_words: 5,
      longest_monologue_seconds: null,
      longest_customer_story_words: 2,
    });
  });

  it("takes yes after a question as an answer", () => {
    const lines = ["a one two three, right?", "c yes", "a four five"];
    expect(longestStretch(speech(lines), "agent", "words")?.turns).toEqual([0]);
  });
});

describe("talk by time", () => {
  // 0    10    20    30
  // aaaaaa····caaa·····
  const lines = [
    "a 0-10000 we have a plan for you today",
    "c 9000-14000 but wait what about the price here",
    "a 13800-20000 it is ten a month",
    "c 25000-30000 that is fine with me",
  ];

  it("counts talk, silence, interruptions and speed", () => {
    const { measures, reasons } = measureCall(call(lines, { duration_seconds: 40 }));
    expect(measures).toMatchObject({
      agent_talk_time_ms: 16_200,
      customer_talk_time_ms: 10_000,
      talk_ratio_speech: 16_200 / 26_200,
      talk_ratio_call: 16.2 / 40,
      non_talk_ms: 5000,
      longest_silence_ms: 5000,
      silence_count: 1,
      // The customer cuts in for 1 s; the agent's 200 ms are under the limit.
      customer_interruptions: 1,
      customer_interruption_ms: 1000,
      agent_interruptions: 0,
      agent_interruption_ms: 0,
      agent_words_per_minute: 12 / (16_200 / 60_000),
      customer_words_per_minute: 12 / (10 / 60),
      longest_monologue_seconds: 10,
      longest_monologue_words: 7,
      longest_customer_story_seconds: 5,
      patience_ms: 0,
      interactivity: (3 * 300) / 40,
    });
    expect(reasons.agent_talk_ratio).toBeUndefined();
  });

  it("knows no backchannel, simultaneous start or going on as an interruption", () => {
    expect(cuts(["a 0-5000 one two three four", "c 2000-2800 mhm right"])).toEqual([]);
    expect(cuts(["a 0-5000 one two three four", "c 2000-2800 no stop"])).toEqual([[1, 0, 800]]);
    expect(cuts(["a 0-5000 one two three four", "c 2000-2299 no stop"])).toEqual([]);
    expect(cuts(["a 0-5000 one two three", "c 0-2000 no stop"])).toEqual([]);
    expect(cuts(["a 0-5000 one two", "c 3000-7000 no stop please", "a 5000-8000 three four"])).toEqual([[1, 0, 2000]]);
  });

  it("ends a monologue on a pause of three seconds", () => {
    const { measures } = measureCall(
      call(["a 0-4000 one two", "a 6000-8000 three", "a 11000-12000 four", "c 12500-13000 fine then"]),
    );
    expect(measures).toMatchObject({ longest_monologue_seconds: 8, longest_monologue_words: 3 });
  });

  it("takes the median and 90th percentile of the gaps to the agent's answers", () => {
    const gaps = [0, 500, 1000, 2000];
    const talk = gaps.flatMap((gap, i) => [
      `c ${i * 10_000}-${i * 10_000 + 2000} the customer says this`,
      `a ${i * 10_000 + 2000 + gap}-${i * 10_000 + 5000} the agent answers`,
    ]);
    const { measures } = measureCall(call(talk));
    expect(measures.patience_ms).toBe(750);
    // Rank 0.9 × 3 = 2.7: 1000 + 0.7 × 1000.
    expect(measures.patience_p90_ms).toBeCloseTo(1700);
  });

  it("orders turns by start", () => {
    const sorted = measureCall(call(lines));
    const shuffled = measureCall(call([2, 0, 3, 1].map((i) => lines[i] as string)));
    expect(shuffled.measures).toEqual(sorted.measures);
  });
});

describe("questions", () => {
  it("counts questions, open ones and rates", () => {
    const { measures } = measureCall(
      call(
        [
          "a How are you? What brought you here today? Do you use a tool? Tell me about your team.",
          "c We like ours. Right? How much is yours",
        ],
        { duration_seconds: 600 },
      ),
    );
    expect(measures).toMatchObject({
      agent_questions: 4,
      agent_open_question_share: 0.5,
      agent_question_rate: 24,
      customer_questions: 1,
      customer_open_question_share: 0,
      customer_question_rate: 6,
    });
  });
});

describe("sentiment", () => {
  it("weighs turns by words, and splits the call by words without timings", () => {
    // Twelve words of equal share: each turn is a quarter.
    const { measures, reasons } = measureCall(
      call(["c a b c", "a a b c", "c a b c", "c a b c"], { turnSentiment: [-0.8, 0.1, 0.2, 0.6] }),
    );
    expect(measures.customer_sentiment_score).toBeCloseTo(0);
    expect(measures.agent_sentiment_score).toBeCloseTo(0.1);
    expect(measures).toMatchObject({
      customer_sentiment_q1: -0.8,
      customer_sentiment_q3: 0.2,
      customer_sentiment_q4: 0.6,
    });
    expect(measures.customer_sentiment_q2).toBeNull();
    expect(reasons.customer_sentiment_q2).toBe("no customer words in quarter 2");
    // First third: turn 1 (a third of the call is 4 words, 3 of them hers). Last third: 1 word at 0.2, 3 at 0.6.
    expect(measures.sentiment_change).toBeCloseTo((0.2 + 3 * 0.6) / 4 + 0.8);
  });

  it("weighs by words, not by turns", () => {
    const { measures } = measureCall(call(["c one", "c one two three"], { turnSentiment: [-1, 1] }));
    expect(measures.customer_sentiment_score).toBeCloseTo(0.5);
  });

  it("splits by time where all turns are timed", () => {
    const { measures } = measureCall(
      call(["c 0-1000 a b c d e f g h", "c 7000-8000 a"], { turnSentiment: [-0.5, 0.5] }),
    );
    expect(measures).toMatchObject({
      customer_sentiment_q1: -0.5,
      customer_sentiment_q2: null,
      customer_sentiment_q4: 0.5,
      sentiment_change: 1,
    });
  });
});

describe("reasons", () => {
  it("says why a measure is missing", () => {
    expect(reasonOf("customer_sentiment_score", ["a hello"])).toBe("no customer words");
    expect(reasonOf("customer_sentiment_score", ["c hello"])).toBe("no sentiment");
    expect(reasonOf("agent_words_per_minute", ["c 0-1 hello"])).toBe("no agent words");
    expect(reasonOf("agent_words_per_minute", ["a hello"])).toBe("no timings");
    expect(reasonOf("agent_words_per_minute", ["a 5-5 hello"])).toBe("no talk time");
    expect(reasonOf("agent_words_per_minute", ["a 5-1004 hello"])).toBe("no talk time");
    expect(reasonOf("interactivity", ["a hello"], { duration_seconds: 0.999 })).toBe("no duration");
    expect(reasonOf("agent_question_rate", ["a hello?"], { duration_seconds: 1e-200 })).toBe("no duration");
    expect(reasonOf("patience_ms", ["a hello", "c 0-1 hi"])).toBe("incomplete timings");
    expect(reasonOf("patience_ms", ["a 0-1 hello"])).toBe("no agent turn after a customer turn");
    expect(reasonOf("agent_talk_ratio", ["a hallo"], { language: "de" })).toBe("unsupported language");
    expect(reasonOf("agent_talk_ratio", ["a um"])).toBe("no words");
    expect(reasonOf("agent_talk_ratio", [])).toBe("no words");
    expect(reasonOf("interactivity", ["a hello"])).toBe("no duration");
    expect(reasonOf("agent_open_question_share", ["a hello"])).toBe("no agent questions");
    expect(reasonOf("sentiment_change", ["a one two three", "c one"], { turnSentiment: [0, 1] })).toBe(
      "no customer words in the first third",
    );
    const starts = call(["a hello there"]).turns.map((t) => Object.assign({}, t, { start_ms: 5000 }));
    expect(reasonOf("agent_talk_time_ms", [], { turns: starts })).toBe("no end times");
  });

  it("measures what needs no English in other languages", () => {
    const { measures } = measureCall(call(["a 0-1000 guten Tag", "c 1500-2500 hallo"], { language: "de-DE" }));
    expect(measures).toMatchObject({ talk_ratio_speech: 0.5, patience_ms: null, agent_questions: null });
    expect(measureCall(call(["a hi"], { language: "en-US" })).measures.agent_talk_ratio).toBe(1);
  });
});

describe("properties", () => {
  const text = fc
    .array(
      fc.constantFrom("um", "you", "know", "price", "why", "do", "right", "mhm", "?", ",", ".", "the", "yes", "…"),
      {
        maxLength: 12,
      },
    )
    .map((w) => w.join(" "));
  const side = fc.constantFrom<Speaker>("agent", "customer");
  const draft = fc.record({
    speaker: side,
    text,
    sentiment: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
    gap: fc.integer({ min: -3000, max: 6000 }),
    length: fc.integer({ min: 0, max: 20_000 }),
  });
  const calls = fc
    .record({ drafts: fc.array(draft, { maxLength: 25 }), timed: fc.boolean(), seconds: fc.option(fc.nat(600)) })
    .map(({ drafts, timed, seconds }): CallToMeasure => {
      let clock = 0;
      const turns = drafts.map(({ speaker, text, gap, length }, i): Turn => {
        const start = Math.max(0, clock + gap);
        clock = start + length;
        return { turn_id: `t${i}`, speaker, text, start_ms: timed ? start : null, end_ms: timed ? clock : null };
      });
      return { turns, language: "en", duration_seconds: seconds, turnSentiment: drafts.map((d) => d.sentiment) };
    });

  it("keeps every value in the range of its definition, and every null has its reason", () => {
    fc.assert(
      fc.property(calls, (c) => {
        const { measures, reasons } = measureCall(c);
        for (const name of MEASURE_NAMES) {
          const value = measures[name];
          expect(value === null).toBe(reasons[name] !== undefined);
          if (value === null) continue;
          const [low, high] = DEFINITIONS[name].range;
          expect(value, name).toBeGreaterThanOrEqual(low);
          expect(value, name).toBeLessThanOrEqual(high ?? Number.MAX_VALUE);
        }
      }),
    );
  });

  it("swaps the sides with the speakers", () => {
    fc.assert(
      fc.property(calls, (c) => {
        const a = measureCall(c).measures;
        const b = measureCall({ ...c, turns: c.turns.map((t) => ({ ...t, speaker: other(t.speaker) })) }).measures;
        for (const ratio of ["agent_talk_ratio", "talk_ratio_speech"] as const) {
          if (a[ratio] === null) expect(b[ratio]).toBeNull();
          else expect(a[ratio] + (b[ratio] ?? Number.NaN)).toBeCloseTo(1);
        }
        for (const name of MEASURE_NAMES.filter((n) => n.startsWith("agent_") && n !== "agent_talk_ratio")) {
          expect(a[name], name).toBe(b[name.replace("agent_", "customer_") as MeasureName]);
        }
        expect(a.longest_monologue_words).toBe(b.longest_customer_story_words);
        expect(a.non_talk_ms).toBe(b.non_talk_ms);
        expect(a.interactivity).toBe(b.interactivity);
      }),
    );
  });

  it("does not care whether one speech is one turn or two", () => {
    fc.assert(
      fc.property(calls, (c) => {
        const untimed = c.turns.map((t) => ({ ...t, start_ms: null, end_ms: null }));
        const merged: Turn[] = [];
        for (const t of untimed) {
          const last = merged.at(-1);
          if (last?.speaker === t.speaker) merged[merged.length - 1] = { ...last, text: `${last.text}. ${t.text}` };
          else merged.push(t);
        }
        const a = measureCall({ ...c, turns: untimed, turnSentiment: untimed.map(() => 0.5) }).measures;
        const b = measureCall({ ...c, turns: merged, turnSentiment: merged.map(() => 0.5) }).measures;
        const same: MeasureName[] = ["agent_talk_ratio", "agent_words", "customer_words", "customer_sentiment_score"];
        for (const name of same) {
          if (a[name] === null) expect(b[name], name).toBeNull();
          else expect(b[name], name).toBeCloseTo(a[name]);
        }
      }),
    );
  });

  it("reads every text a fixed number of times, however many turns there are", () => {
    expect(readsPerTurn(20_000)).toBeLessThanOrEqual(readsPerTurn(10));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Turn } from "../../src/core/call.ts";
import { coach, NUDGE_WORDS } from "../../src/core/coach.ts";
import type { TeamRanges } from "../../src/core/coach-scene.ts";
import { measureCall } from "../../src/core/measure-call.ts";
import { parseTranscript } from "../../src/core/transcript.ts";

function turnsOf(text: string): Turn[] {
  const parsed = parseTranscript(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.turns;
}

function coachTurns(
  turns: readonly Turn[],
  more: { sentiment?: readonly (number | null)[]; language?: string; expected?: TeamRanges; seconds?: number } = {},
) {
  const turnSentiment = more.sentiment ?? turns.map(() => 0.1);
  const call = { turns, language: more.language ?? "en", duration_seconds: more.seconds ?? null, turnSentiment };
  const { measures } = measureCall(call);
  return coach({ ...call, measures, ...(more.expected && { expected: more.expected }) });
}
const nudges = (text: string, more = {}) => coachTurns(turnsOf(text), more).nudges;
const rules = (text: string, more = {}) => nudges(text, more).map((n) => `${n.severity} ${n.rule_id}`);

const PUSHY = `Agent: Hello, I want to tell you about our panels. They are the best and cost only $12,000, installed in two weeks, with twenty years of guarantee on every panel and every inverter that you get from us today.
Customer: Okay.
Agent: Everybody on your street will have them soon, so decide today, because this offer will not come back, I promise you that.
Customer: That is too expensive for us right now.
Agent: Well, the app is beautiful. The colours are nice and the installers are friendly.
Customer: I do not like being pushed. Goodbye.`;

const GOOD = `Agent: Hi Dana, thanks for taking the time. What made you look at a new phone system?
Customer: Our current one drops calls every few days, and the team is tired of apologising. We lost two customers last month because nobody could get through to us.
Agent: I understand. How does your team handle it today?
Customer: They write numbers down and call back from their own mobiles, which is embarrassing.
Agent: What would change if the calls simply went through?
Customer: We would save ten hours a week, and I could sleep again.
Agent: Would you like to see it with your own numbers?
Customer: Yes, that would be great.
Agent: I'll send you an invite for Thursday at 10 with your team leads.
Customer: Thursday works. This was really helpful, thank you.`;

const objecting = (answer: string) =>
  `Agent: Hello there.\nCustomer: It is too expensive.\nAgent: ${answer}\nCustomer: Fine.`;
const ending = (end: string) =>
  `Agent: Do you use it?\nCustomer: Yes, every day at work.\nAgent: ${end}\nCustomer: Bye now.`;
const clock = (s: number) => `${String(Math.floor(s / 60)).padStart(2, "0")}:${String(s % 60).padStart(2, "0")}`;

const said = (text: string) => rules(`Agent: Hello there.\nCustomer: ${text}\nAgent: The view is nice.`).join();
const pausedLine = (i: number, gap: number) =>
  `[00:${String(i * 8).padStart(2, "0")}.000-00:${String(i * 8 + 3).padStart(2, "0")}.000] Customer: we tried the other one\n` +
  `[00:${String(i * 8 + 3).padStart(2, "0")}.${gap}-00:${String(i * 8 + 7).padStart(2, "0")}.000] Agent: what did it do for your team?`;
const paused = (gap: number) => Array.from({ length: 6 }, (_, i) => pausedLine(i, gap)).join("\n");
const patient = (low: number) => ({ expected: { patience_ms: { low, high: 1_000 } } });
const answering = (answer: string) =>
  nudges(
    `Agent: Hi. What would you give?\nCustomer: ${answer}\nAgent: I'll send you a mail on Monday.\nCustomer: Bye.`,
    {
      sentiment: [0.1, 0.8, 0.1, 0],
    },
  ).map((n) => n.rule_id);

describe("coach", () => {
  it("names what hurts most in a pushy call, with the turns that show it", () => {
    const found = nudges(PUSHY, { sentiment: [0.2, 0, 0.1, -0.3, 0.3, -0.6] });
    expect(found.map((n) => n.rule_id)).toEqual(["unanswered_objection", "sentiment_ending", "questions"]);
    expect(found[0]).toMatchObject({ severity: "high", evidence: ["t4", "t5"] });
    expect(found[0]?.text).toContain("price objection in turn 4");
    expect(found[1]).toMatchObject({ severity: "high", evidence: ["t6", "t5"] });
    expect(found[1]?.text).toContain("lowest in turn 6 (−0.60)");
    expect(found[1]?.expected.source).toBe("default");
    // The "Okay." between them takes no floor: turns 1 and 3 are one run.
    expect(found[2]).toMatchObject({ evidence: ["t1", "t3"], observed: { value: 0, text: "0 questions" } });
  });

  it("names strengths with their evidence where there is nothing to mend", () => {
    const found = nudges(GOOD, { sentiment: [0.3, -0.5, 0.1, -0.3, 0, 0.4, 0.1, 0.7, 0.1, 0.8] });
    expect(found.map((n) => `${n.severity} ${n.rule_id}`)).toEqual([
      "strength mood_rose",
      "strength clear_next_step",
      "strength good_question",
    ]);
    expect(found.map((n) => n.evidence)).toEqual([["t10", "t9"], ["t9"], ["t1", "t2"]]);
  });

  it("praises nobody for a refusal, however long or polite", () => {
    const long =
      "because there are many good causes that I know well and have helped for years with time and with money too";
    for (const no of ["I am not going to give anything", "I won't be donating", "No thanks"])
      for (const praise of ["good_question", "customer_story", "best_moment", "mood_rose"])
        expect(answering(`${no}, ${long}.`)).not.toContain(praise);
    expect(answering(`A day of my time, ${long}.`)).toEqual(["clear_next_step", "good_question", "customer_story"]);
  });

  it("takes an objection as met when the answer acknowledges, asks or takes it up", () => {
    expect(rules(objecting("Our office has a nice view."))).toContain("high unanswered_objection");
    for (const answer of ["I hear you on that.", "Compared with what?", "There is a smaller plan."]) {
      expect(rules(objecting(answer)).join()).not.toContain("unanswered");
    }
  });

  it("tells a customer's own price objection from one about others", () => {
    expect(said("That is too much money.")).toContain("unanswered_objection");
    expect(said("They spend too much money on advertising.")).not.toContain("unanswered_objection");
    expect(nudges("Agent: Hi.\nCustomer: I've been burned before.\nAgent: The view is nice.")[0]?.text).toContain(
      "trust",
    );
  });

  it("sees a price named before any question about needs, unless the customer asked for it", () => {
    const rest =
      "\nCustomer: I see.\nAgent: What do you need?\nCustomer: A phone.\nAgent: I'll send you the offer.\nCustomer: Ok.";
    const early = nudges(`Agent: It is $20 per month.${rest}`, { sentiment: Array(6).fill(0) });
    expect(early.find((n) => n.rule_id === "price_before_need")).toMatchObject({ evidence: ["t1", "t3"] });
    expect(rules(`Customer: How much is it?\nAgent: It is $20 per month.${rest}`).join()).not.toContain("price_before");
    expect(
      rules(`Agent: What do you need?\nCustomer: A phone.\nAgent: It is $20 per month.${rest}`).join(),
    ).not.toContain("price_before");
  });

  it("tells a missing next step from an agreed one", () => {
    expect(rules(ending("Nice talking to you."))).toContain("medium missing_next_step");
    expect(rules(ending("I'll send you the contract tomorrow."))).toContain("strength clear_next_step");
    // A brush-off commits nobody; a day makes it a step.
    const brushedOff = ending("Okay, I'll send you some information and you have a think.");
    expect(rules(brushedOff)).toContain("medium missing_next_step");
    expect(rules(ending("I'll send you a brochure and call you on Monday."))).toContain("strength clear_next_step");
    const agreed = nudges(
      "Agent: Hello.\nCustomer: Hi.\nAgent: Would you like one?\nCustomer: I'll take it.\nAgent: Great.\nCustomer: Bye now.",
    );
    expect(agreed.find((n) => n.rule_id === "missing_next_step")).toMatchObject({ evidence: ["t4", "t5", "t6"] });
    // The condition of one sentence says nothing of the next; and who is cut off at the yes cannot have answered it.
    const last = nudges(
      "Agent: Hello.\nCustomer: Hi.\nAgent: Would you like one?\nCustomer: It adds up if others do it too. I'll take it.",
    );
    expect(last.find((n) => n.rule_id === "missing_next_step")?.text).toContain("in turn 4, where the transcript ends");
  });

  it("measures by the team's range where there is one, and says so", () => {
    const more = { expected: { agent_talk_ratio: { low: 0.1, high: 0.2 } }, sentiment: Array(10).fill(0.1) };
    const talk = nudges(GOOD, more).find((n) => n.rule_id === "talk_ratio");
    expect(talk?.expected).toMatchObject({ source: "team", low: 0.1, high: 0.2, text: "10% to 20%" });
    expect(rules(GOOD, { sentiment: more.sentiment }).join()).not.toContain("talk_ratio");
  });

  it("never holds a call's mood against calls that were chosen for their mood", () => {
    const happy = { customer_sentiment_q4: { low: 0.3, high: 0.9 }, sentiment_change: { low: 0.2, high: 0.9 } };
    const even = { sentiment: Array(10).fill(0.1) };
    expect(rules(GOOD, { ...even, expected: happy })).toEqual(rules(GOOD, even));
    const sad = nudges(GOOD, { sentiment: Array(10).fill(-0.4), expected: happy });
    expect(sad.find((n) => n.rule_id === "sentiment_ending")?.expected).toMatchObject({ source: "default", low: -0.1 });
  });

  it("shows no difference that its own figures do not show, and no ordinary pause as a fault", () => {
    expect(rules(paused(580), patient(620)).join()).not.toContain("patience");
    expect(rules(paused(480), patient(620))).toContain("low patience");
    expect(rules(paused(180), patient(620))).toContain("medium patience");
  });

  it("shows interruptions, haste and monologues of timed calls", () => {
    const cuts = Array.from({ length: 6 }, (_, i) => {
      const at = i * 20;
      return `[${clock(at)}-${clock(at + 10)}] Customer: and then we tried the other one\n[${clock(at + 9)}-${clock(at + 19)}] Agent: what did it do for your team?`;
    });
    const hasty = nudges(`${cuts.join("\n")}\n[03:00-07:00] Agent: I'll send you the details tomorrow`);
    expect(hasty.map((n) => n.rule_id)).toEqual(["interruptions", "monologue", "short_answers"]);
    expect(hasty[0]).toMatchObject({ observed: { value: 6 }, evidence: ["t1", "t2", "t4", "t6", "t8", "t10"] });
    expect(hasty[1]).toMatchObject({ observed: { text: "240 seconds" }, evidence: ["t13"] });
  });

  it("finds three things in a call of one side, two words, or another language; none without words", () => {
    expect(rules("Agent: Hello, please call me back.")[0]).toBe("high one_sided");
    expect(rules("Customer: Hi")).toEqual(["high one_sided", "low last_word", "strength longest_answer"]);
    expect(rules("Agent: Hallo.\nCustomer: Guten Tag.", { language: "de" })).toHaveLength(3);
    const empty: Turn = { turn_id: "t1", speaker: "agent", text: "…", start_ms: null, end_ms: null };
    expect(coachTurns([empty])).toEqual({ nudges: [], reason: "the call has no words" });
    expect(coachTurns([])).toEqual({ nudges: [], reason: "the call has no words" });
  });
});

it("reads hostile text in linear time", () => {
  // Each of these is quadratic for a careless pattern: minutes, not milliseconds, so the test's own limit finds it.
  for (const text of ["1,", "you know ", "a' ", "call ", "$ ", "would you ", "? ", "like, "]) {
    const long = `a${text.repeat(200_000 / text.length)}b`;
    const turns = (["agent", "customer", "agent"] as const).map(
      (speaker, i): Turn => ({ turn_id: `t${i}`, speaker, text: long, start_ms: null, end_ms: null }),
    );
    expect(coachTurns(turns).nudges).toHaveLength(3);
  }
});

describe("any call", () => {
  const phrase = fc.constantFrom(
    "um",
    "you know",
    "It costs $20 per month.",
    "That is too expensive.",
    "I need to talk to my boss.",
    "What do you need?",
    "How are you?",
    "I'll send you the contract tomorrow.",
    "No thanks.",
    "mhm",
    "I understand.",
    "Hello!",
    "…",
    "We already use another tool and it is fine for the twelve people here.",
    "I'll take it.",
  );
  const turn = fc.record({
    speaker: fc.constantFrom("agent" as const, "customer" as const),
    text: fc.oneof(
      fc.array(phrase, { maxLength: 6 }).map((p) => p.join(" ")),
      fc.string(),
    ),
    sentiment: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
    gap: fc.integer({ min: -5000, max: 30_000 }),
    length: fc.integer({ min: 0, max: 300_000 }),
  });
  const call = fc.record({
    drafts: fc.array(turn, { minLength: 1, maxLength: 24 }),
    timed: fc.boolean(),
    language: fc.constantFrom("en", "de"),
  });

  it("gets exactly three grounded nudges of at most 40 words, the same ones every time", () => {
    fc.assert(
      fc.property(call, ({ drafts, timed, language }) => {
        let clock = 0;
        const turns = drafts.map((d, i): Turn => {
          const start = Math.max(0, clock + d.gap);
          clock = start + d.length;
          const times = { start_ms: timed ? start : null, end_ms: timed ? clock : null };
          return { turn_id: `id ${i}`, speaker: d.speaker, text: d.text, ...times };
        });
        const sentiment = drafts.map((d) => d.sentiment);
        const first = coachTurns(turns, { sentiment, language });
        expect(coachTurns(structuredClone(turns), { sentiment, language })).toEqual(first);
        if (!/[\p{L}\p{N}]/u.test(drafts.map((d) => d.text).join(""))) {
          expect(first).toEqual({ nudges: [], reason: "the call has no words" });
          return;
        }
        expect(first.nudges).toHaveLength(3);
        expect(new Set(first.nudges.map((n) => n.rule_id)).size).toBe(3);
        const ids = new Set(turns.map((t) => t.turn_id));
        for (const n of first.nudges) {
          expect(n.text.split(/\s+/).length, n.text).toBeLessThanOrEqual(NUDGE_WORDS);
          expect(n.text).not.toMatch(/undefined|null|NaN|Infinity/);
          expect(n.evidence.length).toBeGreaterThan(0);
          expect(n.evidence.every((id) => ids.has(id))).toBe(true);
          expect(n.expected.text).not.toBe("");
          expect(n.observed.text).not.toBe("");
        }
      }),
      { numRuns: 300 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { generateDemo } from "../../src/demo/generate.ts";
import { expand, tidy } from "../../src/demo/grammar.ts";
import { random } from "../../src/demo/random.ts";
import { DEMO_AGENTS, TOPICS } from "../../src/demo/world.ts";
import { normalizeCall } from "../../src/services/accept.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const demo = generateDemo({ seed: 1, now: NOW });
const count = (text: string): number => text.split(/\s+/).length;

function checked(): {
  call: (typeof demo)[number];
  turns: readonly { speaker: string; text: string; start_ms: number | null; end_ms: number | null }[];
}[] {
  return demo.map((call) => {
    const result = normalizeCall(call.call, { now: NOW });
    if (!result.ok) throw new Error(`${call.call.call_id}: ${JSON.stringify(result.errors)}`);
    return { call, turns: result.call.turns };
  });
}

function profile(skilled: boolean): Record<string, number> {
  const group = checked().filter(({ call }) => call.truth.agent_skill > 0.65 === skilled);
  const words = (who: string): number =>
    group
      .flatMap((c) => c.turns)
      .filter((t) => t.speaker === who)
      .reduce((n, t) => n + count(t.text), 0);
  const mean = (value: (d: (typeof demo)[number]) => number): number =>
    group.reduce((sum, { call }) => sum + value(call), 0) / group.length;
  return {
    talk: words("agent") / (words("agent") + words("customer")),
    questions: mean((d) => d.truth.open_questions),
    next: mean((d) => (d.truth.events.includes("next_step_agreed") ? 1 : 0)),
    early: mean((d) => (d.truth.events.includes("price_before_need") ? 1 : 0)),
    interruptions: mean((d) => d.truth.interruptions),
    mood: mean((d) => d.truth.intended_sentiment),
  };
}

describe("the demo's calls", () => {
  it("are the same for a seed and others for another", () => {
    expect(generateDemo({ seed: 1, now: NOW })).toEqual(demo);
    const other = generateDemo({ seed: 2, now: NOW, calls: 40 });
    expect(other).toHaveLength(40);
    expect(other[0]?.call.turns).not.toEqual(demo[0]?.call.turns);
  });

  it("are at least 240, of every agent and topic, in business hours of six months before now", () => {
    expect(demo.length).toBeGreaterThanOrEqual(240);
    expect(new Set(demo.map((d) => d.call.call_id)).size).toBe(demo.length);
    expect(new Set(demo.map((d) => d.call.agent_id))).toEqual(new Set(DEMO_AGENTS.map((a) => a.agent_id)));
    expect(new Set(demo.map((d) => d.truth.topic))).toEqual(new Set(TOPICS.map((t) => t.id)));
    for (const { call } of demo) {
      const at = new Date(call.start_time);
      expect(at.getTime()).toBeLessThan(NOW);
      expect(at.getTime()).toBeGreaterThan(NOW - 190 * 86_400_000);
      expect([1, 2, 3, 4, 5]).toContain(at.getUTCDay());
      expect(at.getUTCHours()).toBeGreaterThanOrEqual(8);
      expect(at.getUTCHours()).toBeLessThan(18);
    }
    for (const outcome of ["won", "lost", "open"]) {
      expect(demo.filter((d) => d.truth.outcome === outcome).length).toBeGreaterThan(40);
    }
  });

  it("pass the checks of ingest, most with timings that people could speak in", () => {
    let timed = 0;
    for (const { call, turns } of checked()) {
      expect(turns.length).toBeGreaterThanOrEqual(6);
      expect(turns.length).toBeLessThanOrEqual(90);
      if (turns[0]?.start_ms === null) continue;
      timed++;
      for (const [i, turn] of turns.entries()) {
        const [start, end] = [turn.start_ms as number, turn.end_ms as number];
        expect(start).toBeGreaterThanOrEqual(turns[i - 1]?.start_ms ?? 0);
        const rate = count(turn.text) / ((end - start) / 60_000);
        if (count(turn.text) > 5) expect(rate, call.call.call_id).toBeGreaterThan(80);
        if (count(turn.text) > 5) expect(rate, call.call.call_id).toBeLessThan(240);
      }
    }
    expect(timed / demo.length).toBeGreaterThan(0.75);
  });

  it("hold no leftovers of the grammar and few repeated sentences", () => {
    const seen = new Map<string, number>();
    let spoken = 0;
    for (const { turns } of checked()) {
      for (const { text } of turns) {
        expect(text).not.toMatch(/[[\]{}|]|undefined|NaN| ,|,,|\s{2}/);
        expect(text).toMatch(/^[A-Z$0-9]/);
        if (count(text) < 6) continue;
        spoken++;
        seen.set(text, (seen.get(text) ?? 0) + 1);
      }
    }
    const rare = [...seen.values()].filter((n) => n <= 6).reduce((a, b) => a + b, 0);
    expect(rare / spoken).toBeGreaterThan(0.93);
    expect(Math.max(...seen.values())).toBeLessThan(20);
    expect(new Set(demo.map((d) => JSON.stringify(d.call.turns ?? d.call.transcript))).size).toBe(demo.length);
  });

  it("do what their ground truth says", () => {
    for (const { call, truth } of demo) {
      expect(truth.call_id).toBe(call.call_id);
      expect(truth.outcome).toBe(call.outcome);
      expect(Math.abs(truth.intended_sentiment)).toBeLessThanOrEqual(1);
      expect(truth.events.includes("next_step_agreed")).not.toBe(truth.events.includes("no_next_step"));
      if (truth.outcome === "won") expect(truth.events).toContain("next_step_agreed");
      expect(truth.events.includes("interruption")).toBe(truth.interruptions > 0);
      if (call.turns?.[0]?.start_ms === undefined) continue;
      const overlaps = call.turns.filter((turn, i) => {
        const before = call.turns?.[i - 1];
        return turn.speaker === "agent" && before?.text.endsWith(" -") && (turn.start_ms ?? 0) < (before.end_ms ?? 0);
      });
      expect(overlaps.length, call.call_id).toBe(truth.interruptions);
    }
  });

  it("show that the skilled ask more, talk less, agree on next steps, and are liked", () => {
    const [good, weak] = [profile(true), profile(false)] as [Record<string, number>, Record<string, number>];
    const gap = (name: string): number => (good[name] as number) - (weak[name] as number);
    expect(gap("talk")).toBeLessThan(-0.04);
    expect(gap("questions")).toBeGreaterThan(1);
    expect(gap("next")).toBeGreaterThan(0.2);
    expect(gap("early")).toBeLessThan(-0.1);
    expect(gap("interruptions")).toBeLessThan(-0.3);
    expect(gap("mood")).toBeGreaterThan(0.3);
  });
});

describe("the grammar", () => {
  it("picks alternatives, nests them, fills slots and tidies", () => {
    const rng = random(5);
    const made = new Set(Array.from({ length: 60 }, () => expand("[a|b [c|d]|] {x}, ok", { x: "now" }, rng)));
    expect([...made].toSorted()).toEqual(["A now, ok", "B c now, ok", "B d now, ok", "Now, ok"]);
    expect(tidy("hi ,  you. there")).toBe("Hi, you. There");
    expect(() => expand("{nobody}", {}, rng)).toThrow("unknown slot");
    expect(() => expand("[a|b", {}, rng)).toThrow("unbalanced");
    expect(() => expand("a]", {}, rng)).toThrow("unbalanced");
  });

  it("draws numbers evenly", () => {
    const rng = random(9);
    const draws = Array.from({ length: 20_000 }, () => rng.next());
    for (let b = 0; b < 10; b++) {
      const n = draws.filter((x) => Math.floor(x * 10) === b).length;
      expect(Math.abs(n - 2000)).toBeLessThan(250);
    }
  });
});

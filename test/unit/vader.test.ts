import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lexicalFeatures, statisticalSentiment } from "../../src/adapters/models/sentiment-head.ts";
import { polarity } from "../../src/adapters/models/vader.ts";

const compound = (text: string): number => polarity(text).compound;

describe("VADER", () => {
  // Values the authors publish with the word list.
  test.each([
    ["VADER is smart, handsome, and funny.", 0.8316],
    ["VADER is smart, handsome, and funny!", 0.8439],
    ["VADER is very smart, handsome, and funny.", 0.8545],
    ["VADER is VERY SMART, handsome, and FUNNY.", 0.9227],
    ["VADER is not smart, handsome, nor funny.", -0.7424],
    ["The book was good.", 0.4404],
    ["At least it isn't a horrible book.", 0.431],
    ["The plot was good, but the characters are uncompelling and the dialog is not great.", -0.7042],
    ["Today SUX!", -0.5461],
    ["Make sure you :) or :D today!", 0.8633],
  ])("%s", (text, published) => {
    expect(compound(text)).toBeCloseTo(published, 3);
  });

  test("negation counts in capitals, with a typographic apostrophe, and is told", () => {
    expect(compound("Not good")).toBeLessThan(0);
    expect(compound("I DON'T like it")).toBeLessThan(0);
    expect(compound("I don’t like it")).toBe(compound("I don't like it"));
    expect(polarity("It is not good").negated).toBe(true);
    expect(polarity("It is good").negated).toBe(false);
  });

  test("any text gives a number in -1..1 and shares that add up to 1, or nothing at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const p = polarity(text);
        expect(Math.abs(p.compound)).toBeLessThanOrEqual(1);
        expect([0, 1]).toContainEqual(Number((p.positive + p.negative + p.neutral).toFixed(6)));
      }),
    );
  });

  test("a megabyte takes no longer than its first pages", () => {
    const long = "this is good and that is bad ".repeat(40_000);
    expect(statisticalSentiment(long)).toBe(statisticalSentiment(long.slice(0, 16_384)));
  });
});

test("endless punctuation and capitals take linear time", () => {
  const start = performance.now();
  for (const text of [`${"!".repeat(16_000)}a${"?".repeat(16_000)}b`, `${"A".repeat(16_000)}a`, "a ".repeat(8000)]) {
    expect(Number.isFinite(lexicalFeatures(text)[0])).toBe(true);
  }
  // Quadratic patterns took seconds here.
  expect(performance.now() - start).toBeLessThan(1000);
});

describe("lexical features", () => {
  const [refusal, consent] = [7, 8];

  test.each(["No thank you, we are fine.", "I'm not interested.", "We can't afford it.", "That's too expensive"])(
    "refusal: %s",
    (text) => {
      expect(lexicalFeatures(text)[refusal]).toBe(1);
      expect(lexicalFeatures(text)[consent]).toBe(0);
    },
  );

  test.each(["Sounds good to me", "Okay, I'm in", "I'd be happy to", "Of course!"])("consent: %s", (text) => {
    expect(lexicalFeatures(text)[refusal]).toBe(0);
    expect(lexicalFeatures(text)[consent]).toBe(1);
  });

  test("neither: small talk and questions", () => {
    for (const text of ["How are you?", "We use two systems.", "No problem.", "No worries, take your time"]) {
      expect(Array.from(lexicalFeatures(text)).slice(7)).toEqual([0, 0]);
    }
  });
});

import { describe, expect, it } from "vitest";
import { questionKind, sentences } from "../../src/core/questions.ts";

describe("questionKind", () => {
  const kinds = {
    open: [
      "What do you like about it?",
      "How would that help",
      "So tell me, what made you look?",
      "Could you walk me through your process.",
      "Well, can you tell me more about it?",
      "Why is that?",
      "How about you?",
      "There are many tools out there, what makes yours special?",
    ],
    closed: [
      "Do you use a tool today?",
      "would you like to try it",
      "How many seats do you need?",
      "What time works?",
      "What's your budget?",
      "What is your name?",
      "How are you doing today?",
      "How about Monday?",
      "Why don't we start small?",
      "You are happy?",
      "Which plan is it",
    ],
    null: [
      "Right?",
      "Okay, right?",
      "What a day!",
      "What I mean is this",
      "When you are ready we start.",
      "How that works is simple.",
      "Which I thought was good.",
      "That would be nice.",
      "",
    ],
  };
  for (const [kind, list] of Object.entries(kinds)) {
    it.each(list)(`${kind}: %s`, (sentence) => {
      expect(String(questionKind(sentence))).toBe(kind);
    });
  }
});

it("splits sentences at closing marks, not inside numbers and names", () => {
  expect(sentences('It is 3.5 at a.b. "Really?" Yes… fine\nNext -- !')).toEqual([
    "It is 3.5 at a.b.",
    '"Really?"',
    "Yes…",
    "fine",
    "Next -- !",
  ]);
});

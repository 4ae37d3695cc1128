import fc from "fast-check";
import { expect, test } from "vitest";
import { SearchWords } from "../../src/adapters/sql/search-words.ts";

const words = new SearchWords(Buffer.alloc(32, 1));

test.each([
  ["Prices", "pricing"],
  ["Café", "CAFE"],
  ["cafe\u0301", "café"],
  ["connections", "connect"],
])("%j and %j are one word", (a, b) => expect(words.indexed(a)).toBe(words.indexed(b)));

test("words that stand together are asked for together, operators are nothing", () => {
  const phrase = words.query("follow-up OR x*");
  expect(phrase).toBe(`"${words.indexed("follow up")}" "${words.indexed("or")}" "${words.indexed("x")}"`);
  expect(words.query('  "*" ( ')).toBeNull();
});

test("another database has other hashes", () => {
  expect(new SearchWords(Buffer.alloc(32, 2)).indexed("price")).not.toBe(words.indexed("price"));
});

test("one hash a word, and nothing of the text in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const hashes = words.indexed(text);
      expect(hashes).toMatch(/^(?:[\u0400-\u07ff]{4}(?: (?!$)|$))*$/u);
      expect(hashes === "" ? 0 : hashes.split(" ").length).toBe(
        text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu)?.length ?? 0,
      );
    }),
  );
});

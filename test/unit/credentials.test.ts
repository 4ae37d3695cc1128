import fc from "fast-check";
import { expect, test } from "vitest";
import { secretMatcher } from "../../src/services/credentials.ts";

const text = fc.string({ unit: "binary", maxLength: 600 });

test("a secret is matched by itself alone, whatever was given before", () => {
  fc.assert(
    fc.property(text, fc.array(text), (secret, others) => {
      const matches = secretMatcher(secret);
      const near = [`${secret}\0`, `${secret}x`, `x${secret}`, secret.slice(0, -1), "", secret.repeat(9)];
      for (const given of [...others, ...near]) {
        expect(matches(given)).toBe(given === secret);
        expect(matches(secret)).toBe(true);
      }
    }),
  );
});

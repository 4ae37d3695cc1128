import { expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import { createThrottle } from "../../src/services/throttle.ts";

test("a name has its limit in any window; refunds and time give room again", () => {
  let now = 0;
  const throttle = createThrottle({ name: "tries", limit: 3, window_ms: 1_000, now: () => now });
  const refused = (names: string[]): number | null => {
    try {
      throttle.take(names);
      return null;
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      return (error as AppError).retryAfter ?? -1;
    }
  };
  const first = throttle.take(["a", "x"]);
  now = 400;
  expect(refused(["a", "y"])).toBeNull();
  expect(refused(["a", "z"])).toBeNull();
  expect(refused(["a", "w"])).toBe(1);
  // One name used up is enough, and a refusal counts for nobody.
  expect(refused(["w"])).toBeNull();
  first.refund();
  expect(refused(["a"])).toBeNull();
  expect(refused(["a"])).toBe(1);
  now = 1_401;
  expect(refused(["a"])).toBeNull();
});

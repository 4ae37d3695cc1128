import { expect, test } from "vitest";
import { describeFault } from "../../src/core/fault.ts";

const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return expect.unreachable("it was meant to throw");
};

test("names the error and its place, and nothing of its message", () => {
  const error = thrownBy(() => JSON.parse("my secret diagnosis"));
  expect(String(error)).toContain("my secret");
  expect(describeFault(error)).toMatch(/^SyntaxError at fault\.test\.ts:\d+$/);
  expect(describeFault(thrownBy(() => (null as unknown as { x: number }).x))).toMatch(
    /^TypeError at fault\.test\.ts:\d+$/,
  );
});

test("is not taken in by a message that looks like a place", () => {
  const error = new RangeError("said\n    at secret.ts:1\n    at words (secret.ts:2:3)");
  expect(describeFault(error)).toMatch(/^RangeError at fault\.test\.ts:\d+$/);
  // Somebody gave it another message than its stack begins with: then no place is known.
  error.message = "another secret.ts:3";
  expect(describeFault(error)).toBe("RangeError");
});

test("says little of what is no error", () => {
  expect(describeFault("my secret")).toBe("string");
  const error = new Error("my secret");
  delete error.stack;
  expect(describeFault(error)).toBe("Error");
});

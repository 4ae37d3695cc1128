import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { expect, test } from "vitest";
import { watchLoop } from "../../src/http/loop-watch.ts";

const clock = { now: 1_000 };

/** A turn in which requests are reached at these times after its first one; which of them came late. */
async function turn(watch: ReturnType<typeof watchLoop>, at: readonly number[]): Promise<boolean[]> {
  const began = clock.now;
  const late = at.map((ms) => {
    clock.now = began + ms;
    return watch.late();
  });
  await turnOfTheLoop();
  return late;
}

test("what a turn reaches late is late once turns have been long for a while, and no longer", async () => {
  const watch = watchLoop({ budget_ms: 10, least: 1, patience_ms: 50, memory_ms: 1_000, now: () => clock.now });
  await turnOfTheLoop();
  expect(await turn(watch, [0, 5, 9])).toEqual([false, false, false]);
  // One stop of 300 ms is no overload.
  expect(await turn(watch, [0, 300, 301])).toEqual([false, false, false]);
  expect(await turn(watch, [0, 5])).toEqual([false, false]);
  for (let i = 0; i < 2; i++) expect(await turn(watch, [0, 11, 20])).toEqual([false, false, false]);
  // Long for more than 50 ms: the first of a turn are taken in, the late ones are not.
  expect(await turn(watch, [0, 9, 11, 20])).toEqual([false, false, true, true]);
  expect(await turn(watch, [0, 10, 30])).toEqual([false, false, true]);
  // What comes back soon is met at once.
  expect(await turn(watch, [0, 2])).toEqual([false, false]);
  expect(await turn(watch, [0, 11])).toEqual([false, true]);
  // After a second it is forgotten. A short turn ends a row of long ones, and so does a while without requests.
  clock.now += 1_001;
  expect(await turn(watch, [0, 2])).toEqual([false, false]);
  for (let i = 0; i < 2; i++) expect(await turn(watch, [0, 20])).toEqual([false, false]);
  clock.now += 11;
  expect(await turn(watch, [0, 100])).toEqual([false, false]);
  watch.stop();
});

test("so many a turn are never late", async () => {
  const watch = watchLoop({ budget_ms: 10, least: 3, patience_ms: 50, memory_ms: 1_000, now: () => clock.now });
  for (let i = 0; i < 3; i++) await turn(watch, [0, 100]);
  expect(await turn(watch, [0, 11, 12, 13, 14])).toEqual([false, false, false, true, true]);
  watch.stop();
});

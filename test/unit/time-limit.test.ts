import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEADLINE_MS } from "../../src/adapters/models/open-models.ts";
import type { Inference } from "../../src/ports/models.ts";
import { INFERENCE_LIMITS, limitInference } from "../../src/worker/time-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIMITS = { base_ms: 1_000, turn_ms: 100 };
const INFERENCE = { method: "model" } as Inference;

/** A model that answers when it is told to. */
function slowModel() {
  const asked: PromiseWithResolvers<Inference>[] = [];
  const infer = () => {
    const answer = Promise.withResolvers<Inference>();
    asked.push(answer);
    return answer.promise;
  };
  return { infer, asked };
}

test("gives up when the time of all turns that wait is over, each caller by its own", async () => {
  const model = slowModel();
  const { infer } = limitInference(model, LIMITS, new AbortController().signal);
  const one = vi.fn<(error: Error) => void>();
  const two = vi.fn<(error: Error) => void>();
  infer(["a", "b"]).catch(one);
  infer(["c", "d", "e"]).catch(two);
  await vi.advanceTimersByTimeAsync(1_199);
  expect(one).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(one.mock.lastCall?.[0]).toMatchObject({ name: "EnrichmentError", message: "no answer within 1.2 s" });
  await vi.advanceTimersByTimeAsync(299);
  expect(two).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(two.mock.lastCall?.[0]).toMatchObject({ message: "no answer within 1.5 s" });
  // Nobody waits now: the next one's time is its own again.
  const three = vi.fn<(error: Error) => void>();
  infer(["f"]).catch(three);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(three.mock.lastCall?.[0]).toMatchObject({ message: "no answer within 1.1 s" });
});

test("passes answers and errors on, and leaves no timer", async () => {
  const model = slowModel();
  const { infer } = limitInference(model, LIMITS, new AbortController().signal);
  const [good, bad] = [infer(["a"]), infer(["b"])];
  model.asked[0]?.resolve(INFERENCE);
  model.asked[1]?.reject(new Error("cannot read it"));
  expect(await good).toBe(INFERENCE);
  await expect(bad).rejects.toThrow("cannot read it");
  expect(vi.getTimerCount()).toBe(0);
});

test("lets go at once of what waits, and of what comes later, when it is abandoned", async () => {
  const model = slowModel();
  const abandon = new AbortController();
  const { infer } = limitInference(model, LIMITS, abandon.signal);
  const waiting = infer(["a"]);
  abandon.abort();
  await expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
  await expect(infer(["b"])).rejects.toMatchObject({ code: "shutting_down" });
});

test("a thread that is silent is replaced after 20 s, before a worker gives its call up", () => {
  expect([DEADLINE_MS, INFERENCE_LIMITS.base_ms]).toEqual([20_000, 30_000]);
});

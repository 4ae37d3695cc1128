/** One relay of several does a duty at a time, whatever store their leases are in. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LeaseTimes } from "../../src/services/lease.ts";
import { startRelay } from "../../src/services/relay.ts";
import type { Relay } from "../../src/services/relay.ts";
import type { JobsUnderTest } from "./jobs.contract.ts";

const TIMES: LeaseTimes = { stale_ms: 300, hold_ms: 200, renew_ms: 50, look_ms: 10 };

/** What goes on where; `most` is how many ever did at once. */
function countsOf() {
  const active = new Set<string>();
  const counts = { most: 0, turns: [] as string[] };
  return {
    counts,
    active,
    begin: async (who: string, signal: AbortSignal): Promise<void> => {
      active.add(who);
      counts.turns.push(who);
      counts.most = Math.max(counts.most, active.size);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve());
      });
      active.delete(who);
    },
  };
}

const begun = (of: { turns: string[] }, turns: string[]): Promise<void> =>
  vi.waitFor(() => expect(of.turns).toEqual(turns), { timeout: 10_000, interval: 5 });

export function relayContract(
  name: string,
  open: () => Promise<Pick<JobsUnderTest, "jobs" | "others" | "close">>,
): void {
  describe(`Relay: ${name}`, () => {
    let store: Awaited<ReturnType<typeof open>>;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    const relay = (
      holder: string,
      duty: string,
      run: (signal: AbortSignal) => Promise<void>,
      jobs = holder === "b" ? store.others : store.jobs,
    ): Relay & { errors: unknown[] } => {
      const errors: unknown[] = [];
      const log = { info: () => {}, error: (facts: { error: unknown }) => void errors.push(facts.error) };
      const deps = { jobs, holder, log: log as never, onChange: () => {}, times: TIMES, pause_ms: [20, 20] as const };
      const started = startRelay(deps, [{ name: duty, run }]);
      return { ...started, errors };
    };

    test("one does it, the other when the first has stopped", async () => {
      const { counts, active, begin } = countsOf();
      const a = relay("a", "handover", (signal) => begin("a", signal));
      await begun(counts, ["a"]);
      const b = relay("b", "handover", (signal) => begin("b", signal));
      // Long enough for a lease that is not renewed to run out several times.
      const began = performance.now();
      await vi.waitFor(() => expect(performance.now() - began).toBeGreaterThan(4 * TIMES.stale_ms), {
        timeout: 10_000,
      });
      expect(counts.turns).toEqual(["a"]);
      expect([a.active(), b.active()]).toEqual([["handover"], []]);
      const stopped = performance.now();
      await a.stop();
      await begun(counts, ["a", "b"]);
      expect(performance.now() - stopped).toBeLessThan(TIMES.stale_ms);
      await b.stop();
      expect(counts.most).toBe(1);
      expect([...active, ...b.active()]).toEqual([]);
      expect([...a.errors, ...b.errors]).toEqual([]);
    });

    test("whoever cannot reach the store any more stops before another begins", async () => {
      const { counts, begin } = countsOf();
      let away = false;
      const jobs = {
        bookmark: (name: string) => (away ? Promise.reject(new Error("away")) : store.jobs.bookmark(name)),
        moveBookmark: (...move: Parameters<typeof store.jobs.moveBookmark>) =>
          away ? Promise.reject(new Error("away")) : store.jobs.moveBookmark(...move),
      };
      const a = relay("a", "cut-off", (signal) => begin("a", signal), jobs as typeof store.jobs);
      await begun(counts, ["a"]);
      const b = relay("b", "cut-off", (signal) => begin("b", signal));
      away = true;
      await begun(counts, ["a", "b"]);
      expect(counts.most).toBe(1);
      away = false;
      await Promise.all([a.stop(), b.stop()]);
    });

    test("whoever was robbed of its lease stops", async () => {
      const { counts, begin } = countsOf();
      const a = relay("a", "robbed", (signal) => begin("a", signal));
      await begun(counts, ["a"]);
      await store.others.setBookmark("relay.robbed", "somebody else");
      // Its own turn ends, and it waits like others until that lease runs out.
      await vi.waitFor(() => expect(a.active()).toEqual([]), { timeout: 5_000, interval: 5 });
      await begun(counts, ["a", "a"]);
      await a.stop();
    });

    test("what fails here is tried again, by another relay first", async () => {
      const { counts, begin } = countsOf();
      const broken = relay("a", "broken", () => Promise.reject(new Error("no way out of here")));
      await vi.waitFor(() => expect(broken.failing()).toEqual(["broken"]), { timeout: 5_000, interval: 5 });
      const b = relay("b", "broken", (signal) => begin("b", signal));
      await begun(counts, ["b"]);
      expect(String(broken.errors[0])).toContain("no way out of here");
      expect([broken.active(), b.failing()]).toEqual([[], []]);
      await Promise.all([broken.stop(), b.stop()]);
    });

    test("what ends by itself counts as failed", async () => {
      const a = relay("a", "short", () => Promise.resolve());
      await vi.waitFor(() => expect(a.failing()).toEqual(["short"]), { timeout: 5_000, interval: 5 });
      await a.stop();
      expect(String(a.errors[0])).toContain("short ended by itself");
    });
  });
}

/** The real process while the clock of its machine is put ahead and back by two hours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { measured } from "../support/measured.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const faketime = requirement("faketime");

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function enriched(earshot: Earshot, call_id: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { enrichment } = await earshot.get<{ enrichment: { state: string } }>(`/api/v1/calls/${call_id}`);
      if (enrichment.state !== "degraded") throw new Error(`${call_id} is ${enrichment.state}`);
    },
    { timeout: 12_000, interval: 50 },
  );
}

interface Event {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
}

test("jumps of two hours: calls are enriched at once, once, events keep their order, no age is negative", async (context) => {
  if (faketime === null) context.skip("faketime is not installed");
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const offset = join(path, "offset");
  const jump = (by: string): void => writeFileSync(offset, by);
  jump("+0");
  const earshot = await startEarshot({
    EARSHOT_DATA_DIR: join(path, "data"),
    EARSHOT_MODEL_DIR: "statistical:",
    EARSHOT_LOG_LEVEL: "error",
    LD_PRELOAD: faketime ?? "",
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: "1",
    // Timers run by the monotonic clock, which no administrator can put.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  });
  undo.push(() => earshot.stop("SIGKILL"));
  const jumps = ["+0", "+2h", "+0", "-2h", "+0"];
  for (const [i, by] of jumps.entries()) {
    // Some are under way when the clock jumps.
    const calls = Array.from({ length: 40 }, (_, k) => ({
      call_id: `c${i}-${k}`,
      transcript: "Customer: bad\nAgent: oh",
    }));
    expect((await earshot.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
    jump(by);
    await earshot.call("POST", "/api/v1/calls", { call_id: `after${i}`, transcript: "Customer: good" });
    for (const { call_id } of calls) await enriched(earshot, call_id);
    await enriched(earshot, `after${i}`);
    const ready = await earshot.get<{ checks: { queue: { oldest_ms: number; ready: number; dead: number } } }>(
      "/health/ready",
    );
    expect(ready.checks.queue).toMatchObject({ ok: true, ready: 0, dead: 0 });
    expect(ready.checks.queue.oldest_ms).toBeGreaterThanOrEqual(0);
  }
  const { events } = await earshot.get<{ events: Event[] }>("/api/v1/events?after=0&limit=1000");
  expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.filter((e) => e.type === "call.enriched")).toHaveLength(jumps.length * 41);
  // The clock did jump for the process.
  const times = events.map((e) => Date.parse(e.at));
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(3.9 * 3_600_000);
  expect(times).not.toEqual(times.toSorted((a, b) => a - b));
  measured(
    "clock put back or ahead",
    `jumps ${jumps.join(", ")}: ${events.length} events in order, ${jumps.length * 41} calls enriched once`,
  );
  expect((await earshot.stop())[0]).toBe(0);
  expect(earshot.stderr()).toBe("");
}, 120_000);

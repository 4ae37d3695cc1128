/** What every store's Jobs must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Job, Jobs } from "../../src/ports.ts";

export interface JobsUnderTest {
  readonly jobs: Jobs;
  setNow(ms: number): void;
  close(): Promise<void>;
}

export function jobsContract(name: string, open: () => Promise<JobsUnderTest>): void {
  describe(`Jobs: ${name}`, () => {
    let store: JobsUnderTest;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    test("a job is what was last put; of its errors the first 100", async () => {
      const job: Job = {
        job_id: "j1",
        kind: "import",
        state: "running",
        created_at: 1,
        updated_at: 2,
        counts: { lines: 3, accepted: 2 },
        errors: [{ line: 2, message: "no turns" }],
        detail: null,
      };
      store.setNow(2);
      expect(await store.jobs.get("j1")).toBeNull();
      await store.jobs.put(job);
      expect(await store.jobs.get("j1")).toEqual(job);
      const errors = Array.from({ length: 150 }, (_, line) => ({ line, message: `line ${line}` }));
      const done: Job = { ...job, state: "done", updated_at: 9, counts: { lines: 150 }, errors, detail: "calls.csv" };
      await store.jobs.put(done);
      expect(await store.jobs.get("j1")).toEqual({ ...done, errors: errors.slice(0, 100) });
    });

    test("a running job that is silent for ten minutes has failed, until it is heard of again", async () => {
      const job: Job = {
        job_id: "silent",
        kind: "recalculate",
        state: "running",
        created_at: 1_000,
        updated_at: 1_000,
        counts: {},
        errors: [],
        detail: null,
      };
      await store.jobs.put(job);
      store.setNow(601_000);
      expect(await store.jobs.get("silent")).toEqual(job);
      store.setNow(601_001);
      const lost = await store.jobs.get("silent");
      expect(lost).toMatchObject({ state: "failed", detail: expect.stringContaining("its process ended") as string });
      await store.jobs.put({ ...job, updated_at: 601_001 });
      expect(await store.jobs.get("silent")).toMatchObject({ state: "running", detail: null });
      await store.jobs.put({ ...job, state: "done" });
      expect(await store.jobs.get("silent")).toMatchObject({ state: "done" });
    });

    test("a bookmark is set, moved and forgotten", async () => {
      expect(await store.jobs.bookmark("file")).toBeNull();
      await store.jobs.setBookmark("file", "10");
      await store.jobs.setBookmark("file", "20");
      await store.jobs.setBookmark("other", "1");
      expect(await store.jobs.bookmark("file")).toBe("20");
      await store.jobs.setBookmark("file", null);
      await store.jobs.setBookmark("file", null);
      expect(await store.jobs.bookmark("file")).toBeNull();
      expect(await store.jobs.bookmark("other")).toBe("1");
    });
  });
}

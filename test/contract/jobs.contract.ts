/** What every store's Jobs must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Job, Jobs } from "../../src/ports/jobs.ts";

export interface JobsUnderTest {
  readonly jobs: Jobs;
  /** The same jobs as another process has them. */
  readonly others: Jobs;
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
        report: null,
      };
      store.setNow(2);
      expect(await store.jobs.get("j1")).toBeNull();
      await store.jobs.put(job);
      expect(await store.jobs.get("j1")).toEqual(job);
      const errors = Array.from({ length: 150 }, (_, line) => ({ line, message: `line ${line}` }));
      const report = { differences: [{ period: "2026-03-10", measure: "calls" }] };
      const put = {
        state: "done",
        updated_at: 9,
        counts: { lines: 150 },
        errors,
        detail: "calls.csv",
        report,
      } as const;
      const done: Job = { ...job, ...put };
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
        report: null,
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

    test("the jobs that began last, newest first", async () => {
      const job: Job = {
        job_id: "a1",
        kind: "backup",
        state: "done",
        created_at: 5,
        updated_at: 5,
        counts: {},
        errors: [],
        detail: null,
        report: null,
      };
      for (const job_id of ["a1", "a2", "a3"]) await store.jobs.put({ ...job, job_id });
      // Later news of a job do not make it a newer one.
      await store.jobs.put({ ...job, job_id: "a1", updated_at: 6 });
      expect((await store.jobs.recent(2)).map((j) => j.job_id)).toEqual(["a3", "a2"]);
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

    test("a bookmark is moved from where it was seen, by one of all that ask at once", async () => {
      const both = [store.jobs, store.others, store.jobs, store.others];
      const race = (from: string | null, to: string) =>
        Promise.all(both.map((jobs, i) => jobs.moveBookmark("race", from, `${to} ${i}`)));
      for (const to of ["first", "second", "third"]) {
        const from = await store.jobs.bookmark("race");
        const moved = await race(from, to);
        expect(moved.filter(Boolean)).toHaveLength(1);
        expect(await store.others.bookmark("race")).toBe(`${to} ${moved.indexOf(true)}`);
        // Whoever comes later has seen what is no longer so.
        expect(await race(from, "late")).toEqual([false, false, false, false]);
      }
      expect(await store.jobs.moveBookmark("not there", "x", "y")).toBe(false);
      expect(await store.jobs.bookmark("not there")).toBeNull();
    });
  });
}

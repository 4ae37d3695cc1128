import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { NEWEST_FIRST } from "../../src/core/list.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { generateDemo } from "../../src/demo/generate.ts";
import { importFile, type FileImport, type FileImportInput } from "../../src/services/import-file.ts";
import { type ImportPosition, importStream } from "../../src/services/import.ts";
import { parseDefaults, parseMap } from "../../src/services/import-map.ts";
import { dataSet } from "../support/data-sets.ts";
import { openQuiet, temporary } from "../support/sqlite-store.ts";

const place = temporary();
let store: SqliteStore;
let number = 0;

beforeEach(async () => {
  store = await openQuiet(join(place.folder, `${++number}.db`));
});
afterEach(() => store.close());
afterAll(() => place.remove());

const deps = (of: SqliteStore) => ({ calls: of.calls, jobs: of.jobs, now: () => Date.UTC(2026, 5, 1) });
const run = (file: string, more: Partial<FileImportInput> = {}, of = store): Promise<FileImport> =>
  importFile(deps(of), { file, stdin: new PassThrough(), ...more });

async function total(of = store): Promise<number | null> {
  const page = { limit: 1, offset: 0, after: null };
  return (await of.reads.list({ scope: EVERYTHING, filter: {}, sort: NEWEST_FIRST, page, total: true })).total;
}

function written(name: string, text: string): string {
  const path = join(place.folder, name);
  writeFileSync(path, text);
  return path;
}

const good = (i: number): string =>
  JSON.stringify({
    call_id: `c${i}`,
    agent_id: `agent-${i % 7}`,
    start_time: new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString(),
    transcript: `Agent: Good morning, this is call ${i}.\nCustomer: Thank you for calling, number ${i}.`,
  });

/** What is wrong with every line i where i % 10 = 3, by turns. */
const BAD: readonly ((i: number) => string)[] = [
  () => "{ not json",
  (i) => JSON.stringify({ call_id: `bad${i}`, transcript: "" }),
  (i) => JSON.stringify({ call_id: `bad${i}`, transcript: "Agent: hi", start_time: "yesterday" }),
  (i) => JSON.stringify({ call_id: `bad${i}`, transcript: 7 }),
  (i) => JSON.stringify({ call_id: `bad${i}`, turns: [{ speaker: "robot", text: "hi" }] }),
  () => "[]",
];

const mixed = (n: number): string =>
  Array.from({ length: n }, (_, i) =>
    i % 10 === 3 ? (BAD[((i / 10) | 0) % BAD.length] as (i: number) => string)(i) : good(i),
  ).join("\n");

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(Array.from({ length: 2_500 }, (_, i) => good(i)).join("\n"));
  throw new Error("connection lost");
}

describe("importing a file", () => {
  it("stores every good line of 5,000, names the bad ones, and changes nothing the second time", async () => {
    const file = written("mixed.ndjson", mixed(5_000));
    const { job } = await run(file);
    expect(job.state).toBe("done");
    expect(job.counts).toMatchObject({ lines: 5_000, accepted: 4_500, replayed: 0, conflicts: 0, rejected: 500 });
    expect(job.errors).toHaveLength(100);
    expect(job.errors.map((e) => e.line)).toEqual(Array.from({ length: 100 }, (_, i) => i * 10 + 4));
    expect(job.errors[0]?.message).toContain("is not valid JSON");
    expect(job.errors[1]?.message).toContain("/transcript: has no words");
    expect(job.errors[2]?.message).toContain("/start_time: is no date and time");
    expect(job.errors[4]?.message).toContain('unknown speaker labels: "robot"');
    expect(await total()).toBe(4_500);
    expect(await store.jobs.get(job.job_id)).toEqual(job);

    const head = await store.events.head();
    const again = await run(file);
    expect(again.job.counts).toMatchObject({ accepted: 0, replayed: 4_500, rejected: 500 });
    expect(await store.events.head()).toBe(head);
    expect(await total()).toBe(4_500);
  });

  it("goes on where it was cut off, and ends as if it had not been", async () => {
    const file = written("cut.ndjson", mixed(5_000));
    const broken = new Error("pulled the plug");
    let batches = 0;
    const first = run(file, {
      onProgress: () => {
        if (++batches === 2) throw broken;
      },
    });
    await expect(first).rejects.toBe(broken);
    expect(await total()).toBe(2_000);

    const seen: ImportPosition[] = [];
    const { job, resumed_at } = await run(file, { onProgress: (p) => seen.push(p) });
    expect(resumed_at).toBeGreaterThan(100_000);
    expect(seen[0]?.bytes).toBeGreaterThan(resumed_at as number);
    expect(job.counts).toMatchObject({ lines: 5_000, accepted: 4_500, replayed: 0, rejected: 500 });
    expect(job.errors.map((e) => e.line)).toEqual(Array.from({ length: 100 }, (_, i) => i * 10 + 4));

    const whole = await openQuiet(join(place.folder, `${++number}.db`));
    const single = await run(file, {}, whole);
    expect({ ...job, job_id: "" }).toEqual({ ...single.job, job_id: "" });
    expect(await total()).toBe(await total(whole));
    await whole.close();
    // Done is done: the bookmark is gone.
    expect((await run(file)).resumed_at).toBeNull();
  });

  it("resumes a CSV with one row a turn between calls", async () => {
    const rows = Array.from(
      { length: 4_000 },
      (_, i) => `c${i >> 1},${i % 2},"Line ${i}, said ""so""",${i % 2 === 0 ? "rep" : "client"}`,
    );
    const file = written("long.csv", `\uFEFFcall_id,turn,text,speaker\r\n${rows.join("\r\n")}`);
    const map = parseMap("agent=rep,customer=client");
    let batches = 0;
    const onProgress = (): void => {
      if (++batches === 1) throw new Error("stop");
    };
    await expect(run(file, { map, onProgress })).rejects.toThrow("stop");
    expect(await total()).toBe(1_000);
    const { job, resumed_at } = await run(file, { map });
    expect(resumed_at).toBeGreaterThan(0);
    expect(job.counts).toMatchObject({ lines: 4_001, accepted: 2_000, replayed: 0, rejected: 0 });
    expect((await store.reads.get("c1999", EVERYTHING))?.turns.map((t) => t.text)).toEqual([
      'Line 3998, said "so"',
      'Line 3999, said "so"',
    ]);
  });

  it("counts and names conflicts, and makes stable ids for calls that have none", async () => {
    const one = written("one.ndjson", `${good(1)}\n{"transcript":"Agent: no id"}\n`);
    expect((await run(one)).job.counts).toMatchObject({ accepted: 2 });
    const other = good(1).replace("Good morning", "Good evening");
    const two = written("two.ndjson", `${other}\n{"transcript":"Agent: no id"}\n${good(2)}`);
    const { job } = await run(two);
    expect(job.counts).toMatchObject({ accepted: 1, replayed: 1, conflicts: 1, rejected: 0 });
    expect(job.errors).toEqual([{ line: 1, message: 'call "c1" is there already with other content' }]);
  });

  it("fills what a file lacks", async () => {
    const file = written("plain.csv", 'call_id,transcript\nx,"Agent: hello\nCustomer: hi"\n');
    const defaults = parseDefaults("agent_id=ann,start_time=2026-03-01T09:30:00Z,outcome=won");
    expect((await run(file, { defaults })).job.counts).toMatchObject({ accepted: 1 });
    expect((await store.reads.get("x", EVERYTHING))?.row).toMatchObject({
      agent_id: "ann",
      outcome: "won",
      start_time: Date.UTC(2026, 2, 1, 9, 30),
    });
  });

  it("reads stdin, and asks for the format of what has no name", async () => {
    const stdin = Readable.from([Buffer.from(good(1))]);
    expect((await run("-", { stdin, format: "ndjson" })).job.counts).toMatchObject({ accepted: 1 });
    await expect(run("-")).rejects.toThrow("Say with --format");
    await expect(run(join(place.folder, "nothing.csv"))).rejects.toThrow("cannot be read (ENOENT)");
  });

  it("keeps what came before a source breaks off, and marks the job", async () => {
    const job_id = "upload-1";
    await expect(importStream(deps(store), { source: breaking(), format: "ndjson", job_id })).rejects.toThrow(
      "connection lost",
    );
    expect(await total()).toBe(2_000);
    expect(await store.jobs.get(job_id)).toMatchObject({ state: "failed", counts: { accepted: 2_000 } });
  });

  it("takes the demo", async () => {
    const demo = generateDemo({ seed: 3, now: Date.UTC(2026, 5, 1) });
    const file = written("demo.ndjson", demo.map((d) => JSON.stringify(d.call)).join("\n"));
    expect((await run(file)).job.counts).toMatchObject({ accepted: demo.length, rejected: 0 });
  });

  const data = dataSet("persuasion-for-good");
  it.skipIf(data === null)("takes persuasion-for-good by its --map line (data set present)", async () => {
    const map = parseMap("call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1");
    const started = performance.now();
    const { job } = await run(join(data as string, "dialogues.csv"), { map });
    console.log(
      `persuasion-for-good: ${Math.round((job.counts["lines"] as number) / ((performance.now() - started) / 1000))} rows/s`,
    );
    expect(job.counts).toMatchObject({ lines: 20_933, accepted: 1_017, rejected: 0, conflicts: 0 });
    const page = { limit: 2_000, offset: 0, after: null };
    const { rows } = await store.reads.list({ scope: EVERYTHING, filter: {}, sort: NEWEST_FIRST, page, total: false });
    const calls = await store.reads.texts(rows.map((r) => r.call_no));
    expect(calls.reduce((n, c) => n + c.turns.length, 0)).toBe(20_932);
  });
});

/** The lake when its writer is killed, and when its place is away. */
import { rmSync, watch, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { folderObjects } from "../../src/adapters/lake/folder.ts";
import type { Objects } from "../../src/adapters/lake/objects.ts";
import { openLake } from "../../src/adapters/lake/open.ts";
import { s3Objects } from "../../src/adapters/lake/s3.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { NEWEST_FIRST } from "../../src/core/list.ts";
import type { Lake } from "../../src/ports/lake.ts";
import { random } from "../support/call-rows.ts";
import { enrichAll, everythingIn } from "../support/lake-calls.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { runCli, startCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { startS3 } from "../support/s3-server.ts";
import { aCall, openQuiet } from "../support/sqlite-store.ts";
import { LONG, ROUNDS } from "../support/tier.ts";

// A bucket is killed over as well by `npm run test:faults` alone: the contract suite holds both to the same.
const program = LONG ? requirement("s3") : null;
const server = program === null ? null : await startS3(program);
afterAll(() => server?.close());

interface Place {
  readonly env: Record<string, string>;
  open(): Promise<Lake>;
  readonly objects: Objects;
  /** Resolves after so many changes under a folder of the lake's; never for a bucket. */
  changed(times: number, under: string): Promise<void>;
}

function folderPlace(path: string): Place {
  const folder = join(path, "lake");
  return {
    env: { EARSHOT_LAKE_URL: `file:${folder}` },
    objects: folderObjects(folder),
    open: () =>
      openLake({ place: { kind: "folder", path: folder }, cacheFolder: path, timezone: "UTC", now: Date.now }),
    async changed(times, under) {
      await mkdir(folder, { recursive: true });
      let left = times;
      await new Promise<void>((resolve) => {
        const watcher = watch(folder, { recursive: true }, (_, name) => {
          if (name?.startsWith(under) !== true || --left > 0) return;
          watcher.close();
          resolve();
        });
        watcher.unref();
      });
    },
  };
}

function s3Place(path: string): Place {
  if (server === null) throw new Error("there is no S3 server");
  const { endpoint, bucket, access_key, secret_key } = server;
  const at = { endpoint, region: "us-east-1", bucket, prefix: "killed", access_key, secret_key };
  return {
    objects: s3Objects(at, join(path, "eye")),
    env: {
      EARSHOT_LAKE_URL: `s3://${bucket}/killed`,
      EARSHOT_S3_ENDPOINT: endpoint,
      EARSHOT_S3_ACCESS_KEY: access_key,
      EARSHOT_S3_SECRET_KEY: secret_key,
    },
    open: () =>
      openLake({
        place: { kind: "s3", ...at },
        cacheFolder: join(path, "cache of the test"),
        timezone: "UTC",
        now: Date.now,
      }),
    changed: () => new Promise(() => undefined),
  };
}

/** Each call that has its enrichment: its id, revision and sentiment, by the store and by the lake. */
async function inStore({ reads }: SqliteStore): Promise<string[]> {
  const { rows } = await reads.list({
    scope: EVERYTHING,
    filter: { state: "enriched" },
    sort: NEWEST_FIRST,
    page: { limit: 5_000, offset: 0, after: null },
    total: false,
  });
  return rows.map((r) => `${r.call_id} ${r.revision} ${r.customer_sentiment_score}`).toSorted();
}

async function inLake(lake: Lake): Promise<string[]> {
  const { rows } = await lake.query("SELECT call_id, revision, customer_sentiment_score FROM calls");
  return rows.map((row) => row.map(String).join(" ")).toSorted();
}

const SOME = 40;

/** New calls, corrected ones, erased ones, over four weeks. */
async function change(store: SqliteStore, round: number, next: () => number): Promise<void> {
  const of = (id: string, version: number) =>
    aCall(id, {
      start_time: Date.UTC(2026, 2, 1 + Math.floor(next() * 28)),
      customer_id: `customer-of-${id}`,
      digest: version.toString(16).padStart(64, "0"),
    });
  const ids = Array.from({ length: SOME }, (_, i) => `r${round}-${i}.`);
  await store.calls.accept(
    ids.map((id) => of(id, 0)),
    1,
  );
  if (round > 1) {
    for (let i = 0; i < 3; i++) await store.calls.replace(of(`r${round - 1}-${i}.`, round), 1);
    await store.calls.erase(`customer-of-r${round - 1}-5.`);
    await store.calls.remove(`r${round - 1}-6.`, EVERYTHING);
  }
  await enrichAll(store, { sentiment: Math.round(next() * 100) / 100 });
}

describe("kill -9 of the process that writes the lake", () => {
  test.each([
    { name: "a folder", make: folderPlace, rounds: LONG ? Math.ceil(ROUNDS / 2) : 6 },
    ...(server === null ? [] : [{ name: "S3", make: s3Place, rounds: Math.ceil(ROUNDS / 10) }]),
  ])(
    "$name, $rounds times: what was there before, or all that is new, and each call once",
    async ({ name, make, rounds }) => {
      const { path, cleanup } = await temporaryFolder();
      const place = make(path);
      const data = join(path, "data");
      const env = { EARSHOT_DATA_DIR: data, EARSHOT_LOG_LEVEL: "error", ...place.env };
      const next = random(rounds);
      const lake = await place.open();
      const store = await openQuiet(join(data, "earshot.db"));
      let before: string[] = [];
      const counts = { killed: 0, half: 0, newer: 0 };
      try {
        for (let round = 1; round <= rounds; round++) {
          await change(store, round, next);
          const after = await inStore(store);
          // In the middle of its files, or about the moment when the manifest makes them the truth.
          const [under, times] = round % 2 === 0 ? ["calls", 120] : ["manifests", 5];
          const changed = place.changed(1 + Math.floor(next() * times), under);
          const killed = Promise.race([changed, pause(600 + next() * 3_000)]);
          const command = startCli(["lake", "write"], env);
          void killed.then(() => command.kill("SIGKILL"));
          const { code, stderr } = await command.ended;
          expect(code, stderr).toBeOneOf([null, 0]);
          if (code === null) counts.killed++;
          const now = await inLake(lake);
          const isNew = JSON.stringify(now) === JSON.stringify(after);
          if (!isNew) expect(now).toEqual(before);
          if (isNew) counts.newer++;
          before = now;
          if ((await place.objects.list("calls/")).length > (await lake.state()).files) counts.half++;
          const problems = await lake.check();
          expect(problems.filter((problem) => !problem.includes("by a writer that did not finish"))).toEqual([]);
        }
        await change(store, rounds + 1, next);
        expect(await runCli(["lake", "write"], env)).toMatchObject({ code: 0 });
        const all = await inStore(store);
        expect(await inLake(lake)).toEqual(all);
        expect(all.length).toBe((rounds + 1) * SOME - rounds * 2);
        expect(await lake.check()).toEqual([]);
        const erased = new RegExp(`"r(${Array.from({ length: rounds }, (_, i) => i + 1).join("|")})-[56]\\.`);
        expect(erased.test(await everythingIn(place.objects, [join(data, "lake")]))).toBe(false);
        const { version, rows } = await lake.state();
        measured(
          "the writer of the lake is killed",
          `${name}, ${counts.killed} kills of ${rounds}, ${counts.half} of them left files half written: ` +
            `${counts.newer} times all that was new was there, else all as before; at the end ${all.length} calls, ` +
            `each once and in its newest version (${rows} rows, manifest ${version}), no file too many`,
        );
      } finally {
        await store.close();
        await lake.close();
        await cleanup();
      }
    },
    120_000 + ROUNDS * 3_000,
  );
});

test("while its place is away calls are taken, readiness says so, and it catches up by itself", async () => {
  const { path, cleanup } = await temporaryFolder();
  const folder = join(path, "lake");
  writeFileSync(folder, "in the way");
  const earshot = await startEarshot({
    EARSHOT_DATA_DIR: join(path, "data"),
    EARSHOT_MODEL_DIR: "statistical:",
    EARSHOT_LOG_LEVEL: "error",
    EARSHOT_LAKE_URL: `file:${folder}`,
    EARSHOT_LAKE_INTERVAL: "1",
  });
  const lake = await folderPlace(path).open();
  try {
    const { status } = await earshot.call("POST", "/api/v1/calls", {
      agent_id: "ann",
      transcript: "Agent: Hello.\nCustomer: I am happy.",
      start_time: "2026-03-01T10:00:00Z",
    });
    expect(status).toBe(202);
    await vi.waitFor(async () =>
      expect(await earshot.get("/health/ready")).toMatchObject({ status: "degraded", checks: { lake: { ok: false } } }),
    );
    rmSync(folder);
    const began = performance.now();
    await vi.waitFor(async () => expect((await lake.query("SELECT count(*)::INT FROM calls")).rows).toEqual([[1]]), {
      timeout: 20_000,
      interval: 100,
    });
    measured(
      "the lake's place is away",
      `202 meanwhile; caught up ${inSeconds(performance.now() - began)} after it was back`,
    );
    await vi.waitFor(async () =>
      expect(await earshot.get("/health/ready")).toMatchObject({ checks: { lake: { ok: true } } }),
    );
  } finally {
    await lake.close();
    await earshot.stop();
    await cleanup();
  }
});

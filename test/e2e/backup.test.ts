/** Backup and restore by the command line, as an operator does it. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { makeBackup, type Manifest } from "../../src/services/backups.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { describeFile } from "../../src/services/restore.ts";
import { measured } from "../support/measured.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { aCall, openQuiet } from "../support/sqlite-store.ts";

let place: string;
let env: Record<string, string>;
const undo: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  place = path;
  env = dataIn("data");
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function dataIn(name: string): Record<string, string> {
  return { EARSHOT_DATA_DIR: join(place, name), EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "error" };
}

async function serve(more: Record<string, string> = {}): Promise<Earshot> {
  const earshot = await startEarshot({ ...env, ...more });
  undo.push(() => earshot.stop("SIGKILL"));
  return earshot;
}

const body = (call_id: string) => ({
  call_id,
  agent_id: `agent-${call_id.length}`,
  transcript: `Agent: Hello, this is ${call_id}.\nCustomer: ${"I am not sure about your price. ".repeat(20)}`,
});

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
}

async function idsIn(path: string): Promise<Set<string>> {
  const db = openForReading(path);
  const ids = db.prepare<[], string>("SELECT call_id FROM call_records").pluck().all();
  db.close();
  return new Set(ids);
}

test("a backup under writes, restored elsewhere: whole, sums right, all that was acknowledged before is there", async () => {
  const earshot = await serve();
  const calls = Array.from({ length: 1_000 }, (_, i) => body(`before-${i}`));
  expect((await earshot.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
  let writing = true;
  const acknowledged: string[] = [];
  const writers = Array.from({ length: 8 }, async (_, lane) => {
    for (let i = 0; writing; i++) {
      const answer = await earshot.call("POST", "/api/v1/calls", body(`during-${lane}-${i}`));
      await answer.arrayBuffer();
      if (answer.status === 202) acknowledged.push(`during-${lane}-${i}`);
    }
  });
  await expect.poll(() => acknowledged.length, { timeout: 20_000, interval: 10 }).toBeGreaterThan(50);
  const before = [...calls.map((c) => c.call_id), ...acknowledged];
  const folder = join(place, "copies", "first");
  const made = await runCli(["backup", folder], env);
  const meanwhile = acknowledged.length - (before.length - calls.length);
  writing = false;
  await Promise.all(writers);
  expect(made.code).toBe(0);
  expect(made.stdout.trim()).toBe(folder);
  expect(meanwhile).toBeGreaterThan(0);
  expect(readdirSync(folder).toSorted()).toEqual(["earshot.db", "manifest.json"]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  const { jobs } = await earshot.get<{ jobs: { kind: string; state: string }[] }>("/api/v1/jobs");
  expect(jobs[0]).toMatchObject({ kind: "backup", state: "done" });
  // Nothing is left in the server's own folder.
  expect(readdirSync(join(place, "data", "backups"))).toEqual([]);

  // In use: no force helps.
  const refused = await runCli(["restore", folder, "--force"], env);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("is in use")]);
  await earshot.stop();

  const restored = await runCli(["restore", folder, "--into", join(place, "other")], env);
  expect(restored.stderr).toContain("erase them again");
  expect(restored.code).toBe(0);
  const path = join(place, "other", "earshot.db");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const ids = await idsIn(path);
  expect(before.filter((id) => !ids.has(id))).toEqual([]);
  expect(manifestOf(folder).counts["call_records"]).toBe(ids.size);
  const store = await openQuiet(path);
  undo.push(() => store.close());
  expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
  const sums = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
  expect(sums.reduce((n, s) => n + s.total_calls, 0)).toBe(ids.size);
  const db = openForReading(path);
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  measured(
    "backup while writes go on",
    `${before.length} calls acknowledged before it, all in the copy of ${ids.size}; ${meanwhile} written meanwhile`,
  );
  db.close();
}, 90_000);

test("without a server: the same; secrets only when asked for; what is there is kept aside, never overwritten", async () => {
  const store = await openQuiet(join(place, "data", "earshot.db"));
  await store.calls.accept([aCall("old")], 1);
  await store.close();
  writeFileSync(join(place, "data", "jwt.secret"), `${"s".repeat(43)}\n`, { mode: 0o600 });
  const plain = await runCli(["backup"], env);
  expect(plain.code).toBe(0);
  expect(readdirSync(plain.stdout.trim()).toSorted()).toEqual(["earshot.db", "manifest.json"]);
  const folder = join(place, "with");
  expect((await runCli(["backup", folder, "--with-secrets"], env)).code).toBe(0);
  expect(manifestOf(folder).files.map((f) => f.name)).toEqual(["earshot.db", "jwt.secret"]);
  expect((await runCli(["backup", folder], env)).stderr).toContain("overwrites nothing");

  const later = await openQuiet(join(place, "data", "earshot.db"));
  await later.calls.accept([aCall("new")], 1);
  await later.close();
  expect((await runCli(["restore", folder], env)).stderr).toContain("--force");
  expect([...(await idsIn(join(place, "data", "earshot.db")))].toSorted()).toEqual(["new", "old"]);
  const forced = await runCli(["restore", folder, "--force"], env);
  expect(forced.code).toBe(0);
  expect([...(await idsIn(join(place, "data", "earshot.db")))]).toEqual(["old"]);
  const kept = readdirSync(join(place, "data")).filter((n) => /\.before-\w+-\w+$/.test(n) && !/-(wal|shm)$/.test(n));
  expect(kept).toHaveLength(2);
  const aside = kept.find((n) => n.startsWith("earshot.db")) ?? "";
  expect([...(await idsIn(join(place, "data", aside)))].toSorted()).toEqual(["new", "old"]);
});

function flipped(folder: string): void {
  const bytes = readFileSync(join(folder, "earshot.db"));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(folder, "earshot.db"), bytes);
}

test("what is damaged, too new or no backup is refused by name, and nothing is touched", async () => {
  const store = await openQuiet(join(place, "data", "earshot.db"));
  await store.calls.accept(
    Array.from({ length: 200 }, (_, i) => aCall(`c${i}`, {}, ["some words ".repeat(50)])),
    1,
  );
  await store.close();
  const good = join(place, "good");
  expect((await runCli(["backup", good], env)).code).toBe(0);
  const target = join(place, "target");
  const attempt = async (change: (folder: string) => void): Promise<string> => {
    const folder = join(place, "bad");
    await cp(good, folder, { recursive: true, force: true });
    change(folder);
    const { code, stderr } = await runCli(["restore", folder, "--into", target], env);
    expect(code).toBeGreaterThan(0);
    expect(existsSync(join(target, "earshot.db"))).toBe(false);
    expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
    return stderr;
  };
  const change = (folder: string, more: object): void =>
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifestOf(folder), ...more }));

  expect(await attempt(flipped)).toContain("earshot.db of the backup is damaged");
  expect(await attempt((f) => change(f, { schema: 999 }))).toContain("newer Earshot");
  expect(await attempt((f) => change(f, { format: 2 }))).toContain("reads format 1");
  const outside = [...manifestOf(good).files, { name: "../admin.key", bytes: 0, sha256: "" }];
  expect(await attempt((f) => change(f, { files: outside }))).toContain("lists other files");
  expect(await attempt((f) => writeFileSync(join(f, "manifest.json"), "{"))).toContain("damaged");
  // A manifest that agrees with a broken database does not make it whole.
  const broken = async (): Promise<string> => {
    const folder = join(place, "broken");
    await cp(good, folder, { recursive: true });
    const bytes = readFileSync(join(folder, "earshot.db"));
    bytes.fill(0x5a, 4_096 * 3, 4_096 * 40);
    writeFileSync(join(folder, "earshot.db"), bytes);
    const file = { name: "earshot.db", ...(await describeFile(join(folder, "earshot.db"))) };
    change(folder, { files: [file] });
    return (await runCli(["restore", folder, "--into", target], env)).stderr;
  };
  expect(await broken()).toContain("The database of the backup is damaged");
  expect(existsSync(join(target, "earshot.db"))).toBe(false);
  await mkdir(join(place, "empty"));
  expect((await runCli(["restore", join(place, "empty")], env)).code).toBe(2);
});

test("a backup that a shutdown ends leaves nothing behind", async () => {
  const store = await openQuiet(join(place, "data", "earshot.db"));
  await store.calls.accept(
    Array.from({ length: 4_000 }, (_, i) => aCall(`c${i}`, {}, [`some words ${i} `.repeat(1_500)])),
    1,
  );
  const folder = join(place, "copies", "half");
  const closing: Promise<void>[] = [];
  const backup = makeBackup(
    { copies: store, version: "test", now: Date.now },
    {
      folder,
      // At its first step: later it might be through.
      onProgress() {
        if (closing.length === 0) closing.push(store.close());
      },
    },
  );
  await expect(backup).rejects.toThrow();
  await Promise.all(closing);
  expect(readdirSync(join(place, "copies"))).toEqual([]);
});

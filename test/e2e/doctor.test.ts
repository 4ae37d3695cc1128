/** `doctor` meets each fault for real, says what to do, and changes nothing. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { examineDatabase } from "../../src/adapters/sql/examine.ts";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { examineClock, examineDisk, examineStore, examineVersions, type Finding } from "../../src/services/doctor.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis-server.ts";
import { requirement } from "../support/requirements.ts";
import { runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { aCall, openQuiet } from "../support/sqlite-store.ts";

let data: string;
let path: string;
let env: Record<string, string>;
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  const { path: folder, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  data = join(folder, "data");
  path = join(data, "earshot.db");
  env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "error" };
  const store = await openQuiet(path);
  await store.calls.accept(
    Array.from({ length: 100 }, (_, i) => aCall(`c${i}`)),
    1,
  );
  await store.close();
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function doctor(more: Record<string, string> = {}): Promise<{ code: number | null; found: Finding[] }> {
  const { code, stdout, stderr } = await runCli(["doctor", "--json"], { ...env, ...more });
  if (stdout === "") throw new Error(stderr);
  return { code, found: JSON.parse(stdout) as Finding[] };
}

function of(found: readonly Finding[], check: string): Finding | undefined {
  return found.find((f) => f.check === check && f.state !== "ok") ?? found.find((f) => f.check === check);
}

/** What is found about the database file alone. */
function store(timezone = "UTC", now = Date.now()): Finding[] {
  return examineStore(examineDatabase(path), { path, timezone, now });
}

function change(sql: string): void {
  const db = openForWriting(path);
  db.exec(sql);
  db.close();
}

test("an installation without faults: all ok, exit 0, with a server and without; nothing is left behind", async () => {
  const before = readFileSync(path);
  const { code, found } = await doctor();
  expect(found.filter((f) => f.state === "fail")).toEqual([]);
  expect(code).toBe(0);
  expect(of(found, "database")).toMatchObject({ state: "ok", todo: null });
  expect(of(found, "server")?.says).toContain("none runs");
  expect(readFileSync(path).equals(before)).toBe(true);
  const text = await runCli(["doctor"], env);
  expect(text.stdout).toMatch(/^ok {4}versions {6}Earshot .*Node v2/m);

  const earshot = await startEarshot(env);
  undo.push(() => earshot.stop());
  const { found: beside } = await doctor({ EARSHOT_PORT: "8000" });
  expect(of(beside, "server")).toMatchObject({ state: "ok", says: `answers at ${earshot.url}` });
  expect(of(beside, "database")).toMatchObject({ state: "ok" });
});

test("settings: every problem fails, an unknown name warns", async () => {
  const bad = await doctor({ EARSHOT_PORT: "http", EARSHOT_TIMEZONE: "Mars" });
  expect(bad.code).toBe(1);
  expect(bad.found.filter((f) => f.check === "settings" && f.state === "fail")).toHaveLength(2);
  const { code, found } = await doctor({ EARSHOT_PROT: "1" });
  expect(code).toBe(0);
  expect(of(found, "settings")).toMatchObject({
    state: "warn",
    says: expect.stringContaining("EARSHOT_PROT") as string,
  });
});

test("files that others may read, a port that another program has", async () => {
  chmodSync(path, 0o644);
  chmodSync(data, 0o755);
  writeFileSync(join(data, "admin.key"), "ek_admin_0123456789", { mode: 0o600 });
  const other = createServer().listen(0, "127.0.0.1");
  undo.push(() => other.close());
  await once(other, "listening");
  const { code, found } = await doctor({ EARSHOT_PORT: String((other.address() as AddressInfo).port) });
  expect(code).toBe(1);
  expect(found.filter((f) => f.check === "permissions").map((f) => [f.state, f.todo])).toEqual([
    ["warn", `chmod 0700 '${data}'`],
    ["fail", `chmod 0600 '${path}'`],
  ]);
  expect(of(found, "server")).toMatchObject({ state: "fail", todo: expect.stringContaining("EARSHOT_PORT") as string });
});

test("a model that is not there warns, one that is damaged fails", async () => {
  const folder = join(data, "models", "mine");
  const absent = await doctor({ EARSHOT_MODEL_DIR: folder });
  expect([absent.code, of(absent.found, "model")?.state]).toEqual([0, "warn"]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), "{}");
  const damaged = await doctor({ EARSHOT_MODEL_DIR: folder });
  expect(damaged.code).toBe(1);
  expect(of(damaged.found, "model")).toMatchObject({
    state: "fail",
    todo: expect.stringContaining("models pull") as string,
  });
});

test("a damaged database, and what is none", () => {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4_096 * 4, 4_096 * 30);
  writeFileSync(path, bytes);
  expect(of(store(), "database")).toMatchObject({ state: "fail", todo: expect.stringContaining("restore") as string });
  writeFileSync(path, "no database at all, but long enough to be read as one".repeat(100));
  expect(of(store(), "database")).toMatchObject({ state: "fail" });
});

test("schemas: older warns, newer fails", () => {
  change("PRAGMA user_version = 2");
  expect(of(store(), "schema")).toMatchObject({ state: "warn", todo: expect.stringContaining("migrate") as string });
  // Where a newer Earshot has been, this one opens nothing for writing.
  const db = new Database(path);
  db.pragma("user_version = 999");
  db.close();
  expect(of(store(), "schema")).toMatchObject({ state: "fail", todo: expect.stringContaining("Upgrade") as string });
});

test("dead letters, late work, days of another zone, a clock that went back", () => {
  change("UPDATE work SET state = 'dead' WHERE work_no <= 3");
  expect(of(store(), "dead letters")).toMatchObject({ state: "warn", says: "3 calls could not be enriched" });
  expect(of(store(), "work")?.state).toBe("ok");
  expect(of(store("UTC", Date.now() + 600_000), "work")?.state).toBe("warn");
  expect(of(store("Europe/Berlin"), "time zone")?.state).toBe("warn");
  const last = examineDatabase(path)?.last_event_at ?? 0;
  expect(examineClock(Date.now(), last).state).toBe("ok");
  expect(examineClock(last - 7_200_000, last)).toMatchObject({
    state: "warn",
    says: expect.stringContaining("120 minutes") as string,
  });
  expect(examineClock(0, null).state).toBe("fail");
  expect(examineVersions({ earshot: "1", node: "v20.1.0", sqlite: "3" }).state).toBe("fail");
});

test("a log that cannot be moved into the file", () => {
  const eye = openForWriting(path);
  const writing = openForWriting(path);
  writing.pragma("wal_autocheckpoint = 0");
  const big = Buffer.alloc(1 << 20);
  writing.exec("CREATE TEMP TABLE x (y)");
  // 260 MB of pages that stay in the log while somebody reads.
  eye.exec("BEGIN");
  eye.prepare("SELECT count(*) FROM work").get();
  writing.transaction(() => {
    const put = writing.prepare("INSERT INTO bookmarks (name, value) VALUES (?, ?)");
    for (let i = 0; i < 260; i++) put.run(`b${i}`, big);
  })();
  expect(of(store(), "log")).toMatchObject({ state: "warn" });
  eye.close();
  writing.close();
}, 60_000);

test("a disk without room, and one that is full", async (context) => {
  const small = join(data, "small");
  mkdirSync(small);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small], { stdio: "ignore" });
  } catch {
    context.skip("mounting a small disk needs root");
  }
  undo.push(() => execFileSync("umount", [small]));
  const [room, space] = await examineDisk({ folder: small, database_bytes: 0 });
  expect([room?.state, space?.check, space?.state]).toEqual(["ok", "disk", "fail"]);
  expect(() => writeFileSync(join(small, "full"), Buffer.alloc(2 << 20))).toThrow("ENOSPC");
  const [full] = await examineDisk({ folder: small, database_bytes: 0 });
  expect(full).toMatchObject({ state: "fail", says: expect.stringContaining("ENOSPC") as string });
});

test.skipIf(requirement("redis") === null)("a Redis that is there, away, or named for what it is not", async () => {
  const server = await startRedis(requirement("redis") as string);
  undo.push(() => server.close());
  const { host } = new URL(server.url);
  const nobody = `127.0.0.1:${await freePort()}`;
  const { code, found } = await doctor({
    EARSHOT_STREAM_URL: server.url,
    EARSHOT_DISPATCH_URL: `redis+cluster://:hunter2@${host}`,
    EARSHOT_CACHE_URL: `redis://:hunter2@${nobody}`,
  });
  expect(code).toBe(0);
  expect(JSON.stringify(found)).not.toContain("hunter2");
  const states = found.filter(({ check }) => check === "redis");
  expect(states.map(({ state }) => state)).toEqual(["ok", "warn", "warn"]);
  expect(states[0]?.says).toMatch(`at Redis ${host} (EARSHOT_STREAM_URL)`);
  expect(states[1]?.says).toMatch(`Redis cluster ${host} (EARSHOT_DISPATCH_URL) cannot be used`);
  expect(states[2]?.says).toMatch(`Redis ${nobody} (EARSHOT_CACHE_URL) cannot be used: connect ECONNREFUSED`);
});

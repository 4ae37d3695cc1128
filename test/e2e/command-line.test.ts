import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SETTINGS } from "../../src/settings.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";

/** Runs many command lines in one process. */
const COMMAND_LINES = join(import.meta.dirname, "../support/command-lines.ts");

let data: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
let earshot: Earshot;

beforeAll(async () => {
  data = await temporaryFolder();
  env = { EARSHOT_DATA_DIR: data.path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "warn" };
  earshot = await startEarshot(env);
});

afterAll(async () => {
  await earshot.stop();
  await data.cleanup();
});

const status = async (path: string, key: string): Promise<number> =>
  (await fetch(earshot.url + path, { headers: { authorization: `Bearer ${key}` } })).status;

test.each([[[]], [["keys", "add"]]])("a command explains itself and exits with 0: %j", async (args) => {
  const { code, stdout } = await runCli([...args, "--help"], env);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: ${["earshot", ...args].join(" ")} `);
});

test("so does every other", async () => {
  const commands = [
    ["serve"],
    ["demo"],
    ["import"],
    ["models"],
    ["models", "pull"],
    ["users", "add"],
    ["dead", "list"],
    ["erase"],
    ["purge"],
    ["backup"],
    ["restore"],
    ["doctor"],
    ["migrate"],
    ["openapi"],
  ];
  const lines = JSON.stringify(commands.map((args) => [...args, "--help"]));
  const { code, stdout, stderr } = await runCli([], env, lines, COMMAND_LINES);
  expect([code, stderr]).toEqual([0, ""]);
  const answers = JSON.parse(stdout) as { code: number; stdout: string }[];
  expect(answers).toEqual(
    commands.map((args) => ({
      code: 0,
      stdout: expect.stringContaining(`Usage: ${["earshot", ...args].join(" ")} `) as string,
    })),
  );
});

test.each([
  [["frobnicate"]],
  [["serve", "--role", "king"]],
  [["keys", "add", "--role", "king"]],
  [["keys", "add", "--role", "agent"]],
  [["import"]],
  [["import", "-"]],
  [["migrate", "now"]],
  [["purge"]],
  [["purge", "--older-than", "soon"]],
  [["restore"]],
])("wrong usage exits with 2: %j", async (args) => {
  const { code, stderr } = await runCli(args, env);
  expect(code).toBe(2);
  expect(stderr).toMatch(/error|must|needs|Say/);
});

test("dead letters are listed a line each and redriven, one or all, beside a running server", async () => {
  const { path, remove } = temporary();
  const own = { ...env, EARSHOT_STORE_URL: `sqlite:${path}` };
  const store = await openQuiet(path);
  await store.calls.accept([aCall("one"), aCall("two"), aCall("three")], 1);
  const items = await store.work.take(3, "w", 60_000);
  const failed = items.map(({ work_no, call_id }) => ({ work_no, error: `infer: ${call_id}`, retry_at: null }));
  await store.work.fail(failed, "w");
  const list = async () => (await runCli(["dead", "list"], own)).stdout.split("\n").filter((line) => line !== "");
  expect((await list()).map((line) => line.split("\t").toSpliced(2, 1))).toEqual([
    ["three", "attempts 1", "infer: three"],
    ["two", "attempts 1", "infer: two"],
    ["one", "attempts 1", "infer: one"],
  ]);
  expect(await runCli(["dead", "redrive", "two"], own)).toMatchObject({ code: 0 });
  expect(await runCli(["dead", "redrive", "two"], own)).toMatchObject({ code: 1 });
  expect(await runCli(["dead", "redrive"], own)).toMatchObject({ code: 0 });
  expect(await list()).toEqual([]);
  expect(await store.work.depth()).toMatchObject({ ready: 3, dead: 0 });
  await store.close();
  remove();
});

test("purge says what it would erase, erases it, and leaves a job that says so", async () => {
  const { path, remove } = temporary();
  const own = { ...env, EARSHOT_STORE_URL: `sqlite:${path}` };
  const store = await openQuiet(path);
  await store.calls.accept([aCall("one"), aCall("two")], 1);
  await store.close();
  const dry = await runCli(["purge", "--older-than", "0", "--dry-run"], own);
  expect([dry.code, dry.stderr]).toEqual([0, expect.stringContaining("2 calls were received") as string]);
  const kept = await runCli(["purge", "--older-than", "1"], own);
  expect([kept.code, kept.stderr]).toEqual([0, expect.stringContaining("0 calls received") as string]);
  const purged = await runCli(["purge", "--older-than", "0"], own);
  expect([purged.code, purged.stderr]).toEqual([0, expect.stringContaining("2 calls received") as string]);
  const after = await openQuiet(path);
  expect(await after.calls.receivedBefore(Number.MAX_SAFE_INTEGER)).toBe(0);
  const jobs = await after.jobs.recent(5);
  expect(jobs).toMatchObject([
    { kind: "retention", state: "done", counts: { done: 2, total: 2 }, report: { days: 0 } },
  ]);
  await after.close();
  remove();
});

test("wrong settings exit with 2 and are named", async () => {
  const { code, stderr } = await runCli(["migrate"], { ...env, EARSHOT_PORT: "http", EARSHOT_TIMEZONE: "Mars" });
  expect(code).toBe(2);
  expect(stderr).toContain("EARSHOT_PORT");
  expect(stderr).toContain("EARSHOT_TIMEZONE");
});

test("a key is alone on stdout, works at once, and is refused within five seconds of being revoked", async () => {
  const { code, stdout } = await runCli(["keys", "add", "--role", "analyst", "--name", "reports"], env);
  expect(code).toBe(0);
  const key = stdout.trim();
  expect(key).toMatch(/^\S+$/);
  expect(await status("/api/v1/analytics/agents", key)).toBe(200);
  const listed = await runCli(["keys", "list"], env);
  expect(listed.stdout).not.toContain(key);
  const id =
    listed.stdout
      .split("\n")
      .find((l) => l.includes("reports"))
      ?.split("\t")[0] ?? "";
  expect((await runCli(["keys", "revoke", id], env)).code).toBe(0);
  const revoked = performance.now();
  while ((await status("/api/v1/analytics/agents", key)) === 200) {
    if (performance.now() - revoked > 5_000) throw new Error("still accepted after 5 s");
  }
  expect(await status("/api/v1/analytics/agents", key)).toBe(401);
  expect((await runCli(["keys", "revoke", id], env)).code).toBe(1);
});

test("a user made here can sign in; the name cannot be taken twice", async () => {
  const add = ["users", "add", "ann", "--role", "manager", "--team", "west", "--password-stdin"];
  expect((await runCli(add, env, "correct horse\n")).code).toBe(0);
  expect((await runCli(add, env, "correct horse\n")).code).toBe(1);
  const login = await fetch(`${earshot.url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "ann", password: "correct horse" }),
  });
  expect(login.status).toBe(200);
  const { access_token, token_type } = (await login.json()) as { access_token: string; token_type: string };
  expect(token_type.toLowerCase()).toBe("bearer");
  expect(await status("/auth/me", access_token)).toBe(200);
});

test("secrets made at first start are for this user only", async () => {
  expect((await stat(join(data.path, "jwt.secret"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(data.path, "earshot.db"))).mode & 0o777).toBe(0o600);
});

test("a start that fails says why and ends, leaving no thread behind", async () => {
  const place = await temporaryFolder();
  await writeFile(join(place.path, "admin.key"), "");
  const { code, stderr } = await runCli(["serve"], { ...env, EARSHOT_DATA_DIR: place.path, EARSHOT_ADMIN_KEY: "" });
  expect(code).toBe(1);
  expect(stderr).toContain("admin.key holds no secret");
  await place.cleanup();
});

test("metrics need a token and count requests", async () => {
  expect((await fetch(`${earshot.url}/metrics`)).status).toBe(401);
  const text = await (await earshot.call("GET", "/metrics")).text();
  expect(text).toMatch(/earshot_http_request_duration_seconds_count\{route="\/api\/v1\/analytics\/agents"/);
  expect(text).toMatch(/earshot_work_items\{state="ready"\} 0/);
});

test("`openapi` prints the document in the repository", async () => {
  const { stdout } = await runCli(["openapi"], env);
  expect(stdout).toBe(await readFile(join(import.meta.dirname, "../../openapi.json"), "utf8"));
});

test("the README lists every setting with its default", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  for (const { name, fallback } of SETTINGS) expect(readme).toContain(`| ${name} | ${fallback} |`);
});

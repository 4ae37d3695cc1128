/** A database that another process has locked, and a disk that is full, at the real server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { inSeconds, measured } from "../support/measured.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const LOCK = join(import.meta.dirname, "../support/lock-process.ts");
const MIB = 1024 * 1024;
const unshare = requirement("mount");
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function folder(): Promise<string> {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  return path;
}

async function serve(data: string, under: readonly string[] = []): Promise<Earshot> {
  const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "silent" };
  const earshot = await startEarshot(env, ["serve"], under);
  undo.push(() => earshot.stop("SIGKILL"));
  return earshot;
}

/** All work is done. */
function drained(earshot: Earshot): Promise<unknown> {
  return vi.waitFor(
    async () => {
      const { checks } = await earshot.get<{ checks: { queue: object } }>("/health/ready");
      expect(checks.queue).toMatchObject({ ready: 0, running: 0 });
    },
    { timeout: 30_000, interval: 100 },
  );
}

const call = (call_id: string, words = "hello") => ({ call_id, transcript: `Customer: ${words}` });

test("a lock held by another process: writes wait a bounded time and answer 503, reads go on, then all is well", async () => {
  const data = await folder();
  const earshot = await serve(data);
  await earshot.call("POST", "/api/v1/calls", call("before"));
  await drained(earshot);
  const other = spawn(process.execPath, [LOCK, join(data, "earshot.db")], { stdio: ["pipe", "pipe", "inherit"] });
  undo.push(async () => other.kill("SIGKILL"));
  await once(other.stdout, "data");

  const began = performance.now();
  let waiting = true;
  const refused = Promise.all(
    Array.from({ length: 20 }, (_, i) => earshot.call("POST", "/api/v1/calls", call(`during-${i}`))),
  ).finally(() => (waiting = false));
  const reads: number[] = [];
  while (waiting) {
    const asked = performance.now();
    await earshot.get("/api/v1/calls/before");
    reads.push(performance.now() - asked);
  }
  for (const answer of await refused) {
    expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([503, true]);
    expect(await answer.json()).toMatchObject({ code: "store_unavailable" });
  }
  // Five seconds of patience, and no read in line behind the writes.
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(reads.length).toBeGreaterThan(100);
  expect(Math.max(...reads)).toBeLessThan(1_000);

  measured(
    "database locked for writing",
    `20 writes refused with 503 within ${inSeconds(performance.now() - began)}; ` +
      `${reads.length} reads meanwhile, the slowest ${Math.round(Math.max(...reads))} ms`,
  );

  other.stdin.end();
  await once(other, "close");
  expect((await earshot.call("POST", "/api/v1/calls", call("after"))).status).toBe(202);
  await drained(earshot);
  expect(await earshot.get("/api/v1/calls?limit=1")).toMatchObject({ total: 2 });
}, 60_000);

describe.skipIf(unshare === null)("a full disk", () => {
  test("writes answer 507 or 503, reads go on, and with room again all goes on without a restart", async () => {
    const disk = await folder();
    // A disk of its own, which goes with the process.
    const mounted = 'mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@"';
    const earshot = await serve(join(disk, "data"), [unshare ?? "", "-rm", "sh", "-c", mounted, disk]);
    const filler = join(`/proc/${earshot.pid}/root`, disk, "filler");
    writeFileSync(filler, Buffer.alloc(14 * MIB));

    const accepted: string[] = [];
    let refused: Response | null = null;
    for (let i = 0; refused === null; i++) {
      expect(i).toBeLessThan(500);
      const answer = await earshot.call(
        "POST",
        "/api/v1/calls",
        call(`c${i}`, `number ${i} ${"word ".repeat(20_000)}`),
      );
      if (answer.status === 202) accepted.push(`c${i}`);
      else refused = answer;
    }
    expect([503, 507]).toContain(refused.status);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(["storage_full", "store_unavailable"]).toContain(((await refused.json()) as { code: string }).code);
    expect(accepted.length).toBeGreaterThan(10);

    const before = await earshot.get<{ total: number }>("/api/v1/calls?limit=1");
    expect(before.total).toBe(accepted.length);
    for (const call_id of accepted) expect(await earshot.get(`/api/v1/calls/${call_id}`)).toMatchObject({ call_id });
    expect((await earshot.call("GET", "/health")).status).toBe(200);

    rmSync(filler);
    expect((await earshot.call("POST", "/api/v1/calls", call("after"))).status).toBe(202);
    // What was leased when the disk filled up is taken again when its leases have run out; what is new goes on at once.
    await vi.waitFor(
      async () => expect((await earshot.get("/api/v1/calls/after"))["enrichment"]).toMatchObject({ state: "degraded" }),
      { timeout: 30_000, interval: 100 },
    );
    expect(await earshot.get("/api/v1/calls?limit=1")).toMatchObject({ total: accepted.length + 1 });
    measured(
      "disk full",
      `${accepted.length} calls accepted, then ${refused.status}; all read meanwhile, then written again`,
    );
    expect((await earshot.stop())[0]).toBe(0);
  }, 60_000);
});

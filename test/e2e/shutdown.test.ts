/** The end of a process: what was acknowledged is there, what is under way is finished, and nothing can hold it up. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { inSeconds, measured } from "../support/measured.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function serve(
  level = "error",
  more: Record<string, string> = {},
): Promise<{ earshot: Earshot; env: Record<string, string> }> {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const env = { EARSHOT_DATA_DIR: path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: level, ...more };
  const earshot = await startEarshot(env);
  undo.push(() => earshot.stop("SIGKILL"));
  return { earshot, env };
}

/** [exit code, seconds]. */
async function ended(earshot: Earshot, signal: NodeJS.Signals = "SIGTERM"): Promise<[number | null, number]> {
  const began = performance.now();
  const [code] = await earshot.stop(signal);
  return [code, (performance.now() - began) / 1000];
}

test("SIGTERM under load: every acknowledged call is there afterwards, once, and its work with it", async () => {
  const { earshot, env } = await serve();
  const acknowledged: string[] = [];
  let stopping = false;
  let refused = 0;
  const enough = Promise.withResolvers<void>();
  const client = async (lane: number): Promise<void> => {
    for (let i = 0; !stopping || refused < 24; i++) {
      const call_id = `load-${lane}-${i}`;
      const transcript = "Agent: Hello.\nCustomer: I am not happy with this at all.";
      const answer = await earshot.call("POST", "/api/v1/calls", { call_id, transcript }).catch(() => null);
      if (answer?.status === 202) acknowledged.push(call_id);
      // Nobody listens any more.
      if (answer === null && stopping) return;
      if (answer === null) refused++;
      await answer?.arrayBuffer().catch(() => null);
      if (acknowledged.length === 400) enough.resolve();
    }
  };
  const clients = Array.from({ length: 24 }, (_, lane) => client(lane));
  await enough.promise;
  stopping = true;
  const [code, seconds] = await ended(earshot);
  await Promise.all(clients);
  expect(code).toBe(0);
  expect(seconds).toBeLessThan(10);
  expect(refused).toBe(0);
  expect(earshot.stderr()).toBe("");

  const again = await startEarshot(env);
  undo.push(() => again.stop("SIGKILL"));
  const agents = await vi.waitFor(
    async () => {
      const [row] = await again.get<{ total_calls: number; sentiment: { n: number } }[]>("/api/v1/analytics/agents");
      if (row?.sentiment.n !== row?.total_calls) throw new Error(`${row?.sentiment.n} of ${row?.total_calls}`);
      return row;
    },
    { timeout: 60_000, interval: 100 },
  );
  // Calls whose answer was cut off may be there too; none of the others may be missing or be there twice.
  expect(agents?.total_calls).toBeGreaterThanOrEqual(acknowledged.length);
  expect(agents?.total_calls).toBeLessThanOrEqual(acknowledged.length + clients.length);
  measured(
    "SIGTERM under load",
    `exit ${code} after ${inSeconds(seconds * 1000)}; ${acknowledged.length} acknowledged, ` +
      `${agents?.total_calls} there afterwards, ${refused} connections refused before the end`,
  );
  for (const call_id of acknowledged) expect((await again.call("GET", `/api/v1/calls/${call_id}`)).status).toBe(200);
}, 120_000);

/** Sends a request whose body does not end; the socket, and all that comes back. */
async function halfSent(url: string): Promise<{ finish: () => void; answer: Promise<string> }> {
  const body = JSON.stringify({ call_id: "slow", transcript: "Customer: hello" });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    `POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-admin-key-0123456789\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  let text = "";
  // 100 Continue: the server has taken the request up.
  const [first] = (await once(socket.setEncoding("utf8"), "data")) as [string];
  text += first;
  const answer = (async () => {
    socket.on("data", (s: string) => (text += s));
    await once(socket, "close");
    return text;
  })();
  socket.write(body.slice(0, 10));
  return { finish: () => void socket.write(body.slice(10)), answer };
}

test("readiness says 503 at once; a request under way is finished; sockets hear when to come again", async () => {
  const { earshot } = await serve();
  const socket = new WebSocket(`${earshot.url.replace("http", "ws")}/ws`, {
    headers: { authorization: "Bearer test-admin-key-0123456789" },
  });
  await once(socket, "open");
  const closed = once(socket, "close") as Promise<[number, Buffer]>;
  expect((await earshot.call("GET", "/health/ready")).status).toBe(200);
  const slow = await halfSent(earshot.url);
  const end = ended(earshot);
  const ready = await vi.waitFor(
    async () => {
      const answer = await earshot.call("GET", "/health/ready");
      if (answer.status !== 503) throw new Error("not yet");
      return (await answer.json()) as object;
    },
    { timeout: 1_400, interval: 5 },
  );
  expect(ready).toMatchObject({ status: "unavailable", checks: { server: { ok: false }, store: { ok: true } } });
  slow.finish();
  expect(await slow.answer).toMatch(/HTTP\/1.1 202 .*connection: close/is);
  const [code, reason] = await closed;
  expect(code).toBe(1012);
  expect(String(reason)).toMatch(/^reconnect after \d+ ms$/);
  expect(await end).toEqual([0, expect.any(Number)]);
  expect(earshot.stderr()).toBe("");
});

test("with a delay all is served on, also to who comes anew, while readiness says 503 and connections are given up", async () => {
  const { earshot } = await serve("error", { EARSHOT_DRAIN_DELAY: "1" });
  const agent = new Agent({ keepAlive: true });
  const get = async (path: string): Promise<[number | undefined, string | undefined]> => {
    const sent = request(earshot.url + path, { agent, headers: { authorization: "Bearer test-admin-key-0123456789" } });
    const [response] = (await once(sent.end(), "response")) as [IncomingMessage];
    for await (const _ of response);
    return [response.statusCode, response.headers.connection];
  };
  expect(await get("/api/v1/calls")).toEqual([200, "keep-alive"]);
  const end = ended(earshot);
  await vi.waitFor(async () => expect(await get("/health/ready")).toEqual([503, "close"]), { interval: 20 });
  const began = performance.now();
  let served = 0;
  for (; performance.now() - began < 500; served++) expect(await get("/api/v1/calls")).toEqual([200, "close"]);
  const [code, seconds] = await end;
  expect(code).toBe(0);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(served).toBeGreaterThan(1);
  agent.destroy();
});

test("a client that never ends its request is cut off, and said to be", async () => {
  const { earshot } = await serve("warn");
  const slow = await halfSent(earshot.url);
  const [code, seconds] = await ended(earshot);
  expect(code).toBe(0);
  expect(seconds).toBeLessThan(10);
  measured(
    "a part that hangs",
    `a client that never ends its request: exit ${code} after ${inSeconds(seconds * 1000)}`,
  );
  expect(await slow.answer).not.toContain("202");
  expect(earshot.stderr()).toContain("were cut off");
});

test("a database that another process has locked does not hold up the end", async () => {
  const { earshot, env } = await serve();
  const other = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import Database from "better-sqlite3";
       new Database(${JSON.stringify(join(env["EARSHOT_DATA_DIR"] ?? "", "earshot.db"))}).exec("BEGIN IMMEDIATE");
       console.log("locked"); setInterval(() => {}, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"], cwd: import.meta.dirname },
  );
  undo.push(async () => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const posted = earshot
    .call("POST", "/api/v1/calls", { call_id: "x", transcript: "Customer: hello" })
    .catch(() => null);
  const [code, seconds] = await ended(earshot);
  expect(seconds).toBeLessThan(10);
  expect(code).toBe(0);
  // Refused or cut off, but not acknowledged.
  expect((await posted)?.status).not.toBe(202);
});

/** A process that waits for a signal and whose close never ends. */
function hanging(bound_ms: number): { child: ChildProcess; said: () => string } {
  const script = `
    import { untilSignal } from ${JSON.stringify(join(import.meta.dirname, "../../src/commands/running.ts"))};
    import { createLog } from ${JSON.stringify(join(import.meta.dirname, "../../src/observe/logger.ts"))};
    const log = createLog("info");
    setInterval(() => {}, 1000);
    const end = untilSignal({ log, close: () => new Promise(() => {}) }, ${bound_ms});
    console.log("waiting");
    await end;`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  undo.push(async () => child.kill("SIGKILL"));
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (s: string) => (text += s));
  return { child, said: () => text };
}

/** Resolves when the process has heard the signal. */
async function signalled({ child, said }: ReturnType<typeof hanging>): Promise<void> {
  await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  child.kill("SIGTERM");
  await vi.waitFor(() => expect(said()).toContain("shutting down"), { timeout: 20_000, interval: 10 });
}

test("what hangs for good is ended with 1 and a line that says so", async () => {
  const hang = hanging(300);
  await signalled(hang);
  expect(await once(hang.child, "close")).toEqual([1, null]);
  expect(hang.said()).toContain("did not end in time");
});

test("a second signal ends at once", async () => {
  const hang = hanging(60_000);
  await signalled(hang);
  hang.child.kill("SIGTERM");
  expect(await once(hang.child, "close")).toEqual([130, null]);
});

test("kill -9 loses nothing that was acknowledged, and its leases do not outlive it", async () => {
  const { earshot, env } = await serve();
  const calls = Array.from({ length: 300 }, (_, i) => ({
    call_id: `k${i}`,
    transcript: "Customer: this is bad\nAgent: oh",
  }));
  expect((await earshot.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
  await earshot.stop("SIGKILL");
  // A command is a process too: alone with the file, it finds no lease that anybody could still hold.
  expect((await runCli(["dead", "list"], env)).code).toBe(0);
  const again = await startEarshot(env);
  undo.push(() => again.stop("SIGKILL"));
  await vi.waitFor(
    async () => {
      const { total } = await again.get<{ total: number }>("/api/v1/calls?state=degraded&limit=1");
      if (total !== 300) throw new Error(`${total} of 300`);
    },
    // A lease would last 15 s.
    { timeout: 12_000, interval: 50 },
  );
});

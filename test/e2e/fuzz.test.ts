/**
 * Every operation of the OpenAPI document with made-up requests, at the real server: EARSHOT_TEST_CASES an operation (50),
 * from EARSHOT_TEST_SEED (1). With EARSHOT_TEST_STORE=postgres the store is a PostgreSQL.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request as send } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text as read } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import document from "../../openapi.json" with { type: "json" };
import { generateDemo } from "../../src/demo/generate.ts";
import { type FuzzOperation, type FuzzRequest, operationsOf, requestsFor } from "../support/fuzz.ts";
import { checker, type Document } from "../support/http-server.ts";
import { measured } from "../support/measured.ts";
import { freshDatabase } from "../support/postgres-server.ts";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";

const CASES = Number(process.env["EARSHOT_TEST_CASES"] ?? 50);
const SEED = Number(process.env["EARSHOT_TEST_SEED"] ?? 1);
const LANES = 4;
const MOST_GROWTH = 100 * 1024 * 1024;

const operations = operationsOf(document);
const check = checker(document as unknown as Document);
const agent = new Agent({ keepAlive: true, maxSockets: LANES });
let earshot: Earshot;
let undo: () => Promise<unknown>;

beforeAll(async () => {
  const { path, cleanup } = await temporaryFolder();
  undo = cleanup;
  const store: Record<string, string> = {};
  if (process.env["EARSHOT_TEST_STORE"] === "postgres") {
    const { url, drop } = await freshDatabase();
    undo = () => drop().then(cleanup);
    store["EARSHOT_STORE_URL"] = url;
    store["EARSHOT_JWT_SECRET"] = "a secret that all processes know for tests";
  }
  earshot = await startEarshot({
    ...store,
    EARSHOT_DATA_DIR: join(path, "data"),
    EARSHOT_MODEL_DIR: "statistical:",
    // What is refused for its number would not be looked at.
    EARSHOT_RATE_LIMIT: "0",
    EARSHOT_RATE_LIMIT_ADDRESS: "0",
  });
  const seeds = generateDemo({ seed: 3, now: Date.UTC(2026, 5, 1), calls: 3 });
  const calls = seeds.map(({ call }, i) => Object.assign({}, call, { call_id: `seed-${i + 1}` }));
  expect((await earshot.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
});

afterAll(async () => {
  agent.destroy();
  await earshot.stop();
  await undo();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** As it is, past every client that would put it right; null where the server ended the connection before all was sent. */
function ask({ method, url, headers, body }: FuzzRequest): Promise<Answer | null> {
  const { hostname, port } = new URL(earshot.url);
  const authorization = `Bearer ${ADMIN_KEY}`;
  const length = body && !("transfer-encoding" in headers) ? { "content-length": String(body.length) } : {};
  return new Promise((resolve, reject) => {
    const request = send({
      host: hostname,
      port,
      method,
      path: url,
      agent,
      headers: { authorization, ...length, ...headers },
    });
    request.once("response", (response) => {
      const { statusCode: status = 0, headers } = response;
      if (isStream(headers)) {
        // Has no end of its own.
        response.destroy();
        resolve({ status, headers, text: "" });
      } else read(response).then((text) => resolve({ status, headers, text }), reject);
    });
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (["EPIPE", "ECONNRESET"].includes(error.code ?? "")) resolve(null);
      else reject(error);
    });
    request.end(body);
  });
}

function isStream(headers: IncomingHttpHeaders): boolean {
  return headers["content-type"]?.startsWith("text/event-stream") ?? false;
}

/** What is wrong with an answer, or null. */
function wrong({ method, url }: FuzzRequest, { status, headers, text }: Answer): string | null {
  if (isStream(headers)) return status === 200 ? null : "a stream that is an error";
  const type = headers["content-type"] ?? "";
  if (type.startsWith("application/x-ndjson"))
    return text.trimEnd().split("\n").at(-1)?.startsWith('{"end":') === true ? null : "lines without an end";
  if (status >= 400 && !type.startsWith("application/problem+json")) return `content type ${type} of an error`;
  if (status < 400 && text !== "" && !type.startsWith("application/json")) return `content type ${type}`;
  if (text === "") return status === 204 || status === 304 ? null : "no body";
  let body: { status?: number; errors?: { pointer: string }[] };
  try {
    body = JSON.parse(text) as typeof body;
    check(method, url, status, body);
  } catch (error) {
    return (error as Error).message;
  }
  if (status >= 400 && body.status !== status) return `says status ${body.status}`;
  if (status !== 422) return null;
  const pointers = body.errors?.map((e) => e.pointer) ?? [];
  if (pointers.length > 0 && pointers.every((pointer) => /^(?:\?.*|(?:\/.*)?|Idempotency-Key)$/s.test(pointer)))
    return null;
  return `422 names ${JSON.stringify(pointers)}`;
}

interface Tally {
  readonly statuses: Record<string, number>;
  readonly bad: string[];
  unread: number;
  shed: number;
}

async function fuzz(operation: FuzzOperation, cases: Parameters<typeof requestsFor>[2], tally: Tally): Promise<void> {
  const [made, rotten] = requestsFor(operation, document, cases);
  const lane = async (requests: Iterable<FuzzRequest>): Promise<void> => {
    for (const request of requests) {
      const answer = await ask(request);
      if (answer === null) {
        tally.unread++;
        continue;
      }
      const { status } = answer;
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      if (status === 503 && answer.headers["retry-after"] !== undefined) {
        tally.shed++;
        continue;
      }
      const problem = status >= 500 ? answer.text : wrong(request, answer);
      if (problem !== null) {
        const { method, url, note } = request;
        tally.bad.push(`${method} ${url.slice(0, 200)} ${JSON.stringify(note)}: ${status} ${problem.slice(0, 400)}`);
      }
    }
  };
  const queue = made.values();
  await Promise.all(Array.from({ length: LANES }, () => lane(queue)));
  // Large bodies one by one: what one of them takes is bounded by the limit of its operation.
  await lane(rotten);
}

/** Bytes the server has in memory, now or at most; 0 where the system does not tell. */
function memory(what: "VmRSS" | "VmHWM"): number {
  const file = `/proc/${earshot.pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(file, "utf8"))?.[1] ?? 0) * 1024;
}

/** Bytes of the server's main heap in use, with what it holds outside of it. */
async function live(): Promise<number> {
  const text = await (await earshot.call("GET", "/metrics")).text();
  const found = text.matchAll(/^earshot_nodejs_(?:heap_size_used|external_memory)_bytes (\S+)$/gm);
  return Array.from(found, ([, bytes]) => Number(bytes)).reduce((sum, bytes) => sum + bytes, 0);
}

const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

test(`${operations.length} operations, ${CASES} cases each: no 5xx, answers as documented, memory bounded`, async () => {
  const tally: Tally = { statuses: {}, bad: [], unread: 0, shed: 0 };
  const warm: Tally = { statuses: {}, bad: [], unread: 0, shed: 0 };
  const atStart = await live();
  const cold = memory("VmRSS");
  // What every server takes once: code, caches, and a heap that has seen large bodies.
  for (const [i, operation] of operations.entries()) {
    await fuzz(operation, { n: 20, seed: SEED * 10_000 + i, rotten: true }, warm);
  }
  const before = memory("VmRSS");
  if (before > 0) writeFileSync(`/proc/${earshot.pid}/clear_refs`, "5");
  for (const [i, operation] of operations.entries()) {
    await fuzz(operation, { n: CASES, seed: SEED * 100 + i, rotten: true }, tally);
  }
  const peak = memory("VmHWM");
  // What was accepted can be enriched, whatever it was.
  await vi.waitFor(
    async () => {
      const { checks } = await earshot.get<{ checks: { queue: object } }>("/health/ready");
      expect(checks.queue).toMatchObject({ ready: 0, running: 0 });
    },
    { timeout: 30_000, interval: 100 },
  );
  expect(await earshot.get("/api/v1/dead-letters")).toEqual({ dead_letters: [] });
  // What is no longer needed goes when the next garbage is collected.
  const [after, liveGrowth] = await vi.waitFor(
    async () => {
      const grown = [memory("VmRSS") - before, (await live()) - atStart] as const;
      expect(Math.max(...grown)).toBeLessThanOrEqual(MOST_GROWTH);
      return [memory("VmRSS"), grown[1]] as const;
    },
    { timeout: 20_000, interval: 100 },
  );
  measured(
    "bad input",
    `${operations.length} operations x ${CASES} cases: ${JSON.stringify(tally.statuses)}, ${tally.unread} cut off, ` +
      `${tally.shed} shed, ${tally.bad.length} bad; memory ${mib(cold)} at the start, ${mib(before)} once all was asked, ${mib(peak)} at most, ${mib(after)} after; ` +
      `${mib(liveGrowth)} more in use than at the start`,
  );
  expect([...warm.bad, ...tally.bad].slice(0, 10)).toEqual([]);
  // Not all were refused at the door.
  expect(Object.keys(tally.statuses)).toEqual(expect.arrayContaining(["200", "202", "204", "207", "404", "422"]));
  expect(peak - before).toBeLessThanOrEqual(MOST_GROWTH);
}, 3_600_000);

test("what is no HTTP, or half of it, is refused and leaves the others alone", async () => {
  const { hostname, port } = new URL(earshot.url);
  const half = "POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
  const raw = [
    "\0\0\0\0",
    "GET / HTTP/9.9\r\n\r\n",
    `${half}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`,
    `${half}Content-Length: -1\r\n\r\n`,
    `${half}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    `${half}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
    `GET /health HTTP/1.1\r\nHost: x\r\n${"a: b\r\n".repeat(5_000)}\r\n`,
    "GET /health HTTP/1.1\r\nHost: x\r\nx\0y: z\r\n\r\n",
  ];
  for (const bytes of raw) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.end(bytes);
    let text = "";
    try {
      for await (const chunk of socket.setEncoding("latin1")) text += String(chunk);
    } catch {
      // Reset: the server had heard enough.
    }
    expect(text).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
  }
  expect(await earshot.get("/health")).toEqual({ status: "ok" });
});

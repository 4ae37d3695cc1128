/** What is refused when there is too much to do, and what is not. Over real sockets: refusals come before Fastify. */
import { connect } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ADMIN_KEY, type TestHttp, startHttp } from "../support/http-server.ts";
import { measured } from "../support/measured.ts";
import { SCHEMAS } from "../../src/http/schema.ts";
import type { ShedLimits } from "../../src/http/shed.ts";
import { startEarshot, temporaryFolder } from "../support/process.ts";

let http: TestHttp;
let url: string;

async function start(shed: Partial<ShedLimits>): Promise<void> {
  http = await startHttp({ config: { shed }, lockWaitMs: 3_000 });
  url = await http.app.listen({ host: "127.0.0.1", port: 0 });
}

function ask(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const call = (call_id: string, transcript = "Customer: hello") => ({ call_id, transcript });

/** The refusal, after it was found to say what it must. */
async function expectRefusal(response: Response, because: string): Promise<void> {
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const wait = Number(response.headers.get("retry-after"));
  expect(wait).toSatisfy((s: number) => s >= 1 && s <= 3);
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ type: "/docs#error-overloaded", status: 503, code: "overloaded" });
  expect(body["detail"]).toBe(`The server refused this request unread: ${because}; try again in ${wait} s`);
  expect(body["request_id"]).toBe(response.headers.get("x-request-id"));
  expect(Object.keys(SCHEMAS.Problem.properties)).toEqual(expect.arrayContaining(Object.keys(body)));
}

describe("writes that wait for the disk", () => {
  afterEach(() => http.close());

  test("are refused once the oldest has waited too long; reads, health and log-in are not", async () => {
    await start({ write_wait_ms: 100 });
    expect((await ask("POST", "/api/v1/calls", call("c1"))).status).toBe(202);
    const release = http.lock();
    const waiting = ask("POST", "/api/v1/calls", call("c2"));
    await vi.waitFor(() => expect(http.store.oldestWrite()).toBeGreaterThan(100));
    const before = performance.now();
    await expectRefusal(await ask("POST", "/api/v1/calls", call("c3")), "writes wait too long for the disk");
    expect(performance.now() - before).toBeLessThan(1_000);
    expect((await ask("GET", "/api/v1/calls/c1")).status).toBe(200);
    expect((await ask("GET", "/health")).status).toBe(200);
    expect((await ask("POST", "/auth/login", { username: "nobody", password: "wrong" })).status).toBe(401);
    release();
    expect((await waiting).status).toBe(202);
    expect((await ask("POST", "/api/v1/calls", call("c3"))).status).toBe(202);
    expect(await http.metrics.scrape()).toMatch(/earshot_shed_requests_total\{reason="writes"\} 1/);
  });
});

describe("too many requests under way", () => {
  afterEach(() => http.close());

  test("refuse the next of any kind but health, and its body is not read", async () => {
    await start({ in_flight: 1 });
    const release = http.lock();
    const waiting = ask("POST", "/api/v1/calls", call("c1"));
    await vi.waitFor(() => expect(http.store.oldestWrite()).toBeGreaterThan(0));
    await expectRefusal(await ask("GET", "/api/v1/calls"), "too many requests are under way");
    const large = await ask("POST", "/api/v1/calls", call("c2", `Customer: ${"x".repeat(100_000)}`));
    expect(large.headers.get("connection")).toBe("close");
    await expectRefusal(large, "too many requests are under way");
    expect((await ask("GET", "/health")).status).toBe(200);
    release();
    expect((await waiting).status).toBe(202);
    await vi.waitFor(async () => expect((await ask("GET", "/api/v1/calls")).status).toBe(200));
    expect(await http.metrics.scrape()).toMatch(/earshot_shed_requests_total\{reason="in-flight"\} [2-9]/);
  });
});

/**
 * Keeps `depth` requests waiting at the server on one connection, so that it is behind however slow we are. HEAD: the
 * server makes what it would send, and sends and costs us next to nothing. Ends when called; the statuses so far.
 */
function pipelined(at: string, path: string, depth: number): () => number[] {
  const { hostname, port } = new URL(at);
  const one = `HEAD ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`;
  const socket = connect(Number(port), hostname);
  const statuses: number[] = [];
  let rest = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    const heads = (rest + text).split("\r\n\r\n");
    rest = heads.pop() ?? "";
    for (const head of heads) statuses.push(Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]));
    socket.write(one.repeat(heads.length));
  });
  socket.on("error", () => {});
  socket.write(one.repeat(depth));
  return () => {
    socket.destroy();
    return statuses;
  };
}

describe("an event loop that is late", () => {
  test("refuses a part at once, answers the rest and health, and all again when it is over", async () => {
    const place = await temporaryFolder();
    // A process of its own: here clients and server would share a loop.
    const server = await startEarshot({ EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: "statistical:" });
    try {
      const calls = Array.from({ length: 200 }, (_, i) => call(`c${i}`, "Customer: hello there\n".repeat(100)));
      expect((await server.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
      const flood = Array.from({ length: 20 }, () => pipelined(server.url, "/api/v1/calls?view=full&limit=10", 10));
      let refusal: Response | null = null;
      while (refusal === null) {
        const answer = await server.call("GET", "/api/v1/calls?limit=1");
        if (answer.status === 503) refusal = answer;
        else await answer.arrayBuffer();
        expect((await server.call("GET", "/health")).status).toBe(200);
      }
      const statuses = flood.flatMap((stop) => stop());
      expect(new Set(statuses)).toEqual(new Set([200, 503]));
      await expectRefusal(refusal, "it has been late for a while");
      await vi.waitFor(
        async () => expect((await server.call("GET", "/api/v1/calls?view=full&limit=100")).status).toBe(200),
        { timeout: 30_000, interval: 100 },
      );
      const metrics = await (await server.call("GET", "/metrics")).text();
      expect(metrics).toMatch(/earshot_shed_requests_total\{reason="loop"\} [1-9]/);
      const refused = statuses.filter((status) => status === 503).length;
      measured(
        "overload",
        `${statuses.length - refused} answered, ${refused} refused unread, health 200; then all again`,
      );
    } finally {
      await server.stop();
      await place.cleanup();
    }
  }, 120_000);
});

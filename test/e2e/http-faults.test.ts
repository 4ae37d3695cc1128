import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_KEY, type TestHttp, startHttp } from "../support/http-server.ts";

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp({ lockWaitMs: 50 });
});
afterAll(() => http.close());

describe("a database that another process has locked", () => {
  test("writes answer 503 with Retry-After, reads go on, and nothing needs a restart", async () => {
    const body = { call_id: "c1", transcript: "Customer: hello" };
    await http.ask("POST", "/api/v1/calls", { body });
    const release = http.lock();
    const answers = [
      await http.ask<{ code: string; detail: string }>("POST", "/api/v1/calls", { body: { ...body, call_id: "c2" } }),
      await http.ask<{ code: string; detail: string }>("PUT", "/api/v1/calls/c1", { body }),
      await http.ask<{ code: string; detail: string }>("DELETE", "/api/v1/calls/c1"),
      await http.ask<{ code: string; detail: string }>("POST", "/api/v1/calls/bulk", { body: { calls: [body] } }),
    ];
    for (const { status, headers, body: problem } of answers) {
      expect([status, problem.code]).toEqual([503, "store_unavailable"]);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    }
    expect((await http.ask("GET", "/api/v1/calls/c1")).status).toBe(200);
    expect((await http.ask<{ total: number }>("GET", "/api/v1/calls")).body.total).toBe(1);
    release();
    expect((await http.ask("POST", "/api/v1/calls", { body: { ...body, call_id: "c2" } })).status).toBe(202);
  });
});

describe("on the wire", () => {
  let port: number;
  beforeAll(async () => {
    port = Number(new URL(await http.app.listen({ host: "127.0.0.1", port: 0 })).port);
  });

  /** Sends bytes as they are; everything that comes back until the server closes. */
  async function raw(...parts: string[]): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    // The server may have heard enough before everything is sent.
    socket.on("error", () => {});
    for (const part of parts) socket.write(part);
    let text = "";
    try {
      for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
    return text;
  }

  test("what is no HTTP, and headers without end, are refused as problems", async () => {
    expect(await raw("hello?\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*problem\+json.*This is no HTTP request/s);
    const large = await raw(`GET /health HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 .*The headers are too large/s);
  });

  test("an 11 MB body is refused by its length alone, and without a length as soon as it is too long", async () => {
    const head = `POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
    expect(await raw(`${head}Content-Length: ${11 * 1024 * 1024}\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 .*too_large/s);
    const chunk = `100000\r\n${"x".repeat(0x10_00_00)}\r\n`;
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n`, chunk, chunk, chunk)).toMatch(
      /^HTTP\/1.1 413 .*too_large/s,
    );
  });

  test("without credentials no body is read", async () => {
    const head =
      "POST /api/v1/calls/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    expect(await raw(`${head}Content-Length: 60000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 401 /);
  });
});

describe("made-up input", () => {
  const names = fc.constantFrom(
    "limit",
    "offset",
    "agent_id",
    "from_date",
    "to_date",
    "min_sentiment",
    "max_sentiment",
    "cursor",
    "sort",
    "fields",
    "view",
    "outcome",
    "q",
    "mode",
    "after",
    "x",
  );
  const values = fc.oneof(
    fc.string({ unit: "binary" }).map((s) => s.toWellFormed()),
    fc.double().map(String),
    fc.constantFrom("", "0", "1", "-1", "1e309", "2026-01-01", "null", "call_id", "full", "\0", "%", "a".repeat(600)),
  );

  test("in queries never makes a 5xx", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("calls", "search", "events", "dead-letters", "calls/c1", "analytics/agents", "jobs/x"),
        fc.array(fc.tuple(names, values), { maxLength: 4 }),
        async (path, pairs) => {
          const query = pairs.map(([n, v]) => `${n}=${encodeURIComponent(v)}`).join("&");
          expect((await http.ask("GET", `/api/v1/${path}?${query}`)).status).toBeLessThan(500);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("in bodies and paths never makes a 5xx", async () => {
    const ids = fc.string({ unit: "binary", minLength: 1, maxLength: 200 }).map((s) => s.toWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          ["POST", "/api/v1/calls"],
          ["POST", "/api/v1/calls/bulk"],
          ["PUT", "/api/v1/calls/"],
          ["POST", "/auth/login"],
          ["POST", "/auth/session"],
          ["POST", "/api/v1/dead-letters/redrive"],
          ["DELETE", "/api/v1/calls/"],
          ["GET", "/api/v1/calls/"],
        ),
        ids,
        fc.oneof(
          fc.jsonValue(),
          fc.record({ transcript: fc.string(), call_id: fc.string() }),
          fc.record({ calls: fc.array(fc.jsonValue()) }),
        ),
        async ([method = "", path = ""], id, body) => {
          const url = path.endsWith("/") ? path + encodeURIComponent(id) : path;
          const answer = await http.ask(method, url, method === "GET" || method === "DELETE" ? {} : { body });
          expect([method, url, answer.status < 500]).toEqual([method, url, true]);
        },
      ),
      { numRuns: 400 },
    );
  });
});

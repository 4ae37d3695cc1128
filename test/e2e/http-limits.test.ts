import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { memoryRateLimit } from "../../src/adapters/limits/memory.ts";
import { type TestHttp, startHttp } from "../support/http-server.ts";

let http: TestHttp;

interface Problem extends Record<string, unknown> {
  readonly code: string;
  readonly detail: string;
}

describe("an account", () => {
  beforeAll(async () => {
    const account = memoryRateLimit({ limit: 5, window_s: 60 });
    http = await startHttp({ limits: { account, address: null } });
  });
  afterAll(() => http.close());

  test("is told what is left, then which limit it met and when to return; others go on", async () => {
    const [mine, other] = [(await http.key("analyst")).key, (await http.key("analyst")).key];
    for (let left = 4; left >= 0; left--) {
      const { status, headers } = await http.ask("GET", "/api/v1/calls", { key: mine });
      expect([status, headers["ratelimit-policy"]]).toEqual([200, '"default";q=5;w=60']);
      expect(headers["ratelimit"]).toMatch(new RegExp(`^"default";r=${left};t=(60|[1-5]?\\d)$`));
    }
    const refused = await http.ask<Problem>("GET", "/api/v1/calls", { key: mine });
    const wait = Number(refused.headers["retry-after"]);
    expect(wait).toSatisfy((s: number) => s >= 1 && s <= 60);
    expect([refused.status, refused.body.code]).toEqual([429, "too_many_requests"]);
    expect(refused.body.detail).toBe(
      `More than 5 requests of this account in 60 seconds; try again in ${wait} s. Bulk and import send many calls in one request.`,
    );
    expect(refused.headers["ratelimit-policy"]).toBe('"default";q=5;w=60');
    expect(refused.headers["ratelimit"]).toBe(`"default";r=0;t=${wait}`);
    expect((await http.ask("GET", "/api/v1/calls", { key: other })).status).toBe(200);
    // Public addresses are nobody's.
    expect((await http.ask("GET", "/health", { key: null })).headers["ratelimit"]).toBeUndefined();
    expect(await http.metrics.scrape()).toMatch(/earshot_rate_limited_requests_total\{limit="default"\} 1/);
  });

  test("has its messages about live calls counted as requests, and goes on by the same socket afterwards", async () => {
    const { key } = await http.key("admin");
    const url = await http.app.listen({ host: "127.0.0.1", port: 0 });
    const ws = new WebSocket(`${url.replace("http", "ws")}/ws/live`, { headers: { authorization: `Bearer ${key}` } });
    const answers: { ref: number; type: string; code?: string; retry_after?: number }[] = [];
    const all = new Promise<void>((resolve, reject) => {
      ws.on("message", (data: Buffer) => {
        if (answers.push(JSON.parse(data.toString()) as (typeof answers)[0]) === 7) resolve();
      });
      ws.on("close", (code) => reject(new Error(`closed with ${code}`)));
    });
    ws.on("open", () => {
      for (let ref = 1; ref <= 7; ref++) ws.send(JSON.stringify({ type: "start", ref, call_id: "counted" }));
    });
    await all;
    expect(answers.slice(0, 5).map(({ ref, type }) => [ref, type])).toEqual([1, 2, 3, 4, 5].map((ref) => [ref, "ack"]));
    for (const refused of answers.slice(5)) expect(refused).toMatchObject({ type: "error", code: "too_many_requests" });
    expect(answers.at(-1)?.retry_after).toSatisfy((s: number) => s >= 1 && s <= 60);
    ws.terminate();
  });
});

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
const wrong = (address: string) => http.ask<Problem>("GET", "/api/v1/calls", { key: "nobody", ...from(address) });
/** From an address that is no proxy of ours. */
const direct = (forged: string) => {
  const headers = { authorization: "Bearer nobody", "x-forwarded-for": forged, "x-forwarded-proto": "https" };
  return http.app.inject({ url: "/api/v1/calls", remoteAddress: "192.0.2.1", headers });
};

describe("an address", () => {
  afterEach(() => http.close());
  beforeEach(async () => {
    const address = memoryRateLimit({ limit: 3, window_s: 60 });
    http = await startHttp({ config: { trustProxy: ["127.0.0.1", "10.0.0.0/8"] }, limits: { account: null, address } });
  });

  test("with wrong credentials is refused after its limit; valid ones behind it, and other addresses, are not", async () => {
    for (let i = 0; i < 3; i++) expect((await wrong("203.0.113.7")).status).toBe(401);
    const refused = await wrong("203.0.113.7");
    expect([refused.status, refused.body.code]).toEqual([429, "too_many_requests"]);
    expect(refused.body.detail).toMatch(
      /^More than 3 requests without valid credentials from this address in 60 seconds; try again in \d+ s\.$/,
    );
    expect(refused.headers["ratelimit-policy"]).toBe('"address";q=3;w=60');
    expect((await http.ask("GET", "/api/v1/calls", { key: null, ...from("203.0.113.7") })).status).toBe(429);
    expect((await http.ask("GET", "/api/v1/calls", from("203.0.113.7"))).status).toBe(200);
    expect((await wrong("203.0.113.8")).status).toBe(401);
    expect(await http.metrics.scrape()).toMatch(/earshot_rate_limited_requests_total\{limit="address"\} 2/);
  });

  test("is the one that the proxy saw: what a client wrote in front of it changes nothing", async () => {
    // Through two proxies: the second writes the address of the first behind the client's.
    for (let i = 0; i < 3; i++) expect((await wrong(`198.51.100.${i}, 203.0.113.7, 10.1.2.3`)).status).toBe(401);
    expect((await wrong("198.51.100.9, 203.0.113.7, 10.1.2.3")).status).toBe(429);
    expect((await wrong("10.9.9.9, 203.0.113.7")).status).toBe(429);
    expect((await wrong("203.0.113.7, 203.0.113.8")).status).toBe(401);
  });

  test("that is no proxy of ours is taken as it is, whatever it says of others and of TLS", async () => {
    for (let i = 0; i < 3; i++) {
      const answer = await direct(`198.51.100.${i}`);
      expect([answer.statusCode, answer.headers["strict-transport-security"]]).toEqual([401, undefined]);
    }
    expect((await direct("198.51.100.9")).statusCode).toBe(429);
  });

  test("of IPv6 counts by its network", async () => {
    for (const address of ["2001:db8:0:7::1", "2001:db8:0:7::2", "2001:db8:0:7:ffff:1:2:3"]) {
      expect((await wrong(address)).status).toBe(401);
    }
    expect((await wrong("2001:db8:0:7::4")).status).toBe(429);
    expect((await wrong("2001:db8:0:8::1")).status).toBe(401);
  });

  test("counts sockets without valid credentials as well", async () => {
    const url = await http.app.listen({ host: "127.0.0.1", port: 0 });
    const code = async (): Promise<number> => {
      const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers: { authorization: "Bearer nobody" } });
      const { promise, resolve } = Promise.withResolvers<number>();
      socket.on("close", resolve);
      return promise;
    };
    expect([await code(), await code(), await code(), await code()]).toEqual([4401, 4401, 4401, 4429]);
  });
});

/** What a shared cache keeps and for whom, through a real nginx with the cache of deploy/nginx/earshot.conf. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startHttp, type TestHttp } from "../support/http-server.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { ADMIN_KEY, type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const nginx = requirement("nginx");
const FIGURES = "/api/v1/analytics/agents";
const TTL_S = 1;
const ASKED_MS = 2_000;
const CLIENTS = 8;
const SHARED = `public, max-age=0, s-maxage=${TTL_S}, stale-while-revalidate=${TTL_S}`;

describe("what an answer says of itself", () => {
  let http: TestHttp;
  beforeAll(async () => {
    http = await startHttp({ config: { sharedCacheSeconds: TTL_S } });
  });
  afterAll(() => http.close());

  test("figures may be shared among those with the same Authorization, and by nobody else", async () => {
    for (const path of [FIGURES, "/api/v1/analytics/definitions"]) {
      const { headers } = await http.ask("GET", path);
      expect(headers).toMatchObject({
        "cache-control": SHARED,
        vary: "Authorization, Cookie, Origin, Earshot-Position",
        etag: expect.any(String) as string,
      });
      const again = await http.ask("GET", path, { headers: { "if-none-match": String(headers.etag) } });
      expect([again.status, again.headers["cache-control"]]).toEqual([304, SHARED]);
    }
  });

  test.each([
    ["what was said on calls", "/api/v1/calls", {}],
    ["events", "/api/v1/events?after=0", {}],
    ["figures of a browser's session", FIGURES, { cookie: "earshot_session=whatever" }],
    ["figures from a position on", FIGURES, { "earshot-position": "1" }],
  ])("%s: only with the asker", async (_, path, headers) => {
    const answer = await http.ask("GET", path, { headers });
    expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "private, no-cache"]);
  });

  test("a refusal is kept by nobody", async () => {
    const { headers, status } = await http.ask("GET", FIGURES, { key: null });
    expect([status, headers["cache-control"]]).toEqual([401, "no-store"]);
  });

  test("the reference is the same for everybody", async () => {
    for (const path of ["/openapi.json", "/docs"]) {
      const { headers } = await http.ask("GET", path, { key: null });
      expect(headers).toMatchObject({
        "cache-control": "public, max-age=300, stale-while-revalidate=86400",
        vary: "Origin",
        etag: expect.any(String) as string,
      });
    }
  });

  test("without the setting figures stay with the asker as well", async () => {
    const other = await startHttp();
    const { headers } = await other.ask("GET", FIGURES);
    await other.close();
    expect(headers["cache-control"]).toBe("private, no-cache");
  });
});

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const cacheSaid = ({ headers }: Got): string => String(headers["x-cache"]);
/** Calls of the one agent in the answer. */
const total = (got: Got): number => (JSON.parse(got.text) as { total_calls: number }[])[0]?.total_calls ?? 0;

describe.skipIf(nginx === null)("behind nginx with its cache", () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const keys: Record<string, string> = {};
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let earshot: Earshot;
  let proxy: Nginx;

  const get = (path: string, headers: Record<string, string>): Promise<Got> =>
    new Promise((resolve, reject) => {
      const sent = request(proxy.url + path, { agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (more: string) => (text += more));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on("error", reject).end();
    });
  const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${keys[name]}` });
  const asked = async (): Promise<number> => {
    const text = await (await earshot.call("GET", "/metrics")).text();
    const lines = text.split("\n").filter((line) => line.includes(`route="${FIGURES}"`) && line.includes("_count"));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const take = async (call_id: string, agent_id: string): Promise<void> => {
    const call = { call_id, agent_id, transcript: "Agent: Hello.\nCustomer: I am happy with this." };
    expect((await earshot.call("POST", "/api/v1/calls", call)).status).toBe(202);
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const env = {
      EARSHOT_DATA_DIR: folder.path,
      EARSHOT_MODEL_DIR: "statistical:",
      EARSHOT_LOG_LEVEL: "error",
      EARSHOT_CDN_TTL: String(TTL_S),
      EARSHOT_RATE_LIMIT: "0",
    };
    earshot = await startEarshot(env);
    proxy = await startNginx(nginx as string, [Number(new URL(earshot.url).port)], { cache: true });
    for (const name of ["ann", "bob"]) {
      const made = await runCli(["keys", "add", "--role", "agent", "--agent-id", name], env);
      keys[name] = made.stdout.trim();
      await take(`first-${name}`, name);
    }
    keys["admin"] = ADMIN_KEY;
  });
  afterAll(async () => {
    agent.destroy();
    await proxy.close();
    await earshot.stop();
    await folder.cleanup();
  });

  test("users who ask for the same at the same time each get their own, most of it from the cache", async () => {
    const seen: Record<string, string[]> = { ann: ["ann"], bob: ["bob"], admin: ["ann", "bob"] };
    const names = Object.keys(seen);
    const before = await asked();
    const counts: Record<string, number> = {};
    /** Requests that the clients make in so long; each answer is looked at. */
    const ask = async (ms: number, more: Record<string, string>): Promise<number> => {
      const began = performance.now();
      let sent = 0;
      const lane = async (number: number): Promise<void> => {
        for (let i = number; performance.now() - began < ms; i++, sent++) {
          const name = names[i % names.length] as string;
          const got = await get(FIGURES, { ...as(name), ...more });
          counts[cacheSaid(got)] = (counts[cacheSaid(got)] ?? 0) + 1;
          const agents = (JSON.parse(got.text) as { agent_id: string }[]).map((row) => row.agent_id);
          expect([got.status, agents.toSorted()]).toEqual([200, seen[name]]);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, number) => lane(number)));
      return sent;
    };
    const sent = await ask(ASKED_MS, {});
    const reached = (await asked()) - before;
    expect(reached).toBeGreaterThanOrEqual(names.length);
    // Each of them is fetched once a period, and at first by every client, whatever the number of requests.
    expect(reached).toBeLessThanOrEqual(names.length * (ASKED_MS / 1_000 / TTL_S + 2) + CLIENTS);
    expect(reached / sent).toBeLessThan(0.1);
    const kept = { ...counts };
    const without = await ask(1_000, { "earshot-position": "1" });
    expect(counts["BYPASS"]).toBe(without);
    console.log(
      `cache: ${sent} requests of ${names.length} users in ${ASKED_MS / 1_000} s, ${JSON.stringify(kept)}, ${reached} reached Earshot; ` +
        `${Math.round(((sent - reached) * 1_000) / ASKED_MS)} requests/s spared; past the cache the same clients got ${without} in 1 s`,
    );
  });

  test("what changed is seen when the time is over, and at once by who brings the position of the write or a cookie", async () => {
    const before = total(await get(FIGURES, as("ann")));
    const began = performance.now();
    await take("second-ann", "ann");
    const now = await get(FIGURES, { ...as("ann"), "earshot-position": "1" });
    expect([total(now), cacheSaid(now)]).toEqual([before + 1, "BYPASS"]);
    const session = await get(FIGURES, { cookie: `earshot_session=${keys["ann"]}` });
    expect([total(session), cacheSaid(session)]).toEqual([before + 1, "BYPASS"]);
    await vi.waitFor(async () => expect(total(await get(FIGURES, as("ann")))).toBe(before + 1), { timeout: 10_000 });
    expect(performance.now() - began).toBeLessThan((2 * TTL_S + 2) * 1_000);
  });

  test("nobody gets another's answer by leaving out or changing credentials", async () => {
    await get(FIGURES, as("ann"));
    expect((await get(FIGURES, {})).status).toBe(401);
    expect((await get(FIGURES, { authorization: `Bearer ${keys["ann"]}x` })).status).toBe(401);
    expect((await get(FIGURES, { authorization: `bearer ${keys["bob"]}` })).text).not.toContain('"ann"');
  });

  test("calls, events and refusals are fetched each time", async () => {
    for (const path of ["/api/v1/calls", "/api/v1/calls/first-ann", "/api/v1/events?after=0", "/api/v1/calls/none"]) {
      const [one, other] = [await get(path, as("ann")), await get(path, as("ann"))];
      expect([path, one.headers["x-cache"]]).toEqual([path, undefined]);
      // What comes from a cache has the id of the request that it was made for.
      expect(one.headers["x-request-id"]).not.toBe(other.headers["x-request-id"]);
    }
  });

  test("the reference and the page's files come from the cache, and 304 where the client has them", async () => {
    await get("/openapi.json", {});
    const { headers } = await get("/openapi.json", {});
    expect(headers["x-cache"]).toBe("HIT");
    const again = await get("/openapi.json", { "if-none-match": String(headers.etag) });
    expect([again.status, cacheSaid(again)]).toEqual([304, "HIT"]);
    const page = await get("/", {});
    expect(page.headers["cache-control"]).toBe("no-cache");
    const file = /\/assets\/[\w.-]+\.js/.exec(page.text)?.[0] as string;
    await get(file, {});
    const kept = await get(file, {});
    expect([kept.headers["cache-control"], cacheSaid(kept)]).toEqual(["public, max-age=31536000, immutable", "HIT"]);
  });

  test("a key that was revoked shows figures for no longer than twice the setting", async () => {
    await get(FIGURES, as("bob"));
    const listed = await runCli(["keys", "list"], { EARSHOT_DATA_DIR: folder.path });
    const id = /^(\S+).*agent.*bob/m.exec(listed.stdout)?.[1] as string;
    const env = { EARSHOT_DATA_DIR: folder.path };
    expect((await runCli(["keys", "revoke", id], env)).code).toBe(0);
    const began = performance.now();
    await vi.waitFor(async () => expect((await get(FIGURES, as("bob"))).status).toBe(401), { timeout: 10_000 });
    const took = (performance.now() - began) / 1000;
    expect(took).toBeLessThan(2 * TTL_S + 2);
    console.log(`cache: a revoked key was shown figures for ${took.toFixed(1)} s more, EARSHOT_CDN_TTL=${TTL_S}`);
  });
});

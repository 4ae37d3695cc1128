/** What answers while a part is away, and what comes back with it. */
import { rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { holdInRecovery } from "../support/recovery.ts";
import { type TestHttp, startHttp } from "../support/http-server.ts";
import { measured } from "../support/measured.ts";
import { temporary } from "../support/sqlite-store.ts";
import { requirement } from "../support/requirements.ts";

const python = requirement("python3");
const call = (call_id: string, words: string) => ({ call_id, customer_id: "carl", transcript: `Customer: ${words}` });
const READS = [
  "/api/v1/calls/c1",
  "/api/v1/calls?limit=5",
  "/api/v1/calls/c1/recommendations",
  "/api/v1/search?q=tulips",
];

describe.skipIf(python === null)("a database that cannot be read", () => {
  let http: TestHttp;
  const start = Date.UTC(2026, 5, 1);
  const clock = { now: start };
  let release: (() => Promise<void>) | null = null;
  const away = async (): Promise<void> => {
    release = await holdInRecovery(python as string, http.path);
  };
  const back = async (): Promise<void> => {
    await release?.();
    release = null;
  };

  beforeEach(async () => {
    clock.now = start;
    http = await startHttp({ lockWaitMs: 50, now: () => clock.now });
    for (const [id, words] of [
      ["c1", "the tulips are late"],
      ["c2", "the roses are early"],
    ] as const) {
      expect((await http.ask("POST", "/api/v1/calls", { body: call(id, words) })).status).toBe(202);
    }
    await http.enrich();
  });
  afterEach(async () => {
    await back();
    await http.close();
  });

  test("reads answer what they answered last, dated and marked; writes 503; all by itself again afterwards", async () => {
    const before = await Promise.all(READS.map((url) => http.ask("GET", url)));
    const figures = await http.ask("GET", "/api/v1/analytics/agents");
    await away();
    clock.now = start + 7_000;
    for (const [i, url] of READS.entries()) {
      const answer = await http.ask("GET", url);
      expect([url, answer.status]).toEqual([url, 200]);
      expect(answer.headers["earshot-degraded"]).toBe("models, store");
      expect(answer.headers.age).toBe("7");
      expect([answer.headers["etag"], answer.headers["cache-control"]]).toEqual([undefined, "no-store"]);
      const { degraded, ...rest } = answer.body;
      expect(degraded).toEqual(["models", "store"]);
      const { degraded: earlier, ...good } = before[i]?.body ?? {};
      expect(earlier).toEqual(["models"]);
      expect(rest).toEqual(good);
    }
    const stale = await http.ask("GET", "/api/v1/analytics/agents");
    expect([stale.status, stale.headers["earshot-degraded"], stale.text]).toEqual([200, "models, store", figures.text]);
    expect(stale.headers.age).toBe("7");
    const unknown = await http.ask("GET", "/api/v1/calls?limit=6");
    expect([unknown.status, unknown.body["code"]]).toEqual([503, "store_unavailable"]);
    expect(Number(unknown.headers["retry-after"])).toBeGreaterThan(0);
    const write = await http.ask("POST", "/api/v1/calls", { body: call("c3", "hello") });
    expect([write.status, write.body["code"]]).toEqual([503, "store_unavailable"]);
    expect(Number(write.headers["retry-after"])).toBeGreaterThan(0);
    expect(await scrape()).toMatch(/earshot_stand_in_answers_total\{route="\/api\/v1\/calls\/:call_id"\} 1/);
    expect(await scrape()).toMatch(/earshot_degraded\{part="store"\} 1/);
    measured(
      "database unreadable",
      `${READS.length + 1} reads answered with an Age of ${stale.headers.age} s; a write ${write.status}`,
    );

    await back();
    await vi.waitFor(async () => {
      for (const [i, url] of READS.entries()) {
        const answer = await http.ask("GET", url);
        expect([answer.status, answer.headers["earshot-degraded"], answer.headers.age]).toEqual([
          200,
          "models",
          undefined,
        ]);
        expect(answer.text).toBe(before[i]?.text);
      }
    });
    expect(await scrape()).toMatch(/earshot_degraded\{part="store"\} 0/);
    expect((await http.ask("POST", "/api/v1/calls", { body: call("c3", "hello") })).status).toBe(202);
  });

  const scrape = () => http.metrics.scrape();

  test("an asker never gets another's answer, and one that has it already is told so", async () => {
    const analyst = await http.key("analyst");
    const agent = await http.key("agent", { agent_id: "somebody else" });
    const { headers } = await http.ask("GET", "/api/v1/calls/c1");
    // Their keys are known from before, their answers are not.
    for (const { key } of [analyst, agent]) await http.ask("GET", "/auth/me", { key });
    await away();
    for (const { key } of [analyst, agent]) {
      expect((await http.ask("GET", "/api/v1/calls/c1", { key })).status).toBe(503);
    }
    const same = await http.ask("GET", "/api/v1/calls/c1", { headers: { "if-none-match": String(headers.etag) } });
    expect([same.status, same.headers["earshot-degraded"]]).toEqual([304, "models, store"]);
    expect(same.headers.age).toBe("0");
  });

  test("a key that was good a moment ago is good until the store can say otherwise", async () => {
    const { key } = await http.key("analyst");
    const { text } = await http.ask("GET", "/api/v1/calls?limit=5", { key });
    await away();
    clock.now = start + 60_000;
    const answer = await http.ask("GET", "/api/v1/calls?limit=5", { key });
    expect([answer.status, answer.headers.age]).toEqual([200, "60"]);
    expect(answer.body["calls"]).toEqual((JSON.parse(text) as { calls: unknown }).calls);
  });

  test("what is older than ten minutes does not stand in", async () => {
    await http.ask("GET", "/api/v1/calls/c1");
    await away();
    clock.now = start + 599_000;
    expect((await http.ask("GET", "/api/v1/calls/c1")).status).toBe(200);
    clock.now = start + 601_000;
    expect((await http.ask("GET", "/api/v1/calls/c1")).status).toBe(503);
  });

  test("words that were erased or replaced do not come back", async () => {
    const gone = async (): Promise<void> => {
      await away();
      for (const url of READS) expect([url, (await http.ask("GET", url)).status]).toEqual([url, 503]);
      expect((await http.ask("GET", "/api/v1/calls/c2")).status).toBe(200);
      await back();
      await vi.waitFor(async () => expect((await http.ask("GET", "/api/v1/calls?limit=1")).status).toBe(200));
    };
    const readAll = async (): Promise<void> => {
      for (const url of [...READS, "/api/v1/calls/c2"]) await http.ask("GET", url);
    };
    await readAll();
    await http.ask("PUT", "/api/v1/calls/c1", { body: call("c1", "nothing of that") });
    await gone();
    await readAll();
    await http.ask("DELETE", "/api/v1/calls/c1");
    await gone();
  });

  test("a customer who is erased is gone from here as well", async () => {
    for (const url of [...READS, "/api/v1/calls/c2"]) await http.ask("GET", url);
    expect(await http.store.calls.erase("carl")).toBe(2);
    await away();
    for (const url of [...READS, "/api/v1/calls/c2"]) expect((await http.ask("GET", url)).status).toBe(503);
  });
});

describe("long reads that hang", () => {
  // Not a filter that an index answers: only a reader thread may look for it.
  const LONG = "/api/v1/calls?min_duration=1&language=en";

  test("are answered in time by what they were last, then not asked at all, and again when they answer", async () => {
    const place = temporary();
    const hang = `${place.folder}/hang`;
    process.env["EARSHOT_TEST_HANG"] = hang;
    const http = await startHttp({
      reads: {
        thread: new URL("../support/moody-reader.ts", import.meta.url),
        limits: { patience_ms: 200, pause_ms: 300, silence_ms: 400 },
      },
    });
    try {
      await http.ask("POST", "/api/v1/calls", { body: call("c1", "hello") });
      const whole = async () => {
        const { status, headers } = await http.ask("GET", LONG);
        expect([status, headers["earshot-degraded"]]).toEqual([200, "models"]);
      };
      // A thread that only starts may take longer than so little patience.
      await vi.waitFor(whole, { timeout: 20_000, interval: 100 });
      writeFileSync(hang, "");
      for (let i = 0; i < 3; i++) {
        const answer = await http.ask("GET", LONG);
        expect([answer.status, answer.headers["earshot-degraded"]]).toEqual([200, "models, store"]);
        expect(answer.headers.age).toMatch(/^\d+$/);
      }
      const refused = await http.ask("GET", `${LONG}&limit=7`);
      expect([refused.status, refused.body["code"]]).toEqual([503, "store_unavailable"]);
      expect(refused.body["detail"]).toMatch(/hung several times in a row/);
      expect(await http.metrics.scrape()).toMatch(/earshot_breaker_open\{breaker="long-reads"\} 1/);
      // What the event loop reads by itself does not mind.
      expect((await http.ask("GET", "/api/v1/calls/c1")).headers["earshot-degraded"]).toBe("models");
      rmSync(hang);
      await vi.waitFor(whole, { timeout: 20_000, interval: 100 });
      expect(await http.metrics.scrape()).toMatch(/earshot_breaker_open\{breaker="long-reads"\} 0/);
    } finally {
      delete process.env["EARSHOT_TEST_HANG"];
      await http.close();
      place.remove();
    }
  });
});

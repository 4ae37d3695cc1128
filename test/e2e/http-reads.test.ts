import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Problem, TestHttp } from "../support/http-server.ts";
import { startWithMoods } from "../support/mood-calls.ts";

interface Listed {
  readonly calls: { call_id: string; start_time: string; customer_sentiment_score: number | null }[];
  readonly total: number;
  readonly next_cursor: string | null;
}

let http: TestHttp;
beforeAll(async () => {
  http = await startWithMoods();
}, 180_000);
afterAll(() => http.close());

async function count(query: string): Promise<number> {
  return (await http.ask<Listed>("GET", `/api/v1/calls?${query}`)).body.total;
}

describe("a list", () => {
  test("is newest first, fifty at a time", async () => {
    const { body } = await http.ask<Listed & { limit: number; offset: number }>("GET", "/api/v1/calls");
    expect(body).toMatchObject({ total: 25, limit: 50, offset: 0, total_relation: "eq", next_cursor: null });
    expect(body.calls.map((c) => c.start_time)).toEqual(
      body.calls
        .map((c) => c.start_time)
        .toSorted()
        .toReversed(),
    );
    expect(JSON.stringify(body)).not.toContain("transcript");
  });

  test("walks by cursor and by offset to the same calls", async () => {
    for (const sort of ["-start_time", "customer_sentiment_score", "-customer_sentiment_score"]) {
      const all = (await http.ask<Listed>("GET", `/api/v1/calls?limit=100&sort=${sort}`)).body.calls.map(
        (c) => c.call_id,
      );
      const walked: string[] = [];
      const paged: string[] = [];
      let cursor: string | null = null;
      do {
        const at: string = cursor === null ? "" : `&cursor=${cursor}`;
        const { body }: { body: Listed } = await http.ask<Listed>("GET", `/api/v1/calls?limit=4&sort=${sort}${at}`);
        expect(body.total).toBe(25);
        walked.push(...body.calls.map((c) => c.call_id));
        cursor = body.next_cursor;
      } while (cursor !== null);
      for (let offset = 0; offset < 25; offset += 4) {
        const { body } = await http.ask<Listed>("GET", `/api/v1/calls?limit=4&sort=${sort}&offset=${offset}`);
        paged.push(...body.calls.map((c) => c.call_id));
      }
      expect(walked).toEqual(all);
      expect(paged).toEqual(all);
    }
  });

  test("filters; bounds count, 0 and whole days are bounds", async () => {
    expect(await count("agent_id=ana")).toBe(12);
    expect(await count("outcome=won&agent_id=ben")).toBe(4);
    expect(await count("customer_id=cust-1")).toBe(6);
    expect(await count("from_date=2026-03-02&to_date=2026-03-04")).toBe(3);
    expect(await count("from_date=2026-03-02T12:00:00Z&to_date=2026-03-02T12:00:00Z")).toBe(1);
    expect(await count(`from_date=${encodeURIComponent("2026-03-02T14:00:00+02:00")}&to_date=2026-03-02`)).toBe(1);
    expect(await count("state=pending")).toBe(1);
    expect(await count("min_duration=80&max_duration=83")).toBe(4);
    expect(await count("updated_since=2026-01-01")).toBe(25);
    expect(await count("created_to=2026-01-01")).toBe(0);
    const [below, above] = [await count("max_sentiment=0"), await count("min_sentiment=0")];
    expect(below).toBeGreaterThanOrEqual(8);
    expect(above).toBeGreaterThanOrEqual(8);
    // A score of exactly 0 passes both.
    expect(below + above - (await count("min_sentiment=0&max_sentiment=0"))).toBe(24);
  });

  test("fields and view choose what is shown", async () => {
    const few = await http.ask<Listed>("GET", "/api/v1/calls?fields=call_id,outcome&limit=1");
    expect(Object.keys(few.body.calls[0] ?? {})).toEqual(["call_id", "outcome"]);
    const full = await http.ask<{ calls: { turns: object[]; insights: object }[] }>(
      "GET",
      "/api/v1/calls?view=full&limit=2&agent_id=ana",
    );
    expect(full.body.calls[0]?.turns).toHaveLength(3);
    expect(full.body.calls[0]?.insights).toHaveProperty("agent_talk_ratio");
    const words = await http.ask<Listed>("GET", "/api/v1/calls?fields=call_id,transcript&limit=1");
    expect(words.body.calls[0]).toEqual({
      call_id: expect.any(String),
      transcript: expect.stringContaining("Customer: "),
    });
  });

  test.each([
    ["limit=0", "?limit"],
    ["limit=101", "?limit"],
    ["limit=1e9", "?limit"],
    ["limit=ten", "?limit"],
    ["limit=", "?limit"],
    ["limit=1&limit=2", "?limit"],
    ["offset=-1", "?offset"],
    ["offset=10001", "?offset"],
    ["min_sentiment=-1.5", "?min_sentiment"],
    ["max_sentiment=2", "?max_sentiment"],
    ["max_sentiment=Infinity", "?max_sentiment"],
    ["min_sentiment=0.5&max_sentiment=-0.5", "?max_sentiment"],
    ["from_date=yesterday", "?from_date"],
    ["from_date=2026-02-30", "?from_date"],
    ["to_date=2026-02-03T10:00:00", "?to_date"],
    ["from_date=2026-03-02T14:00:00+02:00", "?from_date"],
    ["from_date=2026-03-02&to_date=2026-03-01", "?to_date"],
    ["created_from=2026-03-02&created_to=2026-03-01", "?created_to"],
    ["min_duration=5&max_duration=1", "?max_duration"],
    ["outcome=draw", "?outcome"],
    ["state=lost", "?state"],
    ["sort=name", "?sort"],
    ["fields=call_id,embedding", "?fields"],
    ["cursor=abc", "?cursor"],
    [`cursor=${btoa("null")}`, "?cursor"],
    [`cursor=${btoa('["x",1,2,3,1]')}`, "?cursor"],
    [`cursor=${btoa('["x","y",2.5,-3,7]')}`, "?cursor"],
    ["agent_id=%00", "?agent_id"],
    ["sentiment=1", "?sentiment"],
    ["__proto__=1", "?__proto__"],
  ])("?%s is refused by name", async (query, pointer) => {
    const answer = await http.ask<Problem>("GET", `/api/v1/calls?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.body.errors?.map((e) => e.pointer)).toContain(pointer);
    for (const error of answer.body.errors ?? []) {
      expect(Object.keys(error).toSorted()).toEqual(["expected", "message", "pointer", "received"]);
      expect(error.expected).not.toBe("");
    }
  });

  test("a cursor of another list is refused", async () => {
    const { body } = await http.ask<Listed>("GET", "/api/v1/calls?limit=2&agent_id=ana");
    const other = await http.ask<Problem>("GET", `/api/v1/calls?limit=2&agent_id=ben&cursor=${body.next_cursor}`);
    expect(other.body.errors?.[0]?.pointer).toBe("?cursor");
  });
});

describe("one call", () => {
  test("comes with insights of its own words, and how they were made", async () => {
    const { body } = await http.ask<{
      enrichment: object;
      turns: { sentiment: number; sentiment_label: string }[];
      insights: Record<string, unknown> & { unavailable: Record<string, string>; provenance: object };
    }>("GET", "/api/v1/calls/c00");
    expect(body.enrichment).toMatchObject({ state: "enriched", method: "model", revision: 1 });
    expect(body.turns.map((t) => t.sentiment_label)[1]).toBe("negative");
    expect(body.insights["agent_words"]).toBe(18);
    expect(body.insights["patience_ms"]).toBeNull();
    expect(body.insights.unavailable["patience_ms"]).toBe("no timings");
    expect(body.insights.provenance).toMatchObject({ sentiment: { method: "model" }, vectors: { method: "model" } });
    expect(JSON.stringify(body)).not.toContain("embedding");
  });

  test("has a tag that changes with it", async () => {
    const first = await http.ask("GET", "/api/v1/calls/c01");
    const tag = String(first.headers["etag"]);
    const same = await http.ask("GET", "/api/v1/calls/c01", { headers: { "if-none-match": tag } });
    expect([same.status, same.text, same.headers["etag"]]).toEqual([304, "", tag]);
    await http.ask("POST", "/api/v1/calls/c01/process");
    const pending = await http.ask("GET", "/api/v1/calls/c01", { headers: { "if-none-match": tag } });
    expect(pending.status).toBe(200);
    await http.enrich();
    const again = await http.ask("GET", "/api/v1/calls/c01", { headers: { "if-none-match": tag } });
    expect(again.status).toBe(200);
    expect(again.headers["etag"]).not.toBe(tag);
  });

  test("lists have tags too", async () => {
    const first = await http.ask("GET", "/api/v1/calls?limit=3");
    const headers = { "if-none-match": `"other", ${String(first.headers["etag"])}` };
    expect((await http.ask("GET", "/api/v1/calls?limit=3", { headers })).status).toBe(304);
    expect((await http.ask("GET", "/api/v1/calls?limit=4", { headers })).status).toBe(200);
  });

  test.each(["nobody", "%00", "a%20", "x".repeat(200), "..%2f..%2fetc"])("%s is not there", async (id) => {
    const answer = await http.ask<Problem>("GET", `/api/v1/calls/${id}`);
    expect(answer.status).toBe(404);
    expect(answer.body.detail).toBe("Call record not found");
  });
});
describe("analytics", () => {
  test("agents, best sentiment first, with what tells how far to trust the means", async () => {
    await http.ask("POST", "/api/v1/calls", { body: { agent_id: "dan", transcript: "Customer: Nothing yet" } });
    const { body } = await http.ask<
      {
        agent_id: string;
        avg_sentiment: number | null;
        total_calls: number;
        rank: number | null;
        sentiment: { n: number; ci95: number[] };
      }[]
    >("GET", "/api/v1/analytics/agents");
    expect(body.map((a) => a.agent_id).toSorted()).toEqual(expect.arrayContaining(["ana", "ben", "cem", "dan"]));
    expect(body.findLast((a) => a.avg_sentiment === null)).toBe(body.at(-1));
    expect(body.find((a) => a.agent_id === "dan")).toMatchObject({
      agent_id: "dan",
      avg_sentiment: null,
      total_calls: 1,
      rank: null,
    });
    const means = body.flatMap((a) => a.avg_sentiment ?? []);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
    // One call is too few for a rank.
    expect(body.find((a) => a.agent_id === "cem")?.rank).toBeNull();
    expect(body.flatMap((a) => a.rank ?? [])).toHaveLength(2);
    expect(body.find((a) => a.rank !== null)?.rank).toBe(1);
    const listed = await http.ask<Listed>("GET", "/api/v1/calls?agent_id=ana&limit=100");
    const scores = listed.body.calls.flatMap((c) => c.customer_sentiment_score ?? []);
    const ana = body.find((a) => a.agent_id === "ana");
    expect(ana?.total_calls).toBe(12);
    expect(ana?.sentiment.n).toBe(12);
    expect(ana?.avg_sentiment).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / scores.length, 4);
    expect(ana?.sentiment.ci95[0]).toBeLessThan(ana?.avg_sentiment ?? -1);
  });

  test("definitions cover every measure", async () => {
    const { body } = await http.ask<{ measures: { name: string; definition: string }[] }>(
      "GET",
      "/api/v1/analytics/definitions",
    );
    expect(body.measures.find((m) => m.name === "agent_talk_ratio")?.definition).toContain("agent_words");
  });

  test("recalculation is a job that ends", async () => {
    const started = await http.ask<{ job_id: string; state: string }>("POST", "/api/v1/analytics/recalculate");
    expect(started.status).toBe(202);
    const url = String(started.headers["location"]);
    expect(url).toBe(`/api/v1/jobs/${started.body.job_id}`);
    await expect
      .poll(async () => (await http.ask<{ state: string }>("GET", url)).body.state, { timeout: 10_000 })
      .toBe("done");
    expect((await http.ask("GET", url)).body).toMatchObject({ kind: "recalculate", counts: { drifted: 0 } });
    expect((await http.ask("GET", "/api/v1/jobs/nope")).status).toBe(404);
  });
});

test("health is public; readiness says what is not whole", async () => {
  expect((await http.ask("GET", "/health", { key: null })).body).toEqual({ status: "ok" });
  const ready = await http.ask("GET", "/health/ready", { key: null });
  expect(ready.status).toBe(200);
  expect(ready.body).toMatchObject({
    status: "ok",
    degraded: [],
    checks: { store: { ok: true }, models: { ok: true } },
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Problem, TestHttp } from "../support/http-server.ts";
import { startWithMoods } from "../support/mood-calls.ts";

let http: TestHttp;
beforeAll(async () => {
  http = await startWithMoods();
}, 180_000);
afterAll(() => http.close());

describe("recommendations", () => {
  interface Recommended {
    readonly similar_calls: { call_id: string; similarity_score: number }[];
    readonly similar_calls_reason?: string;
    readonly coaching_nudges: string[];
    readonly nudges: { text: string; evidence: string[] }[];
    readonly nudges_reason?: string;
  }

  test("are five calls like it, best first, and three nudges", async () => {
    const { body } = await http.ask<Recommended>("GET", "/api/v1/calls/c02/recommendations");
    expect(body.similar_calls).toHaveLength(5);
    const scores = body.similar_calls.map((c) => c.similarity_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(body.similar_calls.map((c) => c.call_id)).not.toContain("c02");
    // Every third call says the same words.
    expect(body.similar_calls.every((c) => Number(c.call_id.slice(1)) % 3 === 2)).toBe(true);
    expect(body.coaching_nudges).toHaveLength(3);
    expect(body.coaching_nudges).toEqual(body.nudges.map((n) => n.text));
    for (const text of body.coaching_nudges) expect(text.split(/\s+/).length).toBeLessThanOrEqual(40);
  });

  test("say why there are none", async () => {
    await http.ask("POST", "/api/v1/calls", { body: { call_id: "waits", transcript: "Customer: Nothing yet" } });
    const { body } = await http.ask<Recommended>("GET", "/api/v1/calls/waits/recommendations");
    expect(body).toMatchObject({
      similar_calls: [],
      similar_calls_reason: "the call is not enriched yet",
      coaching_nudges: [],
      nudges_reason: "the call is not enriched yet",
    });
    expect((await http.ask("GET", "/api/v1/calls/nobody/recommendations")).status).toBe(404);
  });

  test("stay within the scope of who asks", async () => {
    const { key } = await http.key("agent", { agent_id: "ana", team: "north" });
    const { body } = await http.ask<{ similar_calls: { agent_id: string }[] }>(
      "GET",
      "/api/v1/calls/c02/recommendations",
      { key },
    );
    expect(body.similar_calls.length).toBeGreaterThan(0);
    expect(new Set(body.similar_calls.map((c) => c.agent_id))).toEqual(new Set(["ana"]));
    const manager = await http.key("manager", { team: "north" });
    const team = await http.ask<{ similar_calls: { agent_id: string }[] }>(
      "GET",
      "/api/v1/calls/c02/recommendations",
      manager,
    );
    expect(new Set(team.body.similar_calls.map((c) => c.agent_id))).toEqual(new Set(["ana"]));
  });
});

describe("recommendations under filters", () => {
  interface Similar {
    readonly similar_calls: { call_id: string; agent_id: string }[];
    readonly similar_calls_reason?: string;
    readonly coaching_nudges: string[];
  }
  const ask = (query: string) => http.ask<Similar>("GET", `/api/v1/calls/c02/recommendations?${query}`);

  test("are the nearest of the calls that pass, and the nudges stay", async () => {
    const whole = await ask("");
    for (const filter of ["agent_id=ana", "min_sentiment=0", "agent_id=ana&min_duration=1", "from_date=2020-01-01"]) {
      const passing = await http.ask<{ calls: { call_id: string }[] }>("GET", `/api/v1/calls?limit=100&${filter}`);
      const ids = new Set(passing.body.calls.map((c) => c.call_id));
      const { status, body } = await ask(filter);
      expect(status).toBe(200);
      expect(body.similar_calls.length).toBeGreaterThan(0);
      expect(body.similar_calls.filter((c) => !ids.has(c.call_id))).toEqual([]);
      expect(body.coaching_nudges).toEqual(whole.body.coaching_nudges);
    }
  });

  test("say that none passes, and which filter is wrong", async () => {
    const { body } = await ask("agent_id=nobody");
    expect(body).toMatchObject({
      similar_calls: [],
      similar_calls_reason: "no other enriched call passes the filters",
    });
    const wrong = await http.ask<Problem>("GET", "/api/v1/calls/c02/recommendations?from_date=soon");
    expect([wrong.status, wrong.body.errors?.[0]?.pointer]).toEqual([422, "?from_date"]);
    const analyst = await http.key("analyst");
    const hidden = await http.ask("GET", "/api/v1/calls/c02/recommendations?customer_id=x", analyst);
    expect(hidden.status).toBe(403);
  });
});

describe("search", () => {
  interface Found {
    readonly mode: string;
    readonly results: {
      call_id: string;
      turn_id: string;
      text: string;
      score: number;
      highlights: { start: number; end: number }[];
    }[];
  }

  test("by words marks the words", async () => {
    const { body } = await http.ask<Found>("GET", "/api/v1/search?q=offers&mode=keyword&limit=3");
    expect(body.mode).toBe("keyword");
    expect(body.results).toHaveLength(3);
    for (const r of body.results) {
      expect(r.turn_id).toBe("t2");
      expect(r.highlights.map((h) => r.text.slice(h.start, h.end))).toEqual(["offer"]);
    }
  });

  test("by meaning finds other words", async () => {
    const q = encodeURIComponent("the customer is furious and unhappy");
    const { body } = await http.ask<Found>("GET", `/api/v1/search?q=${q}&mode=semantic&limit=5`);
    expect(body.mode).toBe("semantic");
    expect(body.results).toHaveLength(5);
    for (const r of body.results) expect(r.text).toContain("terrible");
  });

  test("both together, under filters", async () => {
    const { body } = await http.ask<Found>("GET", "/api/v1/search?q=angry%20price&agent_id=ana&outcome=won");
    expect(body.mode).toBe("hybrid");
    expect(body.results[0]?.text).toContain("angry");
    const ids = new Set(body.results.map((r) => Number(r.call_id.slice(1))));
    for (const id of ids) expect(id % 6).toBe(0);
  });

  test("needs words", async () => {
    for (const query of ["", "?q=", "?q=%20", "?q=%00", `?q=${"x".repeat(501)}`]) {
      const answer = await http.ask<Problem>("GET", `/api/v1/search${query}`);
      expect(answer.status).toBe(422);
      expect(answer.body.errors?.[0]?.pointer).toBe("?q");
    }
    for (const q of ['"', "AND", "a* NEAR(b", "(((", "col:x", "-", "%F0%9F%98%80"]) {
      expect((await http.ask("GET", `/api/v1/search?q=${q}&mode=keyword`)).status).toBe(200);
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHttp, startHttp } from "../support/http-server.ts";

interface Listed {
  readonly calls: { call_id: string; start_time: string; customer_sentiment_score: number | null }[];
  readonly total: number;
  readonly next_cursor: string | null;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { pointer: string; message: string; expected: string; received: string }[];
}

const MOODS = [
  ["bad", "This is terrible. I hate it and I am very angry about the awful price."],
  ["flat", "The meeting is on the second floor of the building."],
  ["good", "This is wonderful! I love it, thank you, that is a great offer."],
] as const;

let http: TestHttp;
beforeAll(async () => {
  // The real model: search by meaning and similar calls need its vectors.
  http = await startHttp({ model: true });
  const calls = Array.from({ length: 24 }, (_, i) => {
    const [, words] = MOODS[i % 3] as (typeof MOODS)[number];
    return {
      call_id: `c${String(i).padStart(2, "0")}`,
      agent_id: ["ana", "ben"][i % 2],
      customer_id: `cust-${i % 4}`,
      start_time: new Date(Date.UTC(2026, 2, 1 + i, 12)).toISOString(),
      duration_seconds: 60 + i,
      outcome: ["won", "lost", "open"][i % 3],
      transcript: `Agent: Good morning, this is ${i}. How can I help you today?\nCustomer: ${words}\nAgent: I see. Shall we talk next Tuesday?`,
    };
  });
  await http.ask("POST", "/api/v1/calls/bulk", { body: { calls } });
  await http.enrich();
  await http.ask("POST", "/api/v1/calls", {
    body: { call_id: "fresh", agent_id: "cem", transcript: "Customer: Nothing yet" },
  });
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

test("the feed tells what happened after a seq, deletions too", async () => {
  interface Feed {
    readonly events: { seq: number; type: string; call_id: string }[];
    readonly next_after: number;
    readonly resync_required: boolean;
  }
  const all = await http.ask<Feed>("GET", "/api/v1/events?limit=1000");
  const types = all.body.events.filter((e) => e.call_id === "c05").map((e) => e.type);
  expect(types).toEqual(["call.accepted", "call.enriched"]);
  await http.ask("DELETE", "/api/v1/calls/c05");
  const { body } = await http.ask<Feed>("GET", `/api/v1/events?after=${all.body.next_after}`);
  expect(body.events.map((e) => [e.seq, e.type, e.call_id])).toEqual([
    [all.body.next_after + 1, "call.deleted", "c05"],
  ]);
  expect(body.resync_required).toBe(false);
  expect((await http.ask<Feed>("GET", "/api/v1/events?after=999999")).body.resync_required).toBe(true);
  expect((await http.ask("GET", "/api/v1/events?after=-1")).status).toBe(422);
});

test("a manager sees and redrives the dead letters of the team alone, up to a limit", async () => {
  await http.key("agent", { agent_id: "dora", team: "dead" });
  const manager = await http.key("manager", { team: "dead" });
  const ids = ["dora-1", "dora-2", "other"];
  for (const call_id of ids) {
    const agent_id = call_id === "other" ? "emil" : "dora";
    await http.ask("PUT", `/api/v1/calls/${call_id}`, { body: { agent_id, transcript: "Agent: hi" } });
  }
  const items = (await http.store.work.take(1_000, "w", 60_000)).filter((item) => ids.includes(item.call_id));
  await http.store.work.fail(
    items.map(({ work_no }) => ({ work_no, error: "x", retry_at: null })),
    "w",
  );
  const seen = async (query = "") => {
    const { body } = await http.ask<{ dead_letters: { call_id: string }[] }>(
      "GET",
      `/api/v1/dead-letters${query}`,
      manager,
    );
    return body.dead_letters.map((d) => d.call_id);
  };
  expect(await seen()).toEqual(["dora-2", "dora-1"]);
  expect(await seen("?limit=1")).toEqual(["dora-2"]);
  const redrive = (body: object) => http.ask("POST", "/api/v1/dead-letters/redrive", { body, key: manager.key });
  expect(await redrive({ call_id: "other" })).toMatchObject({ status: 202, body: { redriven: 0 } });
  expect((await redrive({})).body).toEqual({ redriven: 2 });
  expect(await seen()).toEqual([]);
  const { body } = await http.ask<{ dead_letters: { call_id: string }[] }>("GET", "/api/v1/dead-letters");
  expect(body.dead_letters.map((d) => d.call_id)).toContain("other");
  for (const call_id of ids) await http.ask("DELETE", `/api/v1/calls/${call_id}`);
});

test("dead letters are listed and tried again", async () => {
  await http.ask("POST", "/api/v1/calls", { body: { call_id: "poison", transcript: "Customer: poison" } });
  const items = await http.store.work.take(10, "w", 60_000);
  await http.store.work.fail(
    items.map(({ work_no }) => ({ work_no, error: "it broke", retry_at: null })),
    "w",
  );
  const dead = await http.ask<{ dead_letters: { call_id: string; error: string }[] }>("GET", "/api/v1/dead-letters");
  expect(dead.body.dead_letters.find((d) => d.call_id === "poison")).toMatchObject({ error: "it broke" });
  const again = await http.ask("POST", "/api/v1/dead-letters/redrive", { body: { call_id: "poison" } });
  expect(again).toMatchObject({ status: 202, body: { redriven: 1 } });
  expect((await http.ask("POST", "/api/v1/dead-letters/redrive", { body: { call: "x" } })).status).toBe(422);
  expect((await http.ask("POST", "/api/v1/dead-letters/redrive", { body: {} })).status).toBe(202);
});

describe("the rest", () => {
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

  test("an unknown address is 404, a wrong method 405 with what is allowed, both as problems", async () => {
    expect((await http.ask<Problem>("GET", "/api/v2/calls")).body.code).toBe("not_found");
    const wrong = await http.ask<Problem>("PATCH", "/api/v1/calls/c00");
    expect([wrong.status, wrong.body.code, wrong.headers["allow"]]).toEqual([
      405,
      "method_not_allowed",
      "DELETE, GET, HEAD, OPTIONS, PUT",
    ]);
    expect((await http.ask<Problem>("GET", "/api/v1/calls/%zz")).body.code).toBe("malformed");
    expect((await http.ask<Problem>("GET", "/ws")).status).toBe(426);
    const asked = await http.ask("OPTIONS", "/api/v1/calls/c00");
    expect([asked.status, asked.headers["allow"]]).toEqual([204, "DELETE, GET, HEAD, OPTIONS, PUT"]);
    expect((await http.ask("OPTIONS", "/api/v2/calls")).status).toBe(404);
  });

  test("a slash at the end makes no difference", async () => {
    expect((await http.ask<Listed>("GET", "/api/v1/calls/?limit=1")).body.calls).toHaveLength(1);
    expect((await http.ask("GET", "/api/v1/calls/c00/")).body["call_id"]).toBe("c00");
    expect((await http.ask("GET", "/health/", { key: null })).status).toBe(200);
    expect((await http.ask("GET", "/api/v1/calls/", { key: null })).status).toBe(401);
    expect((await http.ask("PATCH", "/api/v1/calls/")).headers["allow"]).toBe("GET, HEAD, OPTIONS, POST");
  });

  test("every answer carries its id and guards; other origins get nothing", async () => {
    const answer = await http.ask("GET", "/api/v1/calls?limit=1", {
      headers: { "x-request-id": "my-request-1", origin: "https://evil.example" },
    });
    expect(answer.headers).toMatchObject({
      "x-request-id": "my-request-1",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cache-control": "private, no-cache",
    });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    const known = await http.ask("OPTIONS", "/api/v1/calls", {
      key: null,
      headers: { origin: "https://crm.example.com", "access-control-request-method": "GET" },
    });
    expect([known.status, known.headers["access-control-allow-origin"]]).toEqual([204, "https://crm.example.com"]);
    const bad = await http.ask("GET", "/api/v1/calls?limit=1", { headers: { "x-request-id": "no\tgood" } });
    expect(bad.headers["x-request-id"]).toMatch(/^[\da-f-]{36}$/);
  });
});

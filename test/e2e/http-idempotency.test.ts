import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Problem, type TestHttp, startHttp } from "../support/http-server.ts";

const SAID = "Agent: Hello, what can I do for you?\nCustomer: I would like to hear about prices.";
const DAY = 24 * 3_600_000;

let now = Date.now();
let http: TestHttp;
beforeAll(async () => {
  http = await startHttp({ now: () => now, lockWaitMs: 20_000 });
});
afterAll(() => http.close());

const send = <T = Record<string, unknown>>(
  method: string,
  url: string,
  name: string | null,
  body?: unknown,
  key?: string,
) =>
  http.ask<T>(method, url, {
    body,
    ...(name !== null && { headers: { "idempotency-key": name } }),
    ...(key !== undefined && { key }),
  });
const total = async () => (await http.ask<{ total: number }>("GET", "/api/v1/calls")).body.total;

/** Sends twice; the answers but for what differs between any two. */
async function twice(method: string, url: string, name: string, body?: unknown) {
  const first = await send(method, url, name, body);
  const again = await send(method, url, name, body);
  expect(first.headers["idempotency-replayed"]).toBeUndefined();
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect([again.status, again.body, again.headers["location"]]).toEqual([
    first.status,
    first.body,
    first.headers["location"],
  ]);
  return first;
}

/** Sends a call and gives its enrichment up. */
const kill = async (call_id: string) => {
  await http.ask("POST", "/api/v1/calls", { body: { call_id, transcript: SAID } });
  const items = await http.store.work.take(1_000, "w", 60_000);
  for (const { work_no, call_id: of } of items) {
    const failed = { work_no, error: "x", retry_at: null };
    if (of === call_id) await http.store.work.fail([failed], "w");
  }
};

describe("a repeat gets the first answer", () => {
  test("to one call, whose id was made here", async () => {
    const before = await total();
    const { status, body, headers } = await twice("POST", "/api/v1/calls", '"post-1"', { transcript: SAID });
    expect(status).toBe(202);
    expect(headers["location"]).toBe(`/api/v1/calls/${String(body["call_id"])}`);
    expect(await total()).toBe(before + 1);
  });

  test("to many calls, some of them wrong, ids made here included", async () => {
    const before = await total();
    const calls = [{ transcript: SAID }, { transcript: "" }, { transcript: SAID }, "no call", { transcript: SAID }];
    const { body } = await twice("POST", "/api/v1/calls/bulk", '"bulk-1"', { calls });
    const results = body["results"] as { status: string; call_id: string | null }[];
    expect(results.map((r) => r.status)).toEqual(["accepted", "rejected", "accepted", "rejected", "accepted"]);
    expect(await total()).toBe(before + 3);
  });

  test("to a replacement, a new enrichment, an erasure, also when the call is gone by then", async () => {
    const url = "/api/v1/calls/changed";
    const put = await twice("PUT", url, '"put-1"', { transcript: SAID });
    expect(put.body).toMatchObject({ revision: 1 });
    const other = await twice("PUT", url, '"put-2"', { transcript: `${SAID} Please.` });
    expect(other.body).toMatchObject({ revision: 2 });
    await twice("POST", `${url}/process`, '"process-1"');
    expect((await twice("DELETE", url, '"delete-1"')).status).toBe(204);
    expect((await send("GET", url, null)).status).toBe(404);
    expect((await send("POST", `${url}/process`, '"process-1"')).status).toBe(202);
    expect((await send("POST", `${url}/process`, '"process-2"')).status).toBe(404);
  });

  test("to a recalculation: the same job, which is over by then, and no second one", async () => {
    const first = await send<{ job_id: string }>("POST", "/api/v1/analytics/recalculate", '"sums-1"');
    const place = String(first.headers["location"]);
    await expect
      .poll(async () => (await http.ask<{ state: string }>("GET", place)).body.state, { timeout: 20_000 })
      .toBe("done");
    const again = await send("POST", "/api/v1/analytics/recalculate", '"sums-1"');
    expect([again.status, again.body, again.headers["location"]]).toEqual([202, first.body, place]);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    const next = await send<{ job_id: string }>("POST", "/api/v1/analytics/recalculate", '"sums-2"');
    expect(next.headers["idempotency-replayed"]).toBeUndefined();
    expect(next.body.job_id).not.toBe(first.body.job_id);
  });

  test("to a redrive, though more has died since", async () => {
    await kill("dead-1");
    const url = "/api/v1/dead-letters/redrive";
    expect((await twice("POST", url, '"redrive-1"', {})).body).toEqual({ redriven: 1 });
    await kill("dead-2");
    expect((await send("POST", url, '"redrive-1"', {})).body).toEqual({ redriven: 1 });
    expect((await send("POST", url, '"redrive-2"', { call_id: "dead-2" })).body).toEqual({ redriven: 1 });
  });

  test("for 24 hours; then the key is new", async () => {
    await send("PUT", "/api/v1/calls/late", '"late"', { transcript: SAID });
    now += DAY - 1;
    expect((await send("PUT", "/api/v1/calls/late", '"late"', { transcript: SAID })).body).toMatchObject({
      revision: 1,
    });
    now += 1;
    const other = await send("PUT", "/api/v1/calls/late", '"late"', { transcript: `${SAID} Thank you.` });
    expect([other.status, other.body["revision"], other.headers["idempotency-replayed"]]).toEqual([202, 2, undefined]);
  });
});

describe("a key stands for one request", () => {
  test("with another body, at another address or with another method it is 422, and nothing happens", async () => {
    const body = { call_id: "mine", transcript: SAID };
    await send("POST", "/api/v1/calls", '"one"', body);
    const before = await total();
    for (const [method, url, other] of [
      ["POST", "/api/v1/calls", { ...body, call_id: "other" }],
      ["POST", "/api/v1/calls", { ...body, outcome: "won" }],
      ["POST", "/api/v1/calls/bulk", { calls: [body] }],
      ["PUT", "/api/v1/calls/mine", body],
      ["DELETE", "/api/v1/calls/mine", undefined],
      ["POST", "/api/v1/calls/mine/process", undefined],
      ["POST", "/api/v1/analytics/recalculate", undefined],
      ["POST", "/api/v1/dead-letters/redrive", {}],
    ] as const) {
      const answer = await send<Problem>(method, url, '"one"', other);
      expect([method, url, answer.status, answer.body.code]).toEqual([method, url, 422, "idempotency_key_reused"]);
    }
    expect(await total()).toBe(before);
    expect((await send("GET", "/api/v1/calls/mine", null)).body).toMatchObject({ enrichment: { revision: 1 } });
  });

  test("of one account: another one may use the same", async () => {
    const [mine, yours] = [await http.key("admin"), await http.key("admin")];
    const body = { transcript: SAID };
    const first = await send<{ call_id: string }>("POST", "/api/v1/calls", '"shared"', body, mine.key);
    const other = await send<{ call_id: string }>("POST", "/api/v1/calls", '"shared"', body, yours.key);
    expect(other.headers["idempotency-replayed"]).toBeUndefined();
    expect(other.body.call_id).not.toBe(first.body.call_id);
    const again = await send<{ call_id: string }>("POST", "/api/v1/calls", '"shared"', body, mine.key);
    expect(again.body.call_id).toBe(first.body.call_id);
  });

  test("while the first request runs it is 409 with Retry-After; afterwards its answer is there", async () => {
    const release = http.lock();
    const first = send("POST", "/api/v1/calls", '"slow"', { transcript: SAID });
    // The lock holds the first one up for as long as we like; a second one is refused at once.
    let second = await send<Problem>("POST", "/api/v1/calls", '"slow"', { transcript: SAID });
    expect([second.status, second.body.code]).toEqual([409, "idempotency_in_progress"]);
    expect(Number(second.headers["retry-after"])).toBeGreaterThan(0);
    second = await send("POST", "/api/v1/calls/bulk", '"slow"', { calls: [{ transcript: SAID }] });
    expect(second.status).toBe(409);
    release();
    const done = await first;
    expect(done.status).toBe(202);
    const again = await send("POST", "/api/v1/calls", '"slow"', { transcript: SAID });
    expect([again.status, again.body]).toEqual([202, done.body]);
  });
});

test("what wrote nothing is not kept: a refused request can be sent again, put right, under its key", async () => {
  const wrong = await send<Problem>("POST", "/api/v1/calls", '"again"', { transcript: SAID, outcome: "draw" });
  expect(wrong.status).toBe(422);
  expect(wrong.body.code).toBe("validation");
  expect((await send("DELETE", "/api/v1/calls/not-there", '"again"')).status).toBe(404);
  const sent = await send("POST", "/api/v1/calls", '"again"', { call_id: "taken", transcript: SAID });
  expect(sent.status).toBe(202);
  const conflict = () =>
    send<Problem>("POST", "/api/v1/calls", '"conflict"', { call_id: "taken", transcript: "Agent: x" });
  expect((await conflict()).body.code).toBe("conflict");
  await http.ask("DELETE", "/api/v1/calls/taken");
  expect((await conflict()).status).toBe(202);
});

test("the natural key goes on by itself: a known call under a new key is a replay too", async () => {
  const body = { call_id: "natural", transcript: SAID };
  await send("POST", "/api/v1/calls", null, body);
  for (const name of [null, '"natural-1"', '"natural-1"']) {
    const again = await send("POST", "/api/v1/calls", name, body);
    expect([again.status, again.body, again.headers["idempotency-replayed"]]).toEqual([
      202,
      { call_id: "natural", status: "accepted", revision: 1 },
      "true",
    ]);
  }
});

describe("the header", () => {
  test.each([
    ["bare", "8e03978e-40d5-43dd-bc93-6894a57f9324", '"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ["with what must be escaped", String.raw`"a\"b\\c"`, String.raw`"a\"b\\c"`],
    ["the longest", `"${"k".repeat(255)}"`, "k".repeat(255)],
    ["odd", "a=b;c?d,e'f(g)", '"a=b;c?d,e\'f(g)"'],
  ])("%s names a key", async (_name, one, same) => {
    const first = await send("POST", "/api/v1/calls", one, { transcript: SAID });
    expect(first.status).toBe(202);
    expect((await send("POST", "/api/v1/calls", same, { transcript: SAID })).body).toEqual(first.body);
  });

  test.each([
    ["empty", ""],
    ["empty quotes", '""'],
    ["too long", `"${"k".repeat(256)}"`],
    ["too long, bare", "k".repeat(256)],
    ["an open quote", '"abc'],
    ["a quote at the end", 'abc"'],
    ["a quote inside", '"a"b"'],
    ["a lone backslash", String.raw`"a\b"`],
    ["a backslash before the closing quote", String.raw`"a\"`],
    ["a blank inside", "a b"],
    ["two of them", '"a", "b"'],
    ["not ASCII", '"naïve"'],
    ["a list", "[a] b"],
  ])("%s is refused by name, before anything happens", async (_name, name) => {
    const before = await total();
    const answer = await send<Problem>("POST", "/api/v1/calls", name, { transcript: SAID });
    expect([answer.status, answer.body.code]).toEqual([400, "malformed"]);
    expect(answer.body.detail).toContain("Idempotency-Key");
    expect(answer.body.errors).toMatchObject([{ pointer: "Idempotency-Key", received: `${name.length} characters` }]);
    expect(await total()).toBe(before);
  });

  test("counts for writes alone, and every write of calls takes it", async () => {
    expect((await send("GET", "/api/v1/calls", '"')).status).toBe(200);
    const takes = Object.entries(http.document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { parameters = [] }]) =>
        parameters.some((p) => p.in === "header" && p.name === "Idempotency-Key") ? [`${method} ${path}`] : [],
      ),
    );
    expect(takes.toSorted()).toEqual([
      "delete /api/v1/calls/{call_id}",
      "post /api/v1/analytics/recalculate",
      "post /api/v1/calls",
      "post /api/v1/calls/bulk",
      "post /api/v1/calls/{call_id}/end",
      "post /api/v1/calls/{call_id}/process",
      "post /api/v1/calls/{call_id}/turns",
      "post /api/v1/dead-letters/redrive",
      "post /api/v1/live",
      "put /api/v1/calls/{call_id}",
    ]);
    for (const url of ["/api/v1/calls", "/api/v1/analytics/recalculate"]) {
      expect((await send("POST", url, '"', {}, "nobody")).status).toBe(401);
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Problem, type TestHttp, startHttp } from "../support/http-server.ts";

const SAID = "Agent: Hello, what can I do for you?\nCustomer: I would like to hear about prices.";

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.close());

describe("one call", () => {
  test("is accepted with a place to find it, and shows what was said", async () => {
    const sent = {
      call_id: "one/1",
      agent_id: "ana",
      customer_id: "cust-1",
      language: "en-GB",
      start_time: "2026-03-01T10:30:00+01:00",
      outcome: "won",
      turns: [
        { speaker: "agent", text: "Hello there", start_ms: 0, end_ms: 1500 },
        { speaker: "customer", text: "Hi, tell me more", start_ms: 1800, end_ms: 4000, turn_id: "mine" },
      ],
    };
    const made = await http.ask("POST", "/api/v1/calls", { body: sent });
    expect(made.status).toBe(202);
    expect(made.body).toEqual({ call_id: "one/1", status: "accepted", revision: 1 });
    expect(made.headers["location"]).toBe("/api/v1/calls/one%2F1");
    const got = await http.ask("GET", String(made.headers["location"]));
    expect(got.body).toMatchObject({
      call_id: "one/1",
      agent_id: "ana",
      customer_id: "cust-1",
      language: "en-gb",
      start_time: "2026-03-01T09:30:00.000Z",
      duration_seconds: 4,
      outcome: "won",
      enrichment: { state: "pending", revision: 1, method: null, at: null },
      turns: [
        { turn_id: "t1", speaker: "agent", text: "Hello there", start_ms: 0, end_ms: 1500, sentiment: null },
        { turn_id: "mine", speaker: "customer", text: "Hi, tell me more", sentiment: null },
      ],
      insights: null,
    });
    expect(got.text).not.toContain("embedding");
  });

  test("needs nothing but words", async () => {
    const made = await http.ask<{ call_id: string }>("POST", "/api/v1/calls", { body: { transcript: SAID } });
    expect(made.status).toBe(202);
    const got = await http.ask("GET", `/api/v1/calls/${made.body.call_id}`);
    expect(got.body).toMatchObject({ agent_id: "unassigned", language: "en", customer_id: null, outcome: null });
  });

  test("sent again is a replay, other content under its id a conflict, and nothing changes", async () => {
    const body = { call_id: "twice", transcript: SAID };
    const first = await http.ask("POST", "/api/v1/calls", { body });
    // Said in another form: the defaults spelled out, null for what is left out, turns instead of lines.
    const again = await http.ask("POST", "/api/v1/calls", {
      body: {
        call_id: "twice",
        agent_id: "unassigned",
        language: "en",
        outcome: null,
        turns: [
          { speaker: "agent", text: "Hello, what can I do for you?" },
          { speaker: "customer", text: "I would like to hear about prices." },
        ],
      },
    });
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    const other = await http.ask<Problem>("POST", "/api/v1/calls", { body: { ...body, outcome: "lost" } });
    expect(other.status).toBe(409);
    expect(other.body.code).toBe("conflict");
    const got = await http.ask("GET", "/api/v1/calls/twice");
    expect(got.body).toMatchObject({ outcome: null, enrichment: { revision: 1 } });
  });

  test("PUT replaces it or makes it; DELETE erases it; process enriches it again", async () => {
    const url = "/api/v1/calls/put";
    expect((await http.ask("PUT", url, { body: { transcript: SAID } })).body).toMatchObject({ revision: 1 });
    const next = await http.ask("PUT", url, {
      body: { call_id: "put", transcript: "Customer: Other words", agent_id: "bo" },
    });
    expect(next).toMatchObject({ status: 202, body: { call_id: "put", revision: 2 } });
    expect((await http.ask("GET", url)).body).toMatchObject({ agent_id: "bo", transcript: "Customer: Other words" });
    await http.enrich();
    expect((await http.ask("GET", url)).body).toMatchObject({ enrichment: { state: "degraded" } });
    expect(await http.ask("POST", `${url}/process`)).toMatchObject({
      status: 202,
      body: { status: "accepted", revision: 2 },
    });
    expect((await http.ask("GET", url)).body).toMatchObject({ enrichment: { state: "pending" } });
    expect((await http.ask("DELETE", url)).status).toBe(204);
    for (const [method, path] of [
      ["GET", url],
      ["DELETE", url],
      ["POST", `${url}/process`],
    ] as const) {
      const gone = await http.ask<Problem>(method, path);
      expect(gone.status).toBe(404);
      expect(gone.body).toMatchObject({ code: "call_not_found", detail: "Call record not found" });
    }
    const named = await http.ask<Problem>("PUT", url, { body: { call_id: "other", transcript: SAID } });
    expect(named.body.errors?.[0]?.pointer).toBe("/call_id");
  });
});

describe("many calls", () => {
  test("each has its own result; the good ones go in", async () => {
    const answer = await http.ask<{
      results: { index: number; call_id: string | null; status: string; error?: Problem }[];
    }>("POST", "/api/v1/calls/bulk", {
      body: {
        calls: [
          { call_id: "b1", transcript: SAID },
          { call_id: "b2", transcript: "" },
          { call_id: "b1", transcript: SAID },
          { call_id: "b1", transcript: "Agent: Something else" },
          "no call",
          { call_id: "b3", transcript: SAID, start_time: "yesterday" },
        ],
      },
    });
    expect(answer.status).toBe(207);
    expect(answer.body.results.map((r) => [r.index, r.call_id, r.status, r.error?.errors?.[0]?.pointer])).toEqual([
      [0, "b1", "accepted", undefined],
      [1, "b2", "rejected", "/calls/1/transcript"],
      [2, "b1", "replayed", undefined],
      [3, "b1", "conflict", undefined],
      [4, null, "rejected", "/calls/4"],
      [5, "b3", "rejected", "/calls/5/start_time"],
    ]);
    expect((await http.ask("GET", "/api/v1/calls/b1")).status).toBe(200);
    expect((await http.ask("GET", "/api/v1/calls/b3")).status).toBe(404);
  });

  test("a large bulk, which a thread reads, is answered and refused like a small one", async () => {
    const calls = Array.from({ length: 400 }, (_, i) => ({ call_id: `large-${i}`, transcript: SAID.repeat(3) }));
    const body = { calls: calls.with(7, { call_id: "large-7", transcript: "" }) };
    const answer = await http.ask<{ results: { status: string; error?: Problem }[] }>("POST", "/api/v1/calls/bulk", {
      body,
    });
    expect(answer.status).toBe(207);
    expect(answer.body.results.map((r) => r.status)).toEqual(calls.map((_, i) => (i === 7 ? "rejected" : "accepted")));
    expect(answer.body.results[7]?.error?.errors?.[0]?.pointer).toBe("/calls/7/transcript");
    const again = await http.ask<{ results: { status: string }[] }>("POST", "/api/v1/calls/bulk", {
      body: { calls: calls.slice(0, 5) },
    });
    expect(again.body.results.map((r) => r.status)).toEqual(Array.from({ length: 5 }, () => "replayed"));
    expect(await http.ask("GET", "/api/v1/calls/large-8")).toMatchObject({ status: 200 });

    const many = await http.ask<Problem>("POST", "/api/v1/calls/bulk", {
      body: { calls: [...calls, ...calls, ...calls] },
    });
    expect(many).toMatchObject({ status: 422, body: { code: "validation" } });
    expect(many.body.errors?.[0]).toMatchObject({ pointer: "/calls", received: "1200" });
    const raw = `${JSON.stringify({ calls }).slice(0, -1)}!`;
    const broken = await http.ask<Problem>("POST", "/api/v1/calls/bulk", { raw, type: "application/json" });
    expect(broken).toMatchObject({ status: 400, body: { code: "malformed" } });
    expect(broken.body.detail).toContain("line 1, column");
  });

  test.each([
    [{}, "/calls"],
    [{ calls: [] }, "/calls"],
    [{ calls: {} }, "/calls"],
    [{ calls: Array.from({ length: 1001 }, () => null) }, "/calls"],
    [{ calls: [{ transcript: SAID }], more: 1 }, "/more"],
    [[], "/calls"],
    [null, "/calls"],
  ])("body %# is refused", async (body, pointer) => {
    const answer = await http.ask<Problem>("POST", "/api/v1/calls/bulk", { body });
    expect(answer.status).toBe(422);
    expect(answer.body.errors?.map((e) => e.pointer)).toContain(pointer);
    for (const error of answer.body.errors ?? []) {
      expect(Object.keys(error).toSorted()).toEqual(["expected", "message", "pointer", "received"]);
      expect(error.expected).not.toBe("");
    }
  });
});

describe("bad input names the field", () => {
  const good = { transcript: SAID };
  test.each<[string, unknown, string]>([
    ["no words", { transcript: "" }, "/transcript"],
    ["blank", { transcript: " \n " }, "/transcript"],
    ["neither transcript nor turns", { call_id: "x" }, "/transcript"],
    ["both", { ...good, turns: [] }, "/turns"],
    ["no turns", { turns: [] }, "/turns"],
    ["unknown speakers", { transcript: "Bob: hi\nEve: ho\nBob: well\nEve: yes" }, "/transcript"],
    ["unknown speaker of a turn", { turns: [{ speaker: "robot", text: "hi" }] }, "/turns/0/speaker"],
    ["a bad speaker map", { transcript: "Bob: hi", speaker_map: { Bob: "boss" } }, "/speaker_map/Bob"],
    ["a bad date", { ...good, start_time: "2026-02-30T10:00:00Z" }, "/start_time"],
    ["a date without offset", { ...good, start_time: "2026-02-03T10:00:00" }, "/start_time"],
    ["a number as date", { ...good, start_time: 1_700_000_000 }, "/start_time"],
    ["a negative duration", { ...good, duration_seconds: -1 }, "/duration_seconds"],
    ["a text as duration", { ...good, duration_seconds: "60" }, "/duration_seconds"],
    ["an unknown outcome", { ...good, outcome: "draw" }, "/outcome"],
    ["a wrong type", { transcript: 5 }, "/transcript"],
    ["turns that are no list", { turns: "x" }, "/turns"],
    [
      "an end before its start",
      { turns: [{ speaker: "agent", text: "hi", start_ms: 5, end_ms: 1 }] },
      "/turns/0/end_ms",
    ],
    ["an unknown field", { ...good, sentiment: 1 }, "/sentiment"],
    ["an unknown field of a turn", { turns: [{ speaker: "agent", text: "hi", mood: 1 }] }, "/turns/0/mood"],
    ["an empty id", { ...good, call_id: "" }, "/call_id"],
    ["a long id", { ...good, call_id: "x".repeat(129) }, "/call_id"],
    ["NUL in an id", { ...good, agent_id: "a\0b" }, "/agent_id"],
    ["NUL in words", { transcript: "Agent: a\0b" }, "/transcript"],
    ["a lone surrogate in an id", { ...good, customer_id: "a\ud800" }, "/customer_id"],
    ["a path as id", { ...good, call_id: ".." }, "/call_id"],
    ["a language that is none", { ...good, language: "english please" }, "/language"],
    ["a list", [good], ""],
    ["null", null, ""],
    ["a text", "hello", ""],
  ])("%s", async (_name, body, pointer) => {
    const answer = await http.ask<Problem>("POST", "/api/v1/calls", { body });
    expect(answer.status).toBe(422);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.body.errors?.map((e) => e.pointer)).toContain(pointer);
    for (const error of answer.body.errors ?? []) {
      expect(Object.keys(error).toSorted()).toEqual(["expected", "message", "pointer", "received"]);
      expect(error.expected).not.toBe("");
    }
  });

  test("all at once", async () => {
    const body = { call_id: 5, start_time: "x", outcome: 1, duration_seconds: null, language: "en", transcript: "" };
    const answer = await http.ask<Problem>("POST", "/api/v1/calls", { body });
    expect(answer.body.errors?.map((e) => e.pointer)).toEqual(["/call_id", "/start_time", "/outcome", "/transcript"]);
  });

  test("unknown speakers are listed with how to map them, and the map works", async () => {
    const transcript = "Rep: hi there\nClient: hello\nRep: how are you\nClient: fine";
    const answer = await http.ask<Problem>("POST", "/api/v1/calls", { body: { transcript } });
    expect(answer.body.detail).toMatch(/Rep.*Client.*speaker_map/s);
    const body = { transcript, speaker_map: { Rep: "agent", Client: "customer" } };
    expect((await http.ask("POST", "/api/v1/calls", { body })).status).toBe(202);
  });

  test.each<[string, string | Buffer, number, string]>([
    ["no JSON", '{"transcript": ', 400, "malformed"],
    ["half a word", "{nope}", 400, "malformed"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), 400, "malformed"],
    ["nothing", "", 422, "validation"],
    ["__proto__", `{"__proto__": {"x": 1}, "transcript": ${JSON.stringify(SAID)}}`, 422, "validation"],
    ["constructor", `{"constructor": {"prototype": {}}, "transcript": ${JSON.stringify(SAID)}}`, 422, "validation"],
    ["deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 422, "validation"],
    ["a million elements", `{"turns": [${"0,".repeat(999_999)}0]}`, 422, "validation"],
    ["too large", `{"transcript": "${"x".repeat(2 * 1024 * 1024)}"}`, 413, "too_large"],
  ])("a body that is %s", async (_name, raw, status, code) => {
    const answer = await http.ask<Problem>("POST", "/api/v1/calls", { raw });
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
  });

  test("errors never quote what was sent", async () => {
    for (const raw of [
      '{"transcript": "Agent: canary-7" oops}',
      '{"transcript": canary-7}',
      '{"transcript": ["canary-7"]}',
    ]) {
      expect((await http.ask("POST", "/api/v1/calls", { raw })).text).not.toContain("canary-7");
    }
    expect(JSON.stringify(http.log)).not.toContain("canary-7");
  });

  test("only plain JSON is taken", async () => {
    const raw = JSON.stringify(good);
    const plain = await http.ask<Problem>("POST", "/api/v1/calls", { raw, type: "text/plain" });
    expect([plain.status, plain.body.code]).toEqual([415, "unsupported_media_type"]);
    const packed = await http.ask<Problem>("POST", "/api/v1/calls", { raw, headers: { "content-encoding": "gzip" } });
    expect([packed.status, packed.body.code]).toEqual([415, "unsupported_media_type"]);
  });

  test("lone surrogates in words are replaced, never refused by the store", async () => {
    const body = { call_id: "surrogate", turns: [{ speaker: "agent", text: "so \ud83d ok" }] };
    expect((await http.ask("POST", "/api/v1/calls", { body })).status).toBe(202);
    expect((await http.ask("GET", "/api/v1/calls/surrogate")).text).toContain("so \ufffd ok");
  });
});

/** What every answer keeps to, and what a follower and an operator read: addresses, guards, the feed, dead letters. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHttp, startHttp } from "../support/http-server.ts";

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp();
  const calls = ["c00", "c05"].map((call_id) => ({ call_id, transcript: "Customer: What a great offer, thank you." }));
  await http.ask("POST", "/api/v1/calls/bulk", { body: { calls } });
  await http.enrich();
});
afterAll(() => http.close());

describe("addresses and headers", () => {
  test("an unknown address is 404, a wrong method 405 with what is allowed, both as problems", async () => {
    expect((await http.ask("GET", "/api/v2/calls")).body["code"]).toBe("not_found");
    const wrong = await http.ask("PATCH", "/api/v1/calls/c00");
    expect([wrong.status, wrong.body["code"], wrong.headers["allow"]]).toEqual([
      405,
      "method_not_allowed",
      "DELETE, GET, HEAD, OPTIONS, PUT",
    ]);
    expect((await http.ask("GET", "/api/v1/calls/%zz")).body["code"]).toBe("malformed");
    expect((await http.ask("GET", "/ws")).status).toBe(426);
    const asked = await http.ask("OPTIONS", "/api/v1/calls/c00");
    expect([asked.status, asked.headers["allow"]]).toEqual([204, "DELETE, GET, HEAD, OPTIONS, PUT"]);
    expect((await http.ask("OPTIONS", "/api/v2/calls")).status).toBe(404);
  });

  test("a slash at the end makes no difference", async () => {
    expect((await http.ask<{ calls: object[] }>("GET", "/api/v1/calls/?limit=1")).body.calls).toHaveLength(1);
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

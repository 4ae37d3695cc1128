/** Calls that go on, over HTTP and the producers' socket, with the real store and the real model. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { EVERYTHING } from "../../src/core/call.ts";
import { MEASURE_NAMES } from "../../src/core/measures.ts";
import type { EventRow } from "../../src/ports/events.ts";
import { ADMIN_KEY, type Problem, type TestHttp, startHttp } from "../support/http-server.ts";

interface LiveCall {
  readonly turns: readonly {
    turn_id: string;
    text: string | null;
    sentiment: number | null;
    method: string | null;
    position: number;
  }[];
  readonly measures: Readonly<Record<string, number | null>>;
  readonly unavailable: Readonly<Record<string, string>>;
  readonly live_sentiment: number | null;
  readonly alerts: readonly { rule_id: string; evidence: readonly number[] }[];
  readonly position: number;
  readonly seq: number;
}
interface Appended {
  readonly turns: readonly { turn_id: string; turn_index: number; status: string }[];
}

const TURNS = [
  ["agent", "Good morning, this is Ann, how can I help you today?"],
  ["customer", "I am really annoyed, the invoice is wrong for the third time."],
  ["agent", "I am so sorry about that. Which invoice is it?"],
  ["customer", "The one from March. It is a complete mess and nobody answers me."],
  ["agent", "I see it. I will correct it right away and send you a new one."],
  ["customer", "..."],
  ["customer", "Oh, that was quick. Thank you so much, that is wonderful!"],
].map(([speaker, text], i) => ({ speaker, text, start_ms: i * 5_000, end_ms: i * 5_000 + 4_000 }));

let http: TestHttp;
let statistical: TestHttp;
beforeAll(async () => {
  http = await startHttp({ model: true });
  statistical = await startHttp();
});
afterAll(async () => {
  await http.close();
  await statistical.close();
});

/** Waits for an event of the log that fits. */
async function event(on: TestHttp, fits: (e: EventRow) => boolean): Promise<EventRow> {
  const changed = Promise.withResolvers<EventRow>();
  const look = async () => {
    const { events } = await on.store.events.after(0, 100_000, EVERYTHING);
    const found = events.find(fits);
    if (found) changed.resolve(found);
  };
  const stop = on.store.events.onChange(() => void look().catch(changed.reject));
  await look();
  return changed.promise.finally(stop);
}
const scored = (on: TestHttp, call_id: string, position: number) =>
  event(on, (e) => e.call_id === call_id && e.type === "live.turn" && e.position === position);
const start = (on: TestHttp, call_id: string, more: object = {}) =>
  on.ask("POST", "/api/v1/live", { body: { call_id, start_time: "2026-03-02T09:30:00Z", ...more } });
const append = (on: TestHttp, call_id: string, ...turns: object[]) =>
  on.ask<Appended>("POST", `/api/v1/calls/${call_id}/turns`, { body: { turns } });

test("a call told turn by turn is the same as one sent whole, bit by bit", async () => {
  expect((await start(http, "one")).status).toBe(201);
  for (const turn of TURNS) {
    expect((await append(http, "one", turn)).status).toBe(202);
    // Scored one at a time, as in a call that goes on.
    await scored(http, "one", TURNS.indexOf(turn) + 1);
  }
  const live = (await http.ask<LiveCall>("GET", "/api/v1/live/one")).body;
  expect(live.turns.map((t) => t.method)).toEqual(TURNS.map(() => "model"));
  expect((await http.ask("POST", "/api/v1/calls/one/end")).status).toBe(202);
  const whole = { call_id: "two", start_time: "2026-03-02T09:30:00Z", turns: TURNS };
  expect((await http.ask("POST", "/api/v1/calls", { body: whole })).status).toBe(202);
  await http.enrich();
  const [one, two] = await Promise.all(["one", "two"].map((id) => http.store.reads.get(id, EVERYTHING)));
  expect(one?.insights?.turn_sentiment).toEqual(two?.insights?.turn_sentiment);
  expect(one?.insights?.measures).toEqual(two?.insights?.measures);
  expect(one?.turns).toEqual(two?.turns);
  expect(live.turns.map((t) => t.sentiment)).toEqual(two?.insights?.turn_sentiment);
  for (const name of MEASURE_NAMES) expect([name, live.measures[name]]).toEqual([name, two?.insights?.measures[name]]);
  expect(one?.row).toMatchObject({ state: "enriched", duration_seconds: two?.row.duration_seconds });
  // The call sent whole under the same id is known as the very same.
  const again = await http.ask("POST", "/api/v1/calls", { body: { ...whole, call_id: "one" } });
  expect([again.status, again.headers["idempotency-replayed"]]).toEqual([202, "true"]);
  const { events } = await http.store.events.after(0, 1_000, EVERYTHING);
  const own = events.filter((e) => e.call_id === "one").map((e) => e.type);
  expect(own.filter((type) => type === "call.enriched")).toHaveLength(1);
  expect(own.slice(-3)).toEqual(["call.accepted", "live.ended", "call.enriched"]);
});

test("corrections count anew, and what is sent again changes nothing", async () => {
  await start(http, "c");
  await append(http, "c", { ...TURNS[1], turn_id: "x" }, { ...TURNS[0], turn_id: "y" });
  await scored(http, "c", 2);
  const good = { ...TURNS[6], turn_id: "x" };
  expect((await append(http, "c", good)).body.turns).toEqual([{ turn_id: "x", turn_index: 0, status: "corrected" }]);
  const { live_sentiment, turn_sentiment } = await scored(http, "c", 3);
  expect(live_sentiment).toBe(turn_sentiment);
  expect(turn_sentiment).toBeGreaterThan(0.3);
  const head = await http.store.events.head();
  expect((await append(http, "c", good)).body.turns).toEqual([{ turn_id: "x", turn_index: 0, status: "unchanged" }]);
  const key = { "idempotency-key": '"once"' };
  const body = { turns: [TURNS[2]] };
  const [first, second] = [
    await http.ask("POST", "/api/v1/calls/c/turns", { body, headers: key }),
    await http.ask("POST", "/api/v1/calls/c/turns", { body, headers: key }),
  ];
  expect(second.body).toEqual(first.body);
  expect(second.headers["idempotency-replayed"]).toBe("true");
  await scored(http, "c", 4);
  const view = (await http.ask<LiveCall>("GET", "/api/v1/live/c")).body;
  expect(view.turns).toHaveLength(3);
  expect(view.position).toBe(4);
  expect(view.seq).toBe(head + 1);
});

test("states and ids are kept apart, with an error for each", async () => {
  expect((await start(statistical, "s")).status).toBe(201);
  expect((await start(statistical, "s")).status).toBe(200);
  expect((await start(statistical, "s", { agent_id: "bob" })).status).toBe(409);
  const whole = { transcript: "Customer: hello" };
  expect((await statistical.ask("POST", "/api/v1/calls", { body: { ...whole, call_id: "s" } })).status).toBe(409);
  expect((await statistical.ask("PUT", "/api/v1/calls/s", { body: whole })).status).toBe(409);
  const bulk = await statistical.ask<{ results: { status: string }[] }>("POST", "/api/v1/calls/bulk", {
    body: { calls: [{ ...whole, call_id: "s" }, whole] },
  });
  expect(bulk.body.results.map((r) => r.status)).toEqual(["conflict", "accepted"]);
  expect((await append(statistical, "nobody", { speaker: "agent", text: "hi" })).status).toBe(404);
  await append(statistical, "s", { speaker: "agent", text: "hello" });
  const ended = await statistical.ask("POST", "/api/v1/calls/s/end", { body: { outcome: "won" } });
  expect([ended.status, ended.headers["location"]]).toEqual([202, "/api/v1/calls/s"]);
  const late = await statistical.ask<Problem>("POST", "/api/v1/calls/s/turns", {
    body: { turns: [{ speaker: "agent", text: "hi" }] },
  });
  expect([late.status, late.body.code]).toEqual([409, "call_ended"]);
  const again = await statistical.ask("POST", "/api/v1/calls/s/end", { body: { outcome: "won" } });
  expect([again.status, again.headers["idempotency-replayed"]]).toEqual([202, "true"]);
  expect((await statistical.ask("GET", "/api/v1/live/s")).status).toBe(404);
  await start(statistical, "empty");
  await append(statistical, "empty", { speaker: "agent", text: "..." });
  expect((await statistical.ask("POST", "/api/v1/calls/empty/end")).status).toBe(204);
  expect((await statistical.ask("POST", "/api/v1/calls/empty/end")).status).toBe(404);
});

test("wrong fields are named, and a live call may not grow beyond what a call may have", async () => {
  await start(statistical, "big");
  const errors = async (body: unknown) => {
    const { status, body: problem } = await statistical.ask<Problem>("POST", "/api/v1/calls/big/turns", { body });
    return [status, ...(problem.errors ?? []).map((e) => e.pointer)];
  };
  expect(await errors({ turns: [] })).toEqual([422, "/turns"]);
  expect(await errors({ turns: [{ speaker: "robot", text: 1, mood: 2 }], x: 1 })).toEqual(
    expect.arrayContaining([422, "/x", "/turns/0/mood", "/turns/0/speaker", "/turns/0/text"]),
  );
  const wrong = await statistical.ask<Problem>("POST", "/api/v1/live", {
    body: { start_time: "noon", outcome: "won" },
  });
  expect(wrong.body.errors?.map((e) => e.pointer)).toEqual(["/outcome", "/start_time"]);
  const half = { speaker: "agent", text: "a".repeat(1024 * 1024 - 10) };
  expect(await errors({ turns: [half] })).toEqual([202]);
  expect(await errors({ turns: [half] })).toEqual([202]);
  expect(await errors({ turns: [{ speaker: "agent", text: "b".repeat(100) }] })).toEqual([422, "/turns"]);
  await start(statistical, "many");
  for (let i = 0; i < 20; i++) {
    const turns = Array.from({ length: 1_000 }, (_, k) => ({ speaker: "customer", text: `${i} ${k}` }));
    expect((await append(statistical, "many", ...turns)).status).toBe(202);
  }
  const over = await statistical.ask<Problem>("POST", "/api/v1/calls/many/turns", {
    body: { turns: [{ speaker: "agent", text: "one more" }] },
  });
  expect([over.status, over.body.errors?.[0]?.expected]).toEqual([422, "at most 20000 turns in the call"]);
});

test("only who may see a call sees it, and analysts read no words", async () => {
  await start(statistical, "mine", { agent_id: "ann", customer_id: "carl" });
  await append(statistical, "mine", { speaker: "customer", text: "zebrawort is wonderful" });
  await scored(statistical, "mine", 1);
  const { key: other } = await statistical.key("agent", { agent_id: "bob" });
  const { key: own } = await statistical.key("agent", { agent_id: "ann" });
  const { key: analyst } = await statistical.key("analyst");
  expect((await statistical.ask("GET", "/api/v1/live/mine", { key: other })).status).toBe(404);
  expect((await statistical.ask("GET", "/api/v1/live/mine", { key: own })).status).toBe(200);
  const list = await statistical.ask<{ calls: { call_id: string }[] }>("GET", "/api/v1/live", { key: other });
  expect(list.body.calls).toEqual([]);
  for (const url of ["/api/v1/live/mine", "/api/v1/live"]) {
    const seen = await statistical.ask("GET", url, { key: analyst });
    expect(seen.text).toContain("mine");
    expect(seen.text).not.toMatch(/zebrawort|carl/);
  }
  const view = await statistical.ask<LiveCall>("GET", "/api/v1/live/mine");
  expect(view.body.turns[0]).toMatchObject({ method: "statistical", text: "zebrawort is wonderful" });
  expect(view.headers["earshot-degraded"]).toBe("models");
  const { events } = await statistical.store.events.after(0, 100_000, EVERYTHING);
  expect(JSON.stringify([events, statistical.log])).not.toContain("zebrawort");
  expect((await statistical.ask("DELETE", "/api/v1/calls/mine")).status).toBe(204);
  expect((await statistical.ask("GET", "/api/v1/live/mine")).status).toBe(404);
});

test("silent calls are told of, idle ones end by themselves", async () => {
  let ahead = 0;
  const own = await startHttp({
    now: () => Date.now() + ahead,
    config: { liveCalls: { look_ms: 20, idle_ms: 600_000 } },
  });
  try {
    await start(own, "quiet");
    await append(own, "quiet", ...TURNS.slice(0, 2));
    await scored(own, "quiet", 2);
    ahead = 40_000;
    expect(await event(own, (e) => e.type === "live.alert")).toMatchObject({
      call_id: "quiet",
      rule_id: "long_silence",
      evidence: [1],
      position: 2,
    });
    const view = (await own.ask<LiveCall>("GET", "/api/v1/live/quiet")).body;
    expect(view.alerts.map((a) => a.rule_id)).toEqual(["long_silence"]);
    ahead = 700_000;
    await event(own, (e) => e.type === "live.ended");
    expect((await own.ask("GET", "/api/v1/calls/quiet")).status).toBe(200);
    const { events } = await own.store.events.after(0, 100, EVERYTHING);
    expect(events.filter((e) => e.type === "live.alert")).toHaveLength(1);
  } finally {
    await own.close();
  }
});

test("a producer's socket takes many calls at once, in order, and says what is wrong", async () => {
  const url = `${(await statistical.app.listen({ port: 0, host: "127.0.0.1" })).replace("http", "ws")}/ws/live`;
  const open = (key: string) => new WebSocket(url, { headers: { authorization: `Bearer ${key}` } });
  const { key: analyst } = await statistical.key("analyst");
  const refused = open(analyst);
  expect(await new Promise((resolve) => refused.once("close", resolve))).toBe(4403);
  const ws = open(ADMIN_KEY);
  const answers = new Map<unknown, Record<string, unknown>>();
  const all = Promise.withResolvers<void>();
  ws.on("message", (data: Buffer) => {
    const answer = JSON.parse(data.toString("utf8")) as Record<string, unknown>;
    answers.set(answer["ref"], answer);
    if (answers.size === 65) all.resolve();
  });
  await new Promise((resolve) => ws.once("open", resolve));
  const say = (message: object) => ws.send(JSON.stringify(message));
  for (let i = 0; i < 60; i++) {
    const call_id = `w${i % 3}`;
    if (i < 3) say({ type: "start", ref: `s${i}`, call_id });
    say({ type: "turns", ref: i, call_id, turns: [{ speaker: "customer", text: `word ${i}` }] });
  }
  say({ type: "end", ref: "end", call_id: "w0" });
  say({ type: "turns", ref: "bad", call_id: "w1", turns: [{ speaker: "customer", text: 7 }] });
  await all.promise;
  ws.close();
  expect(answers.get("end")).toMatchObject({ type: "ack", call_id: "w0", status: "accepted", revision: 1 });
  expect(answers.get("bad")).toMatchObject({
    type: "error",
    code: "validation",
    errors: [{ pointer: "/turns/0/text" }],
  });
  const stored = await statistical.store.reads.get("w0", EVERYTHING);
  expect(stored?.turns.map((t) => t.text)).toEqual(Array.from({ length: 20 }, (_, k) => `word ${k * 3}`));
  const { events } = await statistical.store.events.after(0, 100_000, EVERYTHING);
  for (const call_id of ["w1", "w2"]) {
    await scored(statistical, call_id, 20);
    const view = (await statistical.ask<LiveCall>("GET", `/api/v1/live/${call_id}`)).body;
    expect(view.turns.map((t) => t.position)).toEqual(Array.from({ length: 20 }, (_, k) => k + 1));
  }
  const positions = events.filter((e) => e.call_id === "w0" && e.type === "live.turn").map((e) => e.position);
  expect(positions).toEqual(positions.map((_, k) => k + 1));
});

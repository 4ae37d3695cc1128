/** The sentiment of calls that go on, over a real port: turn by turn, across the end, with corrections, to whom. */
import { io } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/demo/random.ts";
import { ADMIN_KEY, startHttp, type TestHttp } from "../support/http-server.ts";
import { EventClient, SocketClient, type StreamMessage } from "../support/stream-client.ts";

const ADMIN = { authorization: `Bearer ${ADMIN_KEY}` };
const START = { start_time: "2026-03-02T09:30:00Z" };
const MOODS = ["I love it, it is wonderful.", "Well, fine.", "This is awful, I hate it.", "It is a disaster.", "..."];
const GLAD_TO_SAD = [
  "I love it, it is wonderful.",
  "This is awful.",
  "I hate it, a disaster.",
  "Terrible, I hate it.",
  "Awful.",
];
let http: TestHttp;
let base: string;
const open: { end: () => void }[] = [];

beforeAll(async () => {
  http = await startHttp({ config: { socketIo: true } });
  base = await http.app.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(() => {
  for (const { end } of open.splice(0)) end();
});
afterAll(() => http.close());

function socket(path: string, headers: Record<string, string> = ADMIN): SocketClient {
  const client = new SocketClient(`${base}/ws/sentiment/${path}`, headers);
  open.push({ end: () => client.ws.terminate() });
  return client;
}

function events(path: string, headers: Record<string, string> = ADMIN): EventClient {
  const client = new EventClient(`${base}/api/v1/stream/sentiment/${path}`, headers);
  open.push({ end: () => client.abort.abort() });
  return client;
}

/** Goes on after a message, as it said. */
function resume(call_id: string, last: StreamMessage | null, overEvents: boolean): SocketClient | EventClient {
  if (last?.of === undefined) return overEvents ? events(call_id) : socket(call_id);
  const { seq, of } = last;
  if (overEvents) return events(call_id, { ...ADMIN, "last-event-id": `${seq}@${of}` });
  return socket(`${call_id}?after=${seq}&of=${of}`);
}

async function start(call_id: string, more: object = {}): Promise<void> {
  expect((await http.ask("POST", "/api/v1/live", { body: { call_id, ...START, ...more } })).status).toBe(201);
}

async function say(call_id: string, ...turns: object[]): Promise<void> {
  expect((await http.ask("POST", `/api/v1/calls/${call_id}/turns`, { body: { turns } })).status).toBe(202);
}

async function end(call_id: string): Promise<void> {
  expect((await http.ask("POST", `/api/v1/calls/${call_id}/end`)).status).toBe(202);
}

const customer = (text: string, turn_id?: string) => ({ speaker: "customer", text, ...(turn_id && { turn_id }) });
const agent = (text: string) => ({ speaker: "agent", text });
const is = (type: string) => (m: StreamMessage) => m.type === type;
const at = (seq: number) => (m: StreamMessage) => m.type === "sentiment" && m.seq === seq;
const shape = ({ messages }: { messages: readonly StreamMessage[] }) => messages.map((m) => [m.type, m.seq]);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const PER_TURN = ["turn_id", "turn_index", "speaker", "text", "sentiment", "live_sentiment", "trend"] as const;
const facts = (m: StreamMessage) => PER_TURN.map((name) => m[name]);

test("follows a call turn by turn, over the end to complete, the same on every transport", async () => {
  await start("three");
  const clients = [socket("three"), events("three")] as const;
  const other = io(base, { transports: ["websocket"], auth: { token: ADMIN_KEY }, forceNew: true });
  open.push({ end: () => other.disconnect() });
  const heard: StreamMessage[] = [];
  const done = Promise.withResolvers<void>();
  other.on("sentiment", (m: StreamMessage) => {
    heard.push(m);
    if (m.type === "complete") done.resolve();
  });
  expect(await other.emitWithAck("subscribe", { stream: "sentiment", call_id: "three" })).toEqual({ ok: true });
  for (const client of clients) expect(await client.next(is("hello"))).toMatchObject({ state: "live", seq: 0 });
  await say("three", agent("Hello?"), customer(MOODS[0] as string));
  for (const client of clients) await client.next(at(2));
  await say("three", customer(MOODS[2] as string));
  for (const client of clients) {
    expect(await client.next(at(3))).toMatchObject({ text: MOODS[2], sentiment_label: "negative", prev_seq: 2 });
  }
  const late = socket("three");
  await late.next(at(3));
  expect(late.messages[0]).toMatchObject({ state: "live", turns: 3 });
  await end("three");
  await http.enrich();
  await done.promise;
  for (const client of [...clients, late]) {
    expect(await client.next(is("complete"))).toMatchObject({ seq: 4, prev_seq: 3, revision: 1 });
    expect(shape(client).slice(1)).toEqual([
      ["sentiment", 1],
      ["sentiment", 2],
      ["sentiment", 3],
      ["complete", 4],
    ]);
  }
  expect(heard.map((m) => [m.type, m.seq])).toEqual(shape(late));
  // Whoever comes after the end is told the same of every turn.
  const after = socket("three");
  await after.next(is("complete"));
  expect(after.messages.filter(is("sentiment")).map(facts)).toEqual(late.messages.filter(is("sentiment")).map(facts));
});

describe("a client that is cut off anywhere", () => {
  test.each([1, 2, 3, 4])(
    "gets every position once, across the end and the enrichment (seed %i)",
    async (seed) => {
      const dice = random(seed);
      const call_id = `cut-${seed}`;
      await start(call_id);
      const said = Array.from({ length: 30 }, (_, i) =>
        i % 2 === 0 ? agent(`line ${i}`) : customer(dice.pick(MOODS)),
      );
      const steps = [...said.map((turn) => () => say(call_id, turn)), () => end(call_id), () => http.enrich()];
      /** Goes on with the call for as many steps at most, however late its client reads, until it is told to stop. */
      const goOn = async (signal: AbortSignal, most: number): Promise<void> => {
        // What has no sentiment when the call ends gets it with the enrichment, which is then due.
        for (let i = 0; (i < most || steps.length === 1) && !signal.aborted; i++) await steps.shift()?.();
      };
      const got: StreamMessage[] = [];
      let last: StreamMessage | null = null;
      let connections = 0;
      while (last?.type !== "complete") {
        connections++;
        const client = resume(call_id, last, dice.chance(0.5));
        const most = dice.int(1, 5);
        const cut = new AbortController();
        // The end and the enrichment give no message of their own.
        const going = goOn(cut.signal, most + 2);
        await client.next((m) => client.messages.length > most || m.type === "complete");
        cut.abort();
        if (client instanceof SocketClient) client.ws.terminate();
        else client.abort.abort();
        // Sometimes more happens while it is away.
        await going;
        for (let more = dice.int(0, 3); more > 0; more--) await steps.shift()?.();
        got.push(...client.messages.filter((m) => m.type !== "hello"));
        last = client.messages.at(-1) ?? last;
      }
      expect(got.filter((m) => m.type !== "alert").map((m) => [m.type, m.seq])).toEqual([
        ...range(30).map((seq_) => ["sentiment", seq_]),
        ["complete", 31],
      ]);
      expect(got.filter(is("sentiment")).map((m) => m["text"])).toEqual(said.map((turn) => turn.text));
      expect(connections).toBeGreaterThan(3);
    },
    60_000,
  );
});

interface Told {
  readonly turns: readonly { readonly turn_id: string; readonly text: string; readonly sentiment: number | null }[];
}

/** What a client shows: each turn as it was sent last, since it had to begin anew. */
function shown(messages: readonly StreamMessage[]) {
  const turns = new Map<unknown, StreamMessage>();
  for (const m of messages) {
    if (m.type === "resync_required") turns.clear();
    if (m.type === "sentiment") turns.set(m["turn_index"], m);
  }
  return [...turns.entries()]
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, m]) => ({ turn_id: m["turn_id"], text: m["text"], sentiment: m["sentiment"] }));
}

describe("corrections", () => {
  test("send the turn again, and whoever had positions of the live part begins anew after the end", async () => {
    await start("fixed");
    await say("fixed", customer("I am very sad.", "a"), agent("Oh."), customer("Never mind.", "c"));
    const stays = socket("fixed");
    await stays.next(at(3));
    await say("fixed", customer("I am very glad.", "a"));
    expect(await stays.next(at(4))).toMatchObject({ turn_index: 0, text: "I am very glad.", prev_seq: 3 });
    // One that comes now is not told what is not so any more.
    const late = events("fixed");
    await late.next(at(4));
    expect(late.messages.filter(is("sentiment")).map((m) => [m.seq, m["turn_id"]])).toEqual([
      [2, "t2"],
      [3, "c"],
      [4, "a"],
    ]);
    const away = late.messages.at(-1);
    late.abort.abort();
    await say("fixed", customer("Bye.", "d"));
    await stays.next(at(5));
    await end("fixed");
    await http.enrich();
    const back = socket(`fixed?after=${away?.seq}&of=${away?.of}`);
    const unnamed = socket(`fixed?after=${away?.seq}`);
    const { turns } = (await http.ask<Told>("GET", "/api/v1/calls/fixed")).body;
    const expected = turns.map(({ turn_id, text, sentiment }) => ({ turn_id, text, sentiment }));
    expect(expected).toHaveLength(4);
    for (const client of [stays, back, unnamed]) {
      await client.next(is("complete"));
      expect(shown(client.messages)).toEqual(expected);
    }
    expect(shape(stays).slice(-6)).toEqual([
      ["resync_required", 0],
      ...range(4).map((n) => ["sentiment", n]),
      ["complete", 5],
    ]);
    // Positions of the stored call are good from then on, until it is enriched anew.
    const third = back.messages.find(at(3));
    const rest = socket(`fixed?after=3&of=${third?.of}`);
    await rest.next(is("complete"));
    expect(shape(rest)).toEqual([
      ["hello", 3],
      ["sentiment", 4],
      ["complete", 5],
    ]);
    expect((await http.ask("POST", "/api/v1/calls/fixed/process")).status).toBe(202);
    await http.enrich();
    const anew = socket(`fixed?after=3&of=${third?.of}`);
    await anew.next(is("complete"));
    expect(shape(anew).slice(0, 3)).toEqual([
      ["hello", 3],
      ["resync_required", 0],
      ["sentiment", 1],
    ]);
  });

  test("in any number and at any time leave a client with the turns of the stored call", async () => {
    const dice = random(9);
    await start("often");
    const client = socket("often");
    await client.next(is("hello"));
    for (let i = 0; i < 40; i++) {
      const id = `i${dice.chance(0.4) ? dice.int(0, 12) : i}`;
      await say("often", customer(`${dice.pick(MOODS)} ${i}`, id));
    }
    await end("often");
    await http.enrich();
    await client.next(is("complete"));
    const { turns } = (await http.ask<Told>("GET", "/api/v1/calls/often")).body;
    expect(turns.length).toBeLessThan(40);
    expect(shown(client.messages)).toEqual(turns.map(({ turn_id, text, sentiment }) => ({ turn_id, text, sentiment })));
  });

  test("another call under the id of one that was deleted is told from its beginning", async () => {
    await start("reused");
    await say("reused", agent("one"), agent("two"));
    const client = socket("reused");
    const { of } = await client.next(at(2));
    expect((await http.ask("DELETE", "/api/v1/calls/reused")).status).toBe(204);
    expect((await client.closed).code).toBe(4404);
    await start("reused");
    await say("reused", agent("three"), agent("four"), agent("five"));
    const again = socket(`reused?after=2&of=${of}`);
    await again.next(at(3));
    expect(shape(again).slice(0, 3)).toEqual([
      ["hello", 2],
      ["resync_required", 0],
      ["sentiment", 1],
    ]);
  });
});

test("what a position is of is refused by name where no message said so", async () => {
  await start("named");
  expect(await socket("named?after=1&of=a%0Ab").closed).toEqual({ code: 4400, reason: expect.stringContaining("of") });
  expect(await events("named?after=1&of=a%0Ab").status).toBe(422);
  expect(await events("named", { ...ADMIN, "last-event-id": "1@a b" }).status).toBe(422);
});

test("alerts come with their evidence, once, and again to whoever was away", async () => {
  await start("mood");
  const client = socket("mood");
  await client.next(is("hello"));
  for (const text of GLAD_TO_SAD) {
    await say("mood", customer(text));
  }
  const alert = await client.next(is("alert"));
  const { alerts } = (await http.ask<{ alerts: Record<string, unknown>[] }>("GET", "/api/v1/live/mood")).body;
  expect(alerts).toHaveLength(1);
  const { position, ...given } = alerts[0] as { position: number };
  expect(alert).toMatchObject({ ...given, seq: position, call_id: "mood", alert: 1, rule_id: "sentiment_falling" });
  expect((alert["evidence"] as number[]).length).toBeGreaterThan(0);
  await say("mood", agent("I see."));
  await client.next(at(6));
  expect(client.messages.filter(is("alert"))).toHaveLength(1);
  for (const [after, times] of [
    [0, 1],
    [position, 1],
    [6, 0],
  ] as const) {
    const back = socket(`mood?after=${after}&of=${alert.of}`);
    await say("mood", agent("Yes."));
    const { row } = (await http.store.live.get("mood", { kind: "all" })) as { row: { position: number } };
    await back.next(at(row.position));
    expect([after, back.messages.filter(is("alert")).length]).toEqual([after, times]);
  }
});

describe("who sees what", () => {
  test("analysts get no words, agents nothing of others, nobody a call that is deleted", async () => {
    await start("ann-1", { agent_id: "ann", customer_id: "carl" });
    await say("ann-1", customer("zebrawort is wonderful"));
    const headers = async (...of: Parameters<TestHttp["key"]>) => ({
      authorization: `Bearer ${(await http.key(...of)).key}`,
    });
    const analyst = await headers("analyst");
    const clients = [socket("ann-1", analyst), events("ann-1", analyst)];
    for (const client of clients) {
      expect(await client.next(at(1))).toMatchObject({ sentiment_label: "positive", speaker: "customer" });
      expect(JSON.stringify(client.messages)).not.toMatch(/zebrawort|carl/);
    }
    const bob = await headers("agent", { agent_id: "bob" });
    expect(await socket("ann-1", bob).closed).toEqual({ code: 4404, reason: "Call record not found" });
    expect(await events("ann-1", bob).status).toBe(404);
    const own = socket("ann-1", await headers("agent", { agent_id: "ann" }));
    expect(await own.next(at(1))).toMatchObject({ text: "zebrawort is wonderful" });
    expect((await http.ask("DELETE", "/api/v1/calls/ann-1")).status).toBe(204);
    for (const client of [own, ...clients]) expect((await client.closed)?.code).toBe(4404);
    await start("empty");
    const none = socket("empty");
    await none.next(is("hello"));
    expect((await http.ask("POST", "/api/v1/calls/empty/end")).status).toBe(204);
    expect((await none.closed).code).toBe(4404);
  });
});

/** The feed over a real port: what it says, to whom, and that nothing is missed or doubled across connections. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/demo/random.ts";
import { ADMIN_KEY, type Problem, type TestHttp, startHttp } from "../support/http-server.ts";
import { EventClient, SocketClient, type StreamMessage } from "../support/stream-client.ts";

const ADMIN = { authorization: `Bearer ${ADMIN_KEY}` };
let http: TestHttp;
let base: string;
const open: { end: () => void }[] = [];

beforeAll(async () => {
  http = await startHttp({ config: { streams: { recheck_ms: 200, ping_ms: 800 } } });
  base = await http.app.listen({ host: "127.0.0.1", port: 0 });
  // Before thousands of others wait to be enriched.
  const transcript = "Agent: Good morning.\nCustomer: This is awful.\nCustomer: No, it is great!";
  await http.ask("PUT", "/api/v1/calls/said", { body: { agent_id: "ana", transcript } });
  await http.enrich();
});
afterEach(() => {
  for (const { end } of open.splice(0)) end();
});
afterAll(() => http.close());

function socket(query = "", headers: Record<string, string> = ADMIN): SocketClient {
  const client = new SocketClient(`${base}/ws/feed${query}`, headers);
  open.push({ end: () => client.ws.terminate() });
  return client;
}

function events(path: string, headers: Record<string, string> = ADMIN): EventClient {
  const client = new EventClient(`${base}/api/v1/stream/${path}`, headers);
  open.push({ end: () => client.abort.abort() });
  return client;
}

let made = 0;
/** So many accepted calls in one transaction; the head of the log after it. */
async function accept(n: number, agent_id = "ana"): Promise<number> {
  const calls = Array.from({ length: n }, () => ({ call_id: `c-${++made}`, agent_id, transcript: "Customer: fine" }));
  expect((await http.ask("POST", "/api/v1/calls/bulk", { body: { calls } })).status).toBe(207);
  return http.store.events.head();
}

const upTo = (seq: number) => (m: StreamMessage) => m.seq >= seq && m.type !== "hello";
const hello = (m: StreamMessage) => m.type === "hello";
const complete = (m: StreamMessage) => m.type === "complete";
const update = (m: StreamMessage) => m.type === "analytics_update";
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + 1 + i);

/** prev_seq of each message is the seq of the message before. */
function expectChain({ messages }: { messages: readonly StreamMessage[] }): void {
  expect(messages.slice(1).map((m) => m["prev_seq"])).toEqual(messages.slice(0, -1).map((m) => m.seq));
}

describe("what it says", () => {
  test("hello with the head of the log, then one message an event, over both transports", async () => {
    const head = await http.store.events.head();
    const clients = [socket(), events("feed")];
    for (const client of clients) expect(await client.next(hello)).toMatchObject({ seq: head, head });
    const last = await accept(3);
    for (const client of clients) {
      await client.next(upTo(last));
      expect(client.seqs()).toEqual(range(head, last));
      expectChain(client);
      const page = await http.ask<{ events: object[] }>("GET", `/api/v1/events?after=${head}`);
      const fields = client.messages.slice(1).map((m) => ({ ...m, prev_seq: undefined }));
      expect(fields).toEqual(page.body.events.map((e) => ({ ...e, prev_seq: undefined })));
    }
  });

  test("goes on after a seq: what was missed, then what happens, whoever joined before", async () => {
    const from = await http.store.events.head();
    const first = socket();
    await first.next(hello);
    await accept(800);
    const middle = await accept(400);
    const second = socket(`?after=${from}`);
    const third = events("feed?after=0", { ...ADMIN, "last-event-id": String(from + 7) });
    await second.next(upTo(middle));
    await third.next(upTo(middle));
    const last = await accept(2);
    for (const client of [first, second, third]) {
      await client.next(upTo(last));
      expectChain(client);
    }
    expect(first.seqs()).toEqual(range(from, last));
    expect(second.seqs()).toEqual(range(from, last));
    expect(third.seqs()).toEqual(range(from + 7, last));
    expect(second.messages[0]).toMatchObject({ type: "hello", seq: from, head: middle });
  });

  test("only of an agent, a team, some types", async () => {
    await http.key("agent", { agent_id: "tim", team: "red" });
    const of = {
      agent: socket("?agent_id=zoe"),
      team: socket("?team=red"),
      types: socket("?types=call.deleted,call.enriched"),
    };
    for (const client of Object.values(of)) await client.next(hello);
    const from = await http.store.events.head();
    await accept(2);
    await accept(2, "zoe");
    await accept(2, "tim");
    await http.ask("DELETE", `/api/v1/calls/c-${made}`);
    const last = await http.store.events.head();
    await of.types.next(upTo(last));
    await of.team.next(upTo(last));
    await of.agent.next(upTo(from + 4));
    expect(of.agent.seqs()).toEqual([from + 3, from + 4]);
    expect(of.team.seqs()).toEqual([from + 5, from + 6, from + 7]);
    expect(of.types.messages.slice(1)).toMatchObject([{ type: "call.deleted", seq: last, reason: "request" }]);
    for (const client of Object.values(of)) expectChain(client);
    // What comes from the log is filtered as what comes live.
    for (const [query, seqs] of [
      [`?agent_id=zoe&after=${from}`, [from + 3, from + 4]],
      [`?team=red&after=${from}`, [from + 5, from + 6, from + 7]],
    ] as const) {
      const again = socket(query);
      await again.next(upTo(seqs.at(-1) ?? 0));
      expect(again.seqs()).toEqual(seqs);
    }
  });

  test("says that all must be read anew when the log was cut, or is another one, and goes on from its head", async () => {
    const from = await http.store.events.head();
    await accept(3);
    const last = await http.store.events.head();
    const future = socket(`?after=${last + 1_000}`);
    expect(await future.next((m) => m.type === "resync_required")).toMatchObject({ seq: last });
    const other = await startHttp({ now: () => Date.now() });
    try {
      const url = await other.app.listen({ host: "127.0.0.1", port: 0 });
      for (const id of ["a", "b", "c"]) {
        await other.ask("PUT", `/api/v1/calls/${id}`, { body: { transcript: "Customer: hm" } });
      }
      await other.store.pruneEvents(Date.now() + 1);
      await other.ask("PUT", "/api/v1/calls/d", { body: { transcript: "Customer: hm" } });
      const head = await other.store.events.head();
      const { oldest } = await other.store.events.after(0, 1, { kind: "all" });
      const old = new SocketClient(`${url}/ws/feed?after=1`, ADMIN);
      expect(await old.next((m) => m.type === "resync_required")).toMatchObject({ seq: head, oldest });
      await other.ask("PUT", "/api/v1/calls/e", { body: { transcript: "Customer: hm" } });
      await old.next(upTo(head + 1));
      expect(old.seqs()).toEqual([head + 1]);
      old.ws.terminate();
    } finally {
      await other.close();
    }
    expect(last).toBe(from + 3);
  });
});

describe("nothing is missed or doubled", () => {
  test.each([1, 2, 3])(
    "by a client that is cut off at any time while calls come in (seed %i)",
    async (seed) => {
      const dice = random(seed);
      const from = await http.store.events.head();
      let position = from;
      const got: number[] = [];
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 60; i++) await accept(dice.int(1, 40));
        writing = false;
      })();
      let connections = 0;
      // Each connection is cut after so many messages, whether they came from the log or live.
      while (writing || position < (await http.store.events.head())) {
        connections++;
        const over = dice.chance(0.5) ? events(`feed?after=${position}`) : socket(`?after=${position}`);
        const most = dice.int(1, 200);
        const head = await http.store.events.head();
        await over.next(
          (m) => over.messages.length > most || (m.type !== "hello" && m.seq >= head) || head === position,
        );
        if (over instanceof SocketClient) over.ws.terminate();
        else over.abort.abort();
        got.push(...over.seqs());
        position = over.position;
        expectChain(over);
      }
      await writer;
      const last = await http.store.events.head();
      expect(got).toEqual(range(from, last));
      expect(connections).toBeGreaterThan(3);
    },
    60_000,
  );

  test("by many clients that come while calls come in", async () => {
    const from = await http.store.events.head();
    const clients: SocketClient[] = [];
    for (let i = 0; i < 40; i++) {
      await accept(25);
      clients.push(socket(`?after=${from}`), socket(`?after=${from}&agent_id=ana`));
    }
    const last = await http.store.events.head();
    for (const client of clients) {
      await client.next(upTo(last));
      expect(client.seqs()).toEqual(range(from, last));
      expectChain(client);
    }
  }, 60_000);
});

describe("who sees what", () => {
  test("an agent and a manager get their own calls only, now and from the log; more is refused", async () => {
    const { key } = await http.key("agent", { agent_id: "eva" });
    await http.key("agent", { agent_id: "max", team: "blue" });
    const manager = await http.key("manager", { team: "blue" });
    const from = await http.store.events.head();
    const mine = { authorization: `Bearer ${key}` };
    const ours = { authorization: `Bearer ${manager.key}` };
    const live = [socket("", mine), socket("", ours)] as const;
    for (const client of live) await client.next(hello);
    await accept(2, "eva");
    await accept(2, "max");
    await accept(2, "ana");
    await accept(1, "eva");
    const last = await accept(1, "max");
    const later = [events(`feed?after=${from}`, mine), events(`feed?after=${from}&team=blue`, ours)] as const;
    for (const clients of [live, later]) {
      await clients[0].next(upTo(last - 1));
      await clients[1].next(upTo(last));
      expect(clients[0].seqs()).toEqual([from + 1, from + 2, last - 1]);
      expect(clients[1].seqs()).toEqual([from + 3, from + 4, last]);
    }
    const none = socket(`?agent_id=ana&after=${from}`, mine);
    await none.next(hello);
    expect((await socket("?team=blue", mine).closed).code).toBe(4403);
    expect((await socket("?team=red", ours).closed).code).toBe(4403);
    expect(await events("feed?team=red", ours).status).toBe(403);
    expect(none.seqs()).toEqual([]);
  });

  test("a revoked key ends open streams within five seconds", async () => {
    const { key, account_id } = await http.key("analyst");
    const headers = { authorization: `Bearer ${key}` };
    const clients = [socket("", headers), events("feed", headers)];
    for (const client of clients) await client.next(hello);
    const began = Date.now();
    await http.store.accounts.revoke(account_id);
    for (const client of clients) expect((await client.closed)?.code).toBe(4401);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  test("nobody without credentials", async () => {
    expect((await socket("", {}).closed).code).toBe(4401);
    expect(await events("feed", {}).status).toBe(401);
  });
});

describe("event streams", () => {
  test("of a call carry the words for who may see them, positions as ids, and go on after the last one", async () => {
    const whole = events("sentiment/said");
    await whole.next(complete);
    expect(whole.messages.map((m) => [m.type, m.seq, m["text"]])).toEqual([
      ["hello", 0, undefined],
      ["sentiment", 1, "Good morning."],
      ["sentiment", 2, "This is awful."],
      ["sentiment", 3, "No, it is great!"],
      ["complete", 4, undefined],
    ]);
    expectChain(whole);
    const rest = events("sentiment/said", { ...ADMIN, "last-event-id": "2" });
    await rest.next(complete);
    expect(rest.messages.map((m) => [m.type, m.seq])).toEqual([
      ["hello", 2],
      ["sentiment", 3],
      ["complete", 4],
    ]);
    const beyond = events("sentiment/said?after=9");
    await beyond.next(complete);
    expect(beyond.messages.map((m) => [m.type, m.seq]).slice(1, 3)).toEqual([
      ["resync_required", 0],
      ["sentiment", 1],
    ]);
    const { key } = await http.key("analyst");
    const silent = events("sentiment/said", { authorization: `Bearer ${key}` });
    await silent.next(complete);
    expect(JSON.stringify(silent.messages)).not.toContain("awful");
    expect(silent.messages.map((m) => m["sentiment"])).toEqual(whole.messages.map((m) => m["sentiment"]));
    expect(await events("sentiment/nobody").status).toBe(404);
  });

  test("of figures begin at once, or once something changed since", async () => {
    const first = events("figures");
    const { seq, data } = await first.next(update);
    expect(seq).toBe(await http.store.events.head());
    const second = events(`figures?after=${seq}`);
    await second.next((m) => m.type === "streaming_status");
    await accept(1);
    const total = (data as { total_calls: number }).total_calls + 1;
    expect((await second.next(update))["data"]).toMatchObject({ total_calls: total });
    expect(second.messages.filter(update)).toHaveLength(1);
  });

  test("are kept alive by comments, and sockets by pings; a socket that answers none is closed", async () => {
    const client = events("feed");
    const deaf = new SocketClient(`${base}/ws/feed`, ADMIN);
    await Promise.all([client.next(hello), deaf.next(hello)]);
    deaf.ws.pong = () => {};
    expect((await deaf.closed).code).toBe(1006);
    expect(client.comments).toBeGreaterThan(0);
  });

  test("refuse what is wrong before they begin, by name", async () => {
    for (const [query, name] of [
      ["after=-1", "after"],
      ["types=call.sung", "types"],
      ["color=red", "color"],
    ]) {
      const answer = await http.ask<Problem>("GET", `/api/v1/stream/feed?${query}`);
      expect([query, answer.status, JSON.stringify(answer.body.errors)]).toEqual([
        query,
        422,
        expect.stringContaining(name as string),
      ]);
    }
    const [after, types] = await Promise.all([socket("?after=x").closed, socket("?types=call.sung").closed]);
    expect(after).toEqual({ code: 4400, reason: expect.stringContaining("after") });
    expect(types).toEqual({ code: 4400, reason: expect.stringContaining("types") });
  });
});

test("an account has so many streams, of both kinds together", async () => {
  const other = await startHttp({ config: { streams: { sockets_per_account: 2 } } });
  try {
    const url = await other.app.listen({ host: "127.0.0.1", port: 0 });
    const first = new SocketClient(`${url}/ws/feed`, ADMIN);
    const second = new EventClient(`${url}/api/v1/stream/feed`, ADMIN);
    await Promise.all([first.next(hello), second.next(hello)]);
    expect((await new SocketClient(`${url}/ws/feed`, ADMIN).closed).code).toBe(4429);
    expect(await new EventClient(`${url}/api/v1/stream/feed`, ADMIN).status).toBe(429);
    first.ws.terminate();
    await first.closed;
    const third = new EventClient(`${url}/api/v1/stream/figures`, ADMIN);
    expect(await third.status).toBe(200);
    second.abort.abort();
    third.abort.abort();
  } finally {
    await other.close();
  }
});

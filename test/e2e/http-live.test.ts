/** WebSockets over a real port. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_KEY, type TestHttp, startHttp } from "../support/http-server.ts";
import { SocketClient as Client, type StreamMessage as Message } from "../support/stream-client.ts";

let http: TestHttp;
let base: string;
const clients: Client[] = [];

beforeAll(async () => {
  http = await startHttp({
    config: {
      streams: { recheck_ms: 200, coalesce_ms: 50, buffered_bytes: 262_144, messages_per_second: 5, message_burst: 30 },
    },
  });
  base = await listen(http);
  await put(
    "told",
    "ana",
    "Agent: Good morning.\nCustomer: I hate this, it is awful.\nAgent: Oh.\nCustomer: Now it is great, thank you!",
  );
  await http.enrich();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.ws.terminate();
});
afterAll(() => http.close());

async function listen({ app }: TestHttp): Promise<string> {
  return (await app.listen({ host: "127.0.0.1", port: 0 })).replace("http:", "ws:");
}

function connect(path: string, headers: Record<string, string> = { authorization: `Bearer ${ADMIN_KEY}` }): Client {
  const client = new Client(`${base}${path}`, headers);
  clients.push(client);
  return client;
}

async function put(call_id: string, agent_id: string, transcript: string): Promise<void> {
  await http.ask("PUT", `/api/v1/calls/${call_id}`, { body: { agent_id, transcript } });
}

const isType = (type: string) => (m: Message) => m.type === type;

describe("the sentiment of a call", () => {
  test("is hello, then every turn in order with its stored sentiment, then complete", async () => {
    const client = connect("/ws/sentiment/told/");
    await client.next(isType("complete"));
    const stored = await http.ask<{ turns: { turn_id: string; sentiment: number; sentiment_label: string }[] }>(
      "GET",
      "/api/v1/calls/told",
    );
    expect(client.messages[0]).toMatchObject({
      type: "hello",
      call_id: "told",
      message: expect.any(String),
      timestamp: expect.stringMatching(/Z$/),
    });
    expect(
      client.messages
        .slice(1, -1)
        .map((m) => [m["call_id"], m["status"], m["turn_id"], m["sentiment"], m["sentiment_label"]]),
    ).toEqual(stored.body.turns.map((t) => ["told", "streaming", t.turn_id, t.sentiment, t.sentiment_label]));
    expect(stored.body.turns.map((t) => t.sentiment_label)).toEqual(["positive", "negative", "neutral", "positive"]);
    // Positions within the call: hello says where it starts from, complete comes after the last turn.
    expect(client.messages.map((m) => m.seq)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(client.messages.slice(1).map((m) => m["prev_seq"])).toEqual([0, 1, 2, 3, 4]);
  });

  test("of a long call arrives whole and in order, a little at a time", async () => {
    const turns = Array.from({ length: 3_000 }, (_, i) => ({
      speaker: i % 2 ? "customer" : "agent",
      text: `line ${i}`,
    }));
    await http.ask("PUT", "/api/v1/calls/long", { body: { turns } });
    await http.enrich();
    const client = connect("/ws/sentiment/long");
    await client.next(isType("complete"));
    expect(client.messages.slice(1, -1).map((m) => m["turn_index"])).toEqual(turns.map((_, i) => i));
  });

  test("follows a call that waits, and comes again when it changes", async () => {
    await put("waiting", "ana", "Customer: This is wonderful");
    const client = connect("/ws/sentiment/waiting");
    expect(await client.next(isType("hello"))).toMatchObject({ state: "pending", turns: 1 });
    await http.enrich();
    expect(await client.next(isType("complete"))).toMatchObject({ revision: 1 });
    const before = client.messages.length;
    await put("waiting", "ana", "Customer: This is terrible\nAgent: I see");
    await http.enrich();
    expect(await client.next(isType("complete"), before)).toMatchObject({ revision: 2, turns: 2 });
    expect(client.messages.slice(before).map((m) => [m.type, m.seq])).toEqual([
      ["resync_required", 0],
      ["sentiment", 1],
      ["sentiment", 2],
      ["complete", 3],
    ]);
    await http.ask("DELETE", "/api/v1/calls/waiting");
    expect(await client.closed).toEqual({ code: 4404, reason: "Call record not found" });
  });

  test("closes for a call that is unknown or somebody else's", async () => {
    const { key } = await http.key("agent", { agent_id: "ben" });
    for (const client of [
      connect("/ws/sentiment/nobody"),
      connect("/ws/sentiment/%00"),
      connect("/ws/sentiment/told", { authorization: `Bearer ${key}` }),
    ]) {
      expect((await client.closed).code).toBe(4404);
      expect(client.messages).toEqual([]);
    }
  });
});

describe("figures", () => {
  test("start, change with what is enriched, and stop", async () => {
    const client = connect("/ws");
    expect(await client.next(isType("connection"))).toMatchObject({
      status: "connected",
      seq: await http.store.events.head(),
    });
    client.say({ type: "start_streaming" });
    expect(await client.next(isType("streaming_status"))).toMatchObject({ streaming: true });
    const first = (await client.next(isType("analytics_update")))["data"] as {
      total_calls: number;
      enriched_calls: number;
    };
    await put("more", "ana", "Customer: This is fine\nAgent: Good");
    await http.enrich();
    const update = await client.next(
      (m) => m.type === "analytics_update" && (m["data"] as typeof first).enriched_calls === first.enriched_calls + 1,
    );
    expect(update["data"]).toMatchObject({ total_calls: first.total_calls + 1 });
    const agents = await http.ask<{ agent_id: string; sentiment: { n: number } }[]>("GET", "/api/v1/analytics/agents");
    expect((update["data"] as { enriched_calls: number }).enriched_calls).toBe(
      agents.body.reduce((n, a) => n + a.sentiment.n, 0),
    );
    client.say({ type: "stop_streaming" });
    expect(await client.next((m) => m["streaming"] === false)).toMatchObject({ type: "streaming_status" });
  });

  test("are of what the client may see", async () => {
    const { key } = await http.key("agent", { agent_id: "nobody-yet" });
    const client = connect("/ws", { authorization: `Bearer ${key}` });
    client.say({ type: "start_streaming" });
    expect((await client.next(isType("analytics_update")))["data"]).toMatchObject({
      total_calls: 0,
      avg_sentiment: null,
    });
  });

  test("messages are echoed, unknown ones answered with an error, broken ones end it", async () => {
    const client = connect("/ws");
    client.say({ type: "custom_message", message: { any: ["thing", 1] } });
    expect(await client.next(isType("echo"))).toMatchObject({ message: { any: ["thing", 1] } });
    client.say({ type: "dance" });
    expect(await client.next(isType("error"))).toMatchObject({ code: "unknown_type" });
    client.ws.send("{nope");
    expect((await client.closed).code).toBe(4400);
    for (const bad of ["[]", "null", "5", Buffer.from([1, 2])]) {
      const other = connect("/ws");
      await other.next(isType("connection"));
      other.ws.send(bad);
      expect((await other.closed).code).toBe(4400);
    }
  });
});

describe("limits", () => {
  test("a message over 64 KB closes with 4413", async () => {
    const client = connect("/ws");
    await client.next(isType("connection"));
    client.say({ type: "custom_message", message: "x".repeat(66_000) });
    expect((await client.closed).code).toBe(4413);
    const huge = connect("/ws");
    await huge.next(isType("connection"));
    huge.say({ type: "custom_message", message: "x".repeat(2_000_000) });
    expect((await huge.closed).code).toBe(4413);
    const fits = connect("/ws");
    fits.say({ type: "custom_message", message: "x".repeat(65_000) });
    expect(String((await fits.next(isType("echo")))["message"])).toHaveLength(65_000);
  });

  test("too many messages close with 4429", async () => {
    const client = connect("/ws");
    await client.next(isType("connection"));
    for (let i = 0; i < 40; i++) client.say({ type: "custom_message", message: i });
    expect((await client.closed).code).toBe(4429);
  });

  test("a client that does not read is closed as too slow", async () => {
    const other = await startHttp({ config: { streams: { buffered_bytes: 262_144, message_burst: 1_000_000 } } });
    try {
      const slow = new Client(`${await listen(other)}/ws`, { authorization: `Bearer ${ADMIN_KEY}` });
      await slow.next(isType("connection"));
      slow.ws.pause();
      // Echoes pile up on the server's side: first what the kernel takes (some 10 MB), then what we allow.
      const message = JSON.stringify({ type: "custom_message", message: "x".repeat(60_000) });
      for (let i = 0; i < 600; i++) await new Promise((resolve) => slow.ws.send(message, resolve));
      slow.ws.resume();
      expect((await slow.closed).code).toBe(4408);
    } finally {
      await other.close();
    }
  });
});

describe("who gets in", () => {
  test("nobody without credentials, with wrong ones, or from another site", async () => {
    expect((await connect("/ws", {}).closed).code).toBe(4401);
    expect((await connect("/ws/sentiment/told", { authorization: "Bearer nope" }).closed).code).toBe(4401);
    expect((await connect(`/ws?token=${ADMIN_KEY}`, {}).closed).code).toBe(4401);
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, origin: "https://evil.example" };
    expect((await connect("/ws", headers).closed).code).toBe(4403);
    expect((await connect("/other").closed).code).toBe(1006);
  });

  test("a ticket once, a cookie of the own page, an origin that the settings name", async () => {
    const { ticket } = (await http.ask<{ ticket: string }>("POST", "/auth/ticket")).body;
    const first = connect(`/ws?ticket=${ticket}`, { origin: "https://crm.example.com" });
    expect(await first.next(isType("connection"))).toMatchObject({ role: "admin" });
    expect((await connect(`/ws?ticket=${ticket}`, {}).closed).code).toBe(4401);
    const cookie = `earshot_session=${ADMIN_KEY}`;
    await connect("/ws", { cookie, origin: base.replace("ws:", "http:") }).next(isType("connection"));
    expect((await connect("/ws", { cookie, origin: "http://127.0.0.1:1" }).closed).code).toBe(4403);
  });

  test("a revoked key ends open sockets within five seconds", async () => {
    const { key, account_id } = await http.key("analyst");
    const client = connect("/ws", { authorization: `Bearer ${key}` });
    await client.next(isType("connection"));
    const started = Date.now();
    await http.store.accounts.revoke(account_id);
    expect((await client.closed).code).toBe(4401);
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

test("a shutdown tells everybody to come back", async () => {
  const other = await startHttp();
  const client = new Client(`${await listen(other)}/ws`, { authorization: `Bearer ${ADMIN_KEY}` });
  await client.next(isType("connection"));
  const [{ code }] = await Promise.all([client.closed, other.close()]);
  expect(code).toBe(1012);
});

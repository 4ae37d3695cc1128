/** The streams by the real Socket.IO client, over a real port. */
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { ADMIN_KEY, type TestHttp, startHttp } from "../support/http-server.ts";
import { aCall } from "../support/sqlite-store.ts";

interface Message {
  readonly type: string;
  readonly seq: number;
  readonly [name: string]: unknown;
}
type Answer = { ok: boolean; code?: number; message?: string; errors?: { pointer: string }[] };

/** A client that keeps what it gets and lets tests wait for it. */
class Client {
  readonly socket: Socket;
  readonly messages: (Message & { stream: string })[] = [];
  #waiting: (() => void)[] = [];

  constructor(url: string, options: Parameters<typeof io>[1] = { auth: { token: ADMIN_KEY } }) {
    this.socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, ...options });
    this.socket.onAny((stream: string, message: Message) => {
      this.messages.push({ ...message, stream });
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  subscribe(asked: object): Promise<Answer> {
    return this.socket.emitWithAck("subscribe", asked) as Promise<Answer>;
  }

  /** The first message that fits. */
  async next(fits: (m: Message & { stream: string }) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  seqs(stream: string): number[] {
    return this.messages.filter((m) => m.stream === stream && m.type?.startsWith("call.")).map((m) => m.seq);
  }
}

const clients: Client[] = [];
let http: TestHttp;
let url: string;

async function start(): Promise<{ http: TestHttp; url: string }> {
  const http = await startHttp({
    config: {
      socketIo: true,
      streams: { recheck_ms: 200, coalesce_ms: 50, messages_per_second: 5, message_burst: 30 },
    },
  });
  return { http, url: await http.app.listen({ host: "127.0.0.1", port: 0 }) };
}

function client(options?: Parameters<typeof io>[1], of = url): Client {
  const made = new Client(of, options);
  clients.push(made);
  return made;
}

const put = (call_id: string, agent_id: string, of = http) =>
  of.ask("PUT", `/api/v1/calls/${call_id}`, {
    body: { agent_id, transcript: "Agent: Good morning.\nCustomer: I hate this, it is awful." },
  });

/** The code that the refusal of a connection carries. */
async function refused(options: Parameters<typeof io>[1]): Promise<unknown> {
  const [error] = (await once(client(options).socket as never, "connect_error")) as [{ data?: { code: number } }];
  return error.data?.code ?? null;
}

beforeAll(async () => {
  ({ http, url } = await start());
  await put("told", "ana");
  await http.enrich();
});
afterEach(() => {
  for (const one of clients.splice(0)) one.socket.disconnect();
});
afterAll(() => http.close());

describe("getting in", () => {
  test("by key, log-in, header or one-use ticket", async () => {
    const { body } = await http.ask<{ ticket: string }>("POST", "/auth/ticket");
    const ways = [
      { auth: { token: ADMIN_KEY } },
      { extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` } },
      { auth: { ticket: body.ticket } },
    ];
    for (const way of ways) {
      const one = client(way);
      expect(await one.subscribe({ stream: "feed" })).toEqual({ ok: true });
    }
    // Used up.
    expect(await refused({ auth: { ticket: body.ticket } })).toBe(4401);
  });

  test("not without credentials, with wrong ones, or from a page of another origin", async () => {
    expect(await refused({})).toBe(4401);
    expect(await refused({ auth: { token: "wrong" } })).toBe(4401);
    const origin = "https://evil.example.com";
    expect(await refused({ auth: { token: ADMIN_KEY }, extraHeaders: { origin } })).toBeNull();
    const ours = client({ auth: { token: ADMIN_KEY }, extraHeaders: { origin: "https://crm.example.com" } });
    expect(await ours.subscribe({ stream: "feed" })).toEqual({ ok: true });
  });

  test("what is revoked is told so and ended", async () => {
    const { key, account_id } = await http.key("analyst");
    const one = client({ auth: { token: key } });
    expect(await one.subscribe({ stream: "feed" })).toEqual({ ok: true });
    const ended = once(one.socket as never, "disconnect");
    await http.store.accounts.revoke(account_id);
    expect(await one.next((m) => m.stream === "closed")).toMatchObject({ stream: "closed", code: 4401 });
    expect((await ended)[0]).toBe("io server disconnect");
  });
});

describe("streams", () => {
  test("the feed from a seq on, then as it happens, as the sockets have it", async () => {
    const one = client();
    expect(await one.subscribe({ stream: "feed", after: 0 })).toEqual({ ok: true });
    await one.next((m) => m.type === "call.enriched");
    await put("next", "ana");
    const message = await one.next((m) => m["call_id"] === "next");
    const seqs = one.seqs("feed");
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 1));
    expect(message).toMatchObject({ type: "call.accepted", agent_id: "ana", prev_seq: message.seq - 1 });

    const again = client();
    await again.subscribe({ stream: "feed", after: message.seq - 1 });
    await again.next((m) => m["call_id"] === "next");
    expect(again.seqs("feed")[0]).toBe(message.seq);
  });

  test("several on one connection, each until it is unsubscribed", async () => {
    const one = client();
    expect(await one.subscribe({ stream: "sentiment", call_id: "told" })).toEqual({ ok: true });
    expect(await one.subscribe({ stream: "figures" })).toEqual({ ok: true });
    expect(await one.subscribe({ stream: "feed" })).toEqual({ ok: true });
    expect(await one.subscribe({ stream: "feed" })).toMatchObject({ ok: false, code: 4400 });
    const turn = await one.next((m) => m.stream === "sentiment" && m.type === "sentiment");
    expect(turn).toMatchObject({ call_id: "told", sentiment: expect.any(Number) });
    expect(await one.next((m) => m.type === "analytics_update")).toMatchObject({ stream: "figures" });
    await one.next((m) => m.stream === "feed" && m.type === "hello");
    expect(await one.socket.emitWithAck("unsubscribe", { stream: "feed" })).toEqual({ ok: true });
    const other = client();
    await other.subscribe({ stream: "feed" });
    await other.next((m) => m.type === "hello");
    await put("unheard", "ana");
    await other.next((m) => m["call_id"] === "unheard");
    expect(one.messages.some((m) => m["call_id"] === "unheard")).toBe(false);
  });

  test("an agent sees its own calls alone; an unknown call ends that stream and no other", async () => {
    const { key } = await http.key("agent", { agent_id: "bob" });
    const one = client({ auth: { token: key } });
    expect(await one.subscribe({ stream: "feed", after: 0 })).toEqual({ ok: true });
    expect(await one.subscribe({ stream: "sentiment", call_id: "told" })).toEqual({ ok: true });
    const closed = await one.next((m) => m.stream === "closed");
    expect(closed).toMatchObject({ code: 4404, call_id: "told" });
    await put("of-bob", "bob");
    await one.next((m) => m["call_id"] === "of-bob");
    expect(one.messages.filter((m) => m.type?.startsWith("call.")).map((m) => m["call_id"])).toEqual(["of-bob"]);
    expect(await one.subscribe({ stream: "feed", team: "north" })).toMatchObject({ ok: false });
  });

  test("bad input gets an answer that names the field, too much of it ends the connection", async () => {
    const one = client();
    expect(await one.subscribe({ stream: "news" })).toMatchObject({
      ok: false,
      code: 4400,
      errors: [{ pointer: "/stream" }],
    });
    expect(await one.subscribe({ stream: "sentiment" })).toMatchObject({
      code: 4400,
      errors: [{ pointer: "/call_id" }],
    });
    expect(await one.subscribe({ stream: "feed", after: -1 })).toMatchObject({
      code: 4400,
      errors: [{ pointer: "/after" }],
    });
    expect(await one.subscribe({ stream: "feed", types: "x" })).toMatchObject({
      code: 4400,
      errors: [{ pointer: "/types" }],
    });
    one.socket.emit("subscribe");
    one.socket.emit("subscribe", { stream: "feed" }, "no function");
    await one.next((m) => m.type === "hello");
    const ended = once(one.socket as never, "disconnect");
    for (let i = 0; i < 40; i++) one.socket.emit("subscribe", { stream: "news" });
    await ended;
    const large = client();
    await large.subscribe({ stream: "feed" });
    const cut = once(large.socket as never, "disconnect");
    large.socket.emit("subscribe", "x".repeat(70_000));
    await cut;
  });
});

test("a client that reads nothing is cut off", async () => {
  const slow = await startHttp({ config: { socketIo: true, streams: { drain_ms: 500 } } });
  const address = await slow.app.listen({ host: "127.0.0.1", port: 0 });
  // More than kernels keep at both ends.
  for (let batch = 0; batch < 40; batch++) {
    const calls = Array.from({ length: 1_000 }, (_, i) => aCall(`c${batch}-${i}`, {}, ["x"]));
    await slow.store.calls.accept(calls, 2);
  }
  const one = client({ auth: { token: ADMIN_KEY } }, address);
  await once(one.socket as never, "connect");
  const { ws } = one.socket.io.engine.transport as unknown as { ws: { pause: () => void } };
  ws.pause();
  one.socket.emit("subscribe", { stream: "feed", after: 0 });
  const connections = () =>
    new Promise<number>((resolve) => slow.app.server.getConnections((_, count) => resolve(count)));
  expect(await connections()).toBe(1);
  await vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 30_000 });
  await slow.close();
}, 60_000);

test("at a shutdown clients are told to come back, and do so by themselves with after", async () => {
  const first = await start();
  const one = client({ auth: { token: ADMIN_KEY }, reconnection: true }, first.url);
  await one.subscribe({ stream: "feed" });
  const ended = once(one.socket as never, "disconnect");
  const began = performance.now();
  await first.http.close();
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(await one.next((m) => m.stream === "closed")).toMatchObject({ code: 1012, retry_ms: expect.any(Number) });
  // Its clients reconnect after this, and not after "io server disconnect".
  expect((await ended)[0]).toBe("transport close");
  expect(one.socket.active).toBe(true);
});

test("off unless it is switched on", async () => {
  const plain = await startHttp();
  const address = await plain.app.listen({ host: "127.0.0.1", port: 0 });
  const one = client({ auth: { token: ADMIN_KEY } }, address);
  await once(one.socket as never, "connect_error");
  expect((await fetch(`${address}/socket.io/?EIO=4&transport=polling`)).status).toBe(404);
  await plain.close();
});

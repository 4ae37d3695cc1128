/** Clients of streams that read nothing or break the rules, at the real server: they go, others miss nothing, memory is bounded. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { feedClients } from "../support/feed-clients.ts";
import type { FeedClients } from "../support/feed-clients.ts";
import { heldBytes, TELLING } from "../support/held-memory.ts";
import { measured } from "../support/measured.ts";
import { ADMIN_KEY, type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { clientFrame, rawStream } from "../support/raw-stream.ts";
import type { RawStream } from "../support/raw-stream.ts";
import { LONG } from "../support/tier.ts";

const SLOW = LONG ? 500 : 30;
const HOSTILE = LONG ? 200 : 20;
const UNFINISHED = LONG ? 2_000 : 300;
const OTHERS = 5;
const AT_ONCE = 20;
const MIB = 1024 * 1024;
/** Calls of a bulk; and what goes past a client in all, above what the kernel keeps for it (4 MB) and the server (1 MB). */
const BULK = 1_000;
const PAST_BYTES = 8 * MIB;
/** At least so much is a message of a call whose ids are of the full length. */
const MESSAGE_BYTES = 500;
/** Bytes of a hostile client that does not stop by itself. */
const ENOUGH_BYTES = 4 * MIB;
/** The last events of the log and pages of calls stay. */
const LEFT_BYTES = 16 * MIB;
const LOOKS = 20;
const LOOK_MS = 250;
/** A head that does not end is waited for a minute, and looked at every half. */
const UNFINISHED_MS = 120_000;
/** Two pings, half a minute apart. */
const SILENT_MS = 90_000;

/** Its connections are seen to their end in the short form too. */
const PATIENTLY = "a binary message";

let earshot: Earshot;
let others: FeedClients;
let key: string;
let sent = 0;
const place = await temporaryFolder();
const memory = join(place.path, "memory");

const resident = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${earshot.pid}/status`, "utf8"))?.[1]) * 1024;

async function bulk(): Promise<void> {
  const calls = Array.from({ length: BULK }, () => ({
    call_id: `call-${sent++}-`.padEnd(128, "x"),
    agent_id: "a".repeat(128),
    transcript: "Customer: hello",
  }));
  const answer = await earshot.call("POST", "/api/v1/calls/bulk", { calls });
  expect(answer.status).toBeLessThan(300);
  await answer.arrayBuffer();
}

async function head(): Promise<number> {
  const { next_after } = await earshot.get<{ next_after: number }>(`/api/v1/events?after=${Number.MAX_SAFE_INTEGER}`);
  return next_after;
}

/** What clients of a kind came to, with what the server held before and after and its memory in use, as one line. */
async function watched(kind: string, work: () => Promise<readonly string[]>): Promise<Map<string, number>> {
  const held = await heldBytes(earshot.pid, memory);
  const before = resident();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, resident());
  }, 20);
  try {
    const ends = await work();
    const tally = new Map<string, number>();
    for (const end of ends) tally.set(end, (tally.get(end) ?? 0) + 1);
    const mb = (bytes: number) => Math.round(bytes / MIB);
    const left = await heldAfter(held);
    measured(
      `${ends.length} clients, ${kind}`,
      `${[...tally].map(([end, n]) => `${n} ${end}`).join(", ")}; ` +
        `${mb(held)} MB held before, ${mb(left)} after; resident ${mb(before)} MB, at most ${mb(most)}`,
    );
    // Garbage not collected yet is in this as well.
    expect(most - before, kind).toBeLessThan(200 * MIB + ends.length * MIB);
    expect(left - held, kind).toBeLessThan(LEFT_BYTES);
    return tally;
  } finally {
    clearInterval(look);
  }
}

/** What the server holds when it has noticed that they are gone. */
async function heldAfter(before: number): Promise<number> {
  for (let looks = 1; ; looks++) {
    const held = await heldBytes(earshot.pid, memory);
    if (held - before < LEFT_BYTES || looks === LOOKS) return held;
    await pause(LOOK_MS);
  }
}

/** Everybody else has every event once, also one from just now, and the server answers. */
async function nobodyElseNoticed(): Promise<void> {
  await bulk();
  await others.reach(await head());
  expect(others.wrong).toEqual([]);
  expect(others.lost()).toBe(0);
  expect(await earshot.get("/health")).toEqual({ status: "ok" });
}

/** Opens so many, some at a time: a herd would be refused in part. */
async function many(count: number, path: string, upgrade = true): Promise<RawStream[]> {
  const streams: RawStream[] = [];
  while (streams.length < count) {
    const next = Array.from({ length: Math.min(AT_ONCE, count - streams.length) }, () =>
      rawStream(earshot.url, { path, key, upgrade }),
    );
    streams.push(...(await Promise.all(next)));
  }
  return streams;
}

/** Writes until there is no more or the connection ends; waits where the server takes nothing. */
async function pour({ socket, ended }: RawStream, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (ended() !== null || socket.destroyed) return;
    if (socket.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off("drain", done).off("close", done);
        resolve();
      };
      socket.on("drain", done).on("close", done);
    });
  }
}

beforeAll(async () => {
  // Enrichment would be half of the log, and is no part of this.
  const env = { EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_RATE_LIMIT: "0" };
  const telling = { NODE_OPTIONS: TELLING.join(" "), TELL_MEMORY: memory };
  earshot = await startEarshot({ ...env, ...telling }, ["serve", "--role", "api,realtime"]);
  key = (await runCli(["keys", "add", "--role", "admin"], env)).stdout.trim();
  others = feedClients(earshot.url, OTHERS, [ADMIN_KEY]);
  await others.connected;
  // What the first bulks cost is not the clients'.
  for (let i = 0; i < 3; i++) await bulk();
});
afterAll(async () => {
  others?.stop();
  await earshot?.stop();
  await place.cleanup();
});

describe("clients that read nothing", () => {
  test.each([
    { path: "/ws/feed", upgrade: true },
    { path: "/api/v1/stream/feed", upgrade: false },
  ])(
    "$path: closed as too slow or cut off",
    async ({ path, upgrade }) => {
      const tally = await watched(`${path} unread`, async () => {
        const streams = await many(SLOW, path, upgrade);
        for (const { socket } of streams) socket.pause();
        for (let past = 0; past < PAST_BYTES; past += BULK * MESSAGE_BYTES) await bulk();
        await others.reach(await head());
        for (const { socket } of streams) socket.resume();
        return Promise.all(streams.map(({ end }) => end));
      });
      expect([...tally.keys()].every((end) => end === "4408" || end === "cut off")).toBe(true);
      await nobodyElseNoticed();
    },
    600_000,
  );
});

describe("clients that break the rules", () => {
  const tiny = clientFrame(1, text(2));
  const kinds: readonly { kind: string; ends: readonly string[]; pieces: () => Iterable<Buffer> }[] = [
    { kind: "a message of 1 MB", ends: ["4413"], pieces: () => [clientFrame(1, text(MIB))] },
    { kind: "a message of 4 MB", ends: ["4413"], pieces: () => [clientFrame(1, text(4 * MIB))] },
    { kind: "10,000 tiny messages at once", ends: ["4429"], pieces: () => repeated(tiny, 10_000) },
    {
      kind: "fragments of 16 KB without end",
      ends: ["4413"],
      pieces: () => fragments(16_384, ENOUGH_BYTES),
    },
    { kind: "fragments of one byte without end", ends: ["1008"], pieces: () => fragments(1, ENOUGH_BYTES) },
    { kind: "empty fragments without end", ends: ["1008"], pieces: () => fragments(0, ENOUGH_BYTES) },
    { kind: "a frame without mask", ends: ["1002"], pieces: () => [clientFrame(1, text(10), { mask: false })] },
    { kind: "a frame of no known kind", ends: ["1002"], pieces: () => [clientFrame(5, text(10))] },
    { kind: PATIENTLY, ends: ["4400"], pieces: () => [clientFrame(2, text(10))] },
    { kind: "invalid UTF-8", ends: ["1007"], pieces: () => [clientFrame(1, Buffer.of(0xc3, 0x28))] },
  ];
  test.each(kinds)(
    "$kind: $ends",
    async ({ kind, ends, pieces }) => {
      const tally = await watched(kind, async () => {
        const streams = await many(HOSTILE, "/ws/feed");
        await Promise.all(streams.map((stream) => pour(stream, pieces())));
        const how = await Promise.all(streams.map(({ end }) => end));
        // The server waits five seconds for the answer to its close.
        if (LONG || kind === PATIENTLY) await Promise.all(streams.map(({ gone }) => gone));
        else for (const { socket } of streams) socket.destroy();
        return how;
      });
      // Who is still sending when the server hangs up may lose the code with it.
      expect(
        [...tally.keys()].filter((end) => end !== "cut off" && !ends.includes(end)),
        kind,
      ).toEqual([]);
      await nobodyElseNoticed();
    },
    300_000,
  );

  test("pings without end, no pong read: memory bounded", async () => {
    const ping = clientFrame(9, text(125));
    await watched("pings without end, unread", async () => {
      const streams = await many(HOSTILE, "/ws/feed");
      for (const { socket } of streams) socket.pause();
      const poured = streams.map((stream) => pour(stream, repeated(ping, (16 * MIB) / ping.length)));
      // Where the server takes no more, they wait for it.
      await Promise.race([Promise.all(poured), pause(5_000)]);
      const ends = streams.map(({ ended }) => ended() ?? "held back");
      for (const { socket } of streams) socket.destroy();
      return ends;
    });
    await nobodyElseNoticed();
  }, 300_000);

  test(
    `${UNFINISHED} connections that never finish the handshake: others get in`,
    async () => {
      const tally = await watched("handshake never finished", async () => {
        const sockets = await Promise.all(Array.from({ length: UNFINISHED }, unfinished));
        const ends = sockets.map(statusOf);
        await nobodyElseNoticed();
        const newcomer = await rawStream(earshot.url, { path: "/ws/feed", key, upgrade: true });
        newcomer.socket.destroy();
        if (LONG) return Promise.all(ends);
        for (const socket of sockets) socket.destroy();
        return sockets.map(() => "left");
      });
      expect([...tally.keys()]).toEqual([LONG ? "408" : "left"]);
      await nobodyElseNoticed();
    },
    UNFINISHED_MS,
  );

  // Pings are half a minute apart.
  test.runIf(LONG)(
    "no pong: cut off",
    async () => {
      const tally = await watched("no pong", async () => {
        const streams = await many(HOSTILE, "/ws/feed");
        return Promise.all(streams.map(({ end }) => end));
      });
      expect([...tally.keys()]).toEqual(["cut off"]);
      await nobodyElseNoticed();
    },
    SILENT_MS,
  );
});

function text(bytes: number): Buffer {
  return Buffer.alloc(bytes, 0x61);
}

function* repeated(piece: Buffer, times: number): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield piece;
}

/** The first of a message and then more of it, none the last, up to so many bytes on the wire. */
function* fragments(size: number, bytes: number): Generator<Buffer> {
  yield clientFrame(1, text(size), { last: false });
  const next = clientFrame(0, text(size), { last: false });
  const together = Buffer.concat(Array.from({ length: 100 }, () => next));
  for (let sentBytes = 0; sentBytes < bytes; sentBytes += together.length) yield together;
}

/** What it was answered before it was closed. */
async function statusOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await once(socket, "close");
  return /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? "cut off";
}

/** Resolves once it stands and half of its head is sent. */
async function unfinished(): Promise<Socket> {
  const socket = connect(Number(new URL(earshot.url).port), "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.write("GET /ws/feed HTTP/1.1\r\nHost: x\r\nUpgr", () => resolve()));
  return socket;
}

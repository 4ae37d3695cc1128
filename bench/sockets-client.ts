/** A part of the clients of bench/sockets.ts: lean WebSocket clients over net, which count and look at the clock. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** What the parent says; each order is answered once. */
export type Order =
  | { readonly kind: "open"; readonly port: number; readonly keys: readonly string[]; readonly sockets: number }
  /** Answered with the messages that tell of a call, of all clients together. */
  | { readonly kind: "count" }
  /** `sent`: epoch ms at which each call was sent, from the number `first` on. */
  | { readonly kind: "tell"; readonly sent: readonly number[]; readonly first: number }
  | { readonly kind: "close" };

export interface Told {
  /** For each call: clients that heard of it, and the delay of the last of them in ms. */
  readonly calls: readonly (readonly [number, number])[];
  /** Messages by their delay in whole ms, rounded up; the last stands for all above. */
  readonly delays: readonly number[];
  /** Reads that brought messages: as many as these where each came in a write of its own. */
  readonly reads: number;
  readonly closed: number;
}

const AT_ONCE = 100;
const LONGEST_MS = 10_000;
/** Before the number of a call, with Earshot and with the peer. */
const MARK = Buffer.from('"call_id":"e-');
const ZERO = 48;
const sockets = new Set<Socket>();
/** Epoch ms at which clients heard of the call of that number. */
let arrivals: number[][] = [];
let messages = 0;
let reads = 0;
let closed = 0;

/** The payload of one frame; hello tells of no call. */
function take(bytes: Buffer, from: number, end: number, at: number): void {
  const mark = bytes.indexOf(MARK, from);
  if (mark === -1 || mark >= end) return;
  let call = 0;
  for (let i = mark + MARK.length; ; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    call = call * 10 + digit;
  }
  messages++;
  (arrivals[call] ??= []).push(at);
}

/** Takes whole frames; the rest waits for more. */
function frames(bytes: Buffer): Buffer | null {
  const at = performance.timeOrigin + performance.now();
  let i = 0;
  while (i + 4 <= bytes.length) {
    const short = (bytes[i + 1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(i + 2) : short;
    if (i + head + length > bytes.length) break;
    if (bytes[i] === 0x81) take(bytes, i + head, i + head + length, at);
    i += head + length;
  }
  return i === bytes.length ? null : bytes.subarray(i);
}

function openOne(port: number, key: string | undefined): Promise<void> {
  const socket: Socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  socket.setNoDelay();
  const access = key === undefined ? "" : `Authorization: Bearer ${key}\r\n`;
  socket.write(
    `GET /ws/feed HTTP/1.1\r\nHost: x\r\n${access}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  let rest: Buffer | null = null;
  let greeted = false;
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => {
      closed++;
      sockets.delete(socket);
    });
    socket.on("data", (chunk: Buffer) => {
      let bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk]);
      rest = null;
      if (!greeted) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end === -1) {
          rest = bytes;
          return;
        }
        greeted = true;
        resolve();
        bytes = bytes.subarray(end + 4);
      }
      const before = messages;
      rest = frames(bytes);
      if (messages > before) reads++;
    });
  });
}

async function open({ port, keys, sockets: count }: Extract<Order, { kind: "open" }>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left--;
      await openOne(port, keys[left % keys.length]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function told({ sent, first }: Extract<Order, { kind: "tell" }>): Told {
  const delays = Array.from({ length: LONGEST_MS + 1 }, () => 0);
  const calls = sent.map((from, i) => {
    const heard = arrivals[first + i] ?? [];
    let last = 0;
    for (const at of heard) {
      const delay = Math.min(LONGEST_MS, Math.max(0, Math.ceil(at - from)));
      delays[delay] = (delays[delay] ?? 0) + 1;
      last = Math.max(last, at - from);
    }
    return [heard.length, last] as const;
  });
  const answer: Told = { calls, delays, reads, closed };
  arrivals = [];
  messages = 0;
  reads = 0;
  return answer;
}

async function shut(): Promise<void> {
  const ends = [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  for (const socket of sockets) socket.destroy();
  await Promise.all(ends);
  closed = 0;
}

async function obey(order: Order): Promise<unknown> {
  if (order.kind === "count") return messages;
  if (order.kind === "tell") return told(order);
  if (order.kind === "close") return shut();
  return open(order);
}

process.on("message", (order: Order) => {
  void obey(order).then((answer) => process.send?.(answer ?? "done"));
});

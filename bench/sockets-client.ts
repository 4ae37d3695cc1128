/** A part of the clients of bench/sockets.ts: lean WebSocket clients over net, which count and look at the clock. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** What the parent says: open sockets, or tell what came. */
export type Order =
  | { readonly kind: "open"; readonly port: number; readonly keys: readonly string[]; readonly sockets: number }
  | { readonly kind: "tell" };

export interface Told {
  /** Messages of the log that came to all clients of this process together. */
  readonly messages: number;
  readonly closed: number;
  /** seq, clients that have it, epoch ms of the last of them. */
  readonly last: readonly (readonly [number, number, number])[];
}

const AT_ONCE = 100;
/** Where the digits of seq begin in a message of call.accepted. */
const PREFIX = '{"type":"call.accepted","seq":';
const ZERO = 48;
const seen = new Map<number, { clients: number; at: number }>();
let messages = 0;
let closed = 0;

/** The payload of one frame. */
function take(bytes: Buffer, from: number, at: number): void {
  // hello has another length of its type.
  if (bytes[from + 9] !== 0x63) return;
  let seq = 0;
  for (let i = from + PREFIX.length; ; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    seq = seq * 10 + digit;
  }
  messages++;
  const known = seen.get(seq);
  if (known) {
    known.clients++;
    known.at = at;
  } else seen.set(seq, { clients: 1, at });
}

/** Takes whole frames; the rest waits for more. */
function frames(bytes: Buffer, at: number): Buffer | null {
  let i = 0;
  while (i + 4 <= bytes.length) {
    const short = (bytes[i + 1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(i + 2) : short;
    if (i + head + length > bytes.length) break;
    if (bytes[i] === 0x81) take(bytes, i + head, at);
    i += head + length;
  }
  return i === bytes.length ? null : bytes.subarray(i);
}

function openOne(port: number, key: string): Promise<void> {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.setNoDelay();
  socket.write(
    `GET /ws/feed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  let rest: Buffer | null = null;
  let greeted = false;
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => closed++);
    socket.on("data", (chunk: Buffer) => {
      let bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk]);
      rest = null;
      if (!greeted) {
        const end = bytes.indexOf("\r\n\r\n");
        // The handshake and hello.
        if (end === -1 || bytes.length <= end + 4) {
          rest = bytes;
          return;
        }
        greeted = true;
        resolve();
        bytes = bytes.subarray(end + 4);
      }
      rest = frames(bytes, Date.now());
    });
  });
}

process.on("message", (order: Order) => {
  if (order.kind === "tell") {
    const last = [...seen].map(([seq, { clients, at }]) => [seq, clients, at] as const);
    process.send?.({ messages, closed, last } satisfies Told);
    return;
  }
  let left = order.sockets;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left--;
      await openOne(order.port, order.keys[left % order.keys.length] as string);
    }
  };
  void Promise.all(Array.from({ length: AT_ONCE }, lane)).then(() => process.send?.("open"));
});

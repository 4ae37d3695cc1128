/** A client of a stream over a bare TCP socket, which may do what no library would: say nothing, read nothing, break the protocol. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface RawStream {
  readonly socket: Socket;
  /** "4408", or "cut off" where the connection ended without a close code; null while it stands. */
  readonly ended: () => string | null;
  /** Resolves with that. It answers no close. */
  readonly end: Promise<string>;
  /** Resolves when there is no connection any more. */
  readonly gone: Promise<void>;
}

const HEAD_END = "\r\n\r\n";
const CLOSE = 0x88;

/** Resolves once the server has answered the head of the request. */
export async function rawStream(
  url: string,
  { path, key, upgrade }: { path: string; key: string; upgrade: boolean },
): Promise<RawStream> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  // `close` follows.
  socket.on("error", () => {});
  const more = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  const upgrading = upgrade ? `${more}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` : "";
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${upgrading}\r\n`);
  let head = "";
  while (!head.includes(HEAD_END)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    head += chunk.toString("latin1");
  }
  if (!head.startsWith(upgrade ? "HTTP/1.1 101" : "HTTP/1.1 200")) throw new Error(head);
  let ended: string | null = null;
  let bytes: Buffer = Buffer.from(head.slice(head.indexOf(HEAD_END) + HEAD_END.length), "latin1");
  const { promise, resolve } = Promise.withResolvers<string>();
  const over = (how: string): void => {
    ended ??= how;
    resolve(ended);
  };
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const { left, close } = upgrade ? frames(bytes) : events(bytes);
    bytes = left;
    if (close !== null) over(close);
  });
  const gone = new Promise<void>((done) => {
    socket.on("close", () => {
      over("cut off");
      done();
    });
  });
  return { socket, ended: () => ended, end: promise, gone };
}

/** The same of an event stream. */
function events(bytes: Buffer): { left: Buffer; close: string | null } {
  const close = /event: close\n(?:retry: \d+\n)?data: \{"code":(\d+)/.exec(bytes.toString("latin1"))?.[1] ?? null;
  // More than the last event of a stream.
  return { left: bytes.subarray(-500), close };
}

/** The code of a close frame among whole ones, and what is not whole yet. */
function frames(bytes: Buffer): { left: Buffer; close: string | null } {
  let i = 0;
  let close: string | null = null;
  while (i + 4 <= bytes.length) {
    const short = (bytes[i + 1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(i + 2) : short;
    if (i + head + length > bytes.length) break;
    if (bytes[i] === CLOSE && length >= 2) close = String(bytes.readUInt16BE(i + head));
    i += head + length;
  }
  return { left: bytes.subarray(i), close };
}

/** A frame of a client; `mask` false breaks the protocol. */
export function clientFrame(
  opcode: number,
  payload: Buffer,
  { last = true, mask = true }: { last?: boolean; mask?: boolean } = {},
): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (last ? 0x80 : 0) | opcode;
  const masked = mask ? 0x80 : 0;
  if (length < 126) head[1] = masked | length;
  else if (length < 65_536) {
    head[1] = masked | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = masked | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  // A mask of zeros leaves the payload as it is.
  return mask ? Buffer.concat([head, Buffer.alloc(4), payload]) : Buffer.concat([head, payload]);
}

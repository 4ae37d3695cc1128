/** Messages of streams as bytes: WebSocket frames, and event streams. A parcel is encoded once for all who get it. */
import type { Message, Parcel } from "../services/stream-client.ts";

const MEDIUM = 126;
const LARGE = 65_536;

/** Unmasked, final text frames (RFC 6455, 5.2), one a message. */
export const toFrames = once((parcel) => {
  const texts = parcel.map(({ text }) => Buffer.from(text));
  const parts = texts.flatMap((text) => [header(0x81, text.length), text]);
  return Buffer.concat(parts);
});

/** `event`, `id` and `data` of each message (HTML, 9.2). JSON has no line breaks. */
export const toEvents = once((parcel) => Buffer.from(parcel.map(event).join("")));

export const PING: Buffer = header(0x89, 0);
export const COMMENT: Buffer = Buffer.from(":\n\n");

function event({ type, seq, of, text }: Message): string {
  return `event: ${type}\nid: ${of === null ? seq : `${seq}@${of}`}\ndata: ${text}\n\n`;
}

function header(first: number, length: number): Buffer {
  if (length < MEDIUM) return Buffer.of(first, length);
  if (length < LARGE) return Buffer.of(first, MEDIUM, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(10);
  bytes[0] = first;
  bytes[1] = 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

function once(encode: (parcel: Parcel) => Buffer): (parcel: Parcel) => Buffer {
  const known = new WeakMap<Parcel, Buffer>();
  return (parcel) => {
    const before = known.get(parcel);
    if (before) return before;
    const bytes = encode(parcel);
    known.set(parcel, bytes);
    return bytes;
  };
}

/** How words, insights and vectors become blobs and back. Shared by the writer thread and every reader. */
import { constants, deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Turn } from "../../core/call.ts";

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const ZSTD_MAGIC = 0xfd2fb528;
const ZLIB_START = 0x78;

/**
 * Characters up to which zlib packs. Equal in size there, and it unpacks 4 KB in 8 µs where Node needs 16 µs to set up
 * zstd; from about 16 KB on zstd is quicker.
 */
const ZLIB_UP_TO = 16_384;

/** Compressed UTF-8 text. */
export function pack(text: string): Buffer {
  return text.length <= ZLIB_UP_TO ? deflateSync(text) : zstdCompressSync(text, OPTIONS);
}

/** The text of a blob: zlib, zstd, or plain JSON (rows that wait for enrichment are not packed yet). */
export function unpack(blob: Uint8Array): string {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes[0] === ZLIB_START) return inflateSync(bytes).toString("utf8");
  const packed = bytes.length >= 4 && bytes.readUInt32LE(0) === ZSTD_MAGIC;
  return (packed ? zstdDecompressSync(bytes) : bytes).toString("utf8");
}

/** call_texts.body -> turns. */
export function unpackTurns(body: Uint8Array): Turn[] {
  return JSON.parse(unpack(body)) as Turn[];
}

/** A blob of float32 (little-endian, as every platform of ours is) as an aligned array of its own. */
export function floats(blob: Uint8Array): Float32Array {
  const out = new Float32Array(blob.byteLength / 4);
  new Uint8Array(out.buffer).set(blob);
  return out;
}

/** A blob of int8 as an array of its own. */
export function int8s(blob: Uint8Array): Int8Array {
  return new Int8Array(blob).slice();
}

/** The bytes of a typed array, without copying. */
export function bytes(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

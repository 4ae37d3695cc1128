/** How documents, words and vectors become blobs and back. Shared by the writer thread and every reader. */
import { constants, deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type CallWords, readDocument } from "../../core/call-document.ts";
import { readTurnsText } from "../../core/turns-text.ts";

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const ZSTD_MAGIC = 0xfd2fb528;
const ZLIB_START = 0x78;

/**
 * Characters up to which zlib packs. Equal in size there, and it unpacks 4 KB in 8 µs where Node needs 16 µs to set up
 * zstd; from about 16 KB on zstd is quicker.
 */
const ZLIB_UP_TO = 16_384;

/**
 * First byte of a packed document; it counts the forms documents have had. Nothing else that is stored begins with it.
 * The document's length in bytes (u32, little-endian) follows, then what `pack` gives.
 */
const DOCUMENT = 1;
const DOCUMENT_HEAD = 5;

/** Compressed UTF-8 text. */
export function pack(text: string): Buffer {
  return text.length <= ZLIB_UP_TO ? deflateSync(text) : zstdCompressSync(text, OPTIONS);
}

/** The text of a blob: zlib, zstd, or plain JSON (rows that wait for enrichment are not packed yet). */
export function unpack(blob: Uint8Array): string {
  return unpackBytes(view(blob), blob.byteLength * 8).toString("utf8");
}

/** `size`: about that of the text; one piece is made of it, where the usual 16 KB a blob are garbage to collect. */
function unpackBytes(bytes: Buffer, size: number): Buffer {
  if (bytes[0] === ZLIB_START) return inflateSync(bytes, { chunkSize: size + 64 });
  const packed = bytes.length >= 4 && bytes.readUInt32LE(0) === ZSTD_MAGIC;
  return packed ? zstdDecompressSync(bytes) : bytes;
}

/** A call's document (core/call-document.ts) as call_texts.body. */
export function packDocument(text: string): Buffer {
  const packed = pack(text);
  const body = Buffer.allocUnsafe(DOCUMENT_HEAD + packed.length);
  body[0] = DOCUMENT;
  body.writeUInt32LE(Buffer.byteLength(text), 1);
  packed.copy(body, DOCUMENT_HEAD);
  return body;
}

/** call_texts.body -> the bytes of the document; null where it holds turns alone. */
export function unpackDocument(body: Uint8Array): Buffer | null {
  const bytes = view(body);
  return bytes[0] === DOCUMENT ? unpackBytes(bytes.subarray(DOCUMENT_HEAD), bytes.readUInt32LE(1)) : null;
}

/** True if call_texts.body holds the insights as well. */
export function isDocument(body: Uint8Array): boolean {
  return body[0] === DOCUMENT;
}

/** call_texts.body -> turns, and the insights where it is a document. */
export function unpackWords(body: Uint8Array): CallWords {
  const document = unpackDocument(body);
  if (document !== null) return readDocument(document.toString("utf8"));
  return { turns: readTurnsText(unpack(body)), insights: null };
}

function view(blob: Uint8Array): Buffer {
  return Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
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

/** All that a store holds of one call, as another store takes it in, and how it is written on one line of JSON. */
import type { CallRow, CallVectors } from "./call.ts";

export interface WholeCall {
  readonly row: CallRow;
  /** SHA-256 (hex) of what its sender said. */
  readonly digest: string;
  /** core/call-document.ts, nothing hidden; null while the call has no insights. */
  readonly document: string | null;
  /** core/turns-text.ts, where there is no document. */
  readonly text: string | null;
  readonly vectors: CallVectors | null;
}

interface WireVectors {
  readonly space_id: string;
  /** Base64 of float32 (little-endian) and of int8. */
  readonly call: string;
  readonly turns: string;
  readonly segments: readonly { readonly first_turn: number; readonly last_turn: number; readonly vector: string }[];
}

export type WireWholeCall = Omit<WholeCall, "vectors"> & { readonly vectors: WireVectors | null };

export function toWire(call: WholeCall): WireWholeCall {
  return { ...call, vectors: call.vectors && vectorsToWire(call.vectors) };
}

export function fromWire(call: WireWholeCall): WholeCall {
  return { ...call, vectors: call.vectors && vectorsFromWire(call.vectors) };
}

function vectorsToWire({ space_id, call, turns, segments }: CallVectors): WireVectors {
  return {
    space_id,
    call: base64(call),
    turns: base64(turns),
    segments: segments.map((segment) => ({ ...segment, vector: base64(segment.vector) })),
  };
}

function vectorsFromWire({ space_id, call, turns, segments }: WireVectors): CallVectors {
  return {
    space_id,
    call: new Float32Array(bytes(call)),
    turns: new Int8Array(bytes(turns)),
    segments: segments.map((segment) => ({ ...segment, vector: new Int8Array(bytes(segment.vector)) })),
  };
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** In a buffer of their own, which alone goes from thread to thread. */
function bytes(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, "base64")).buffer;
}

/** The WebAssembly kernel and its memory layout (the same numbers as in kernel.wat). */
import { readFileSync } from "node:fs";

/** Rows a chunk: a range given to the kernel never crosses one. */
export const CHUNK_ROWS = 16_384;
/** Slots the scratch list and the output hold: the most rows one kernel call may score. */
export const BLOCK_ROWS = 4_096;
/** Bytes of a sign code. */
export const CODE_BYTES = 48;

const PAGE = 65_536;
const CHUNK_PAGES = 110;
const CHUNK_BYTES = CHUNK_PAGES * PAGE;
const WEIGHTS = 6_291_456;
const CODES = 6_356_992;
const ROW_BYTES = 384;

export const SCRATCH = {
  query: 0,
  thresholds: 768,
  queryCode: 1_152,
  histogram: 1_216,
  list: 4_096,
  out: 20_480,
} as const;

/** Rows above this have no address in 32 bits. */
export const MAX_ROWS = Math.floor((65_536 - 1) / CHUNK_PAGES) * CHUNK_ROWS;

// Neither lib.esnext nor @types/node declares these globals.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Scores `n` rows from `first` on; (dot − bias) · weight ≥ least goes to `out`. Returns how many. */
  scan(first: number, n: number, bias: number, least: number): number;
  /** The same over the first `n` slots of `list`. */
  scan_list(n: number, bias: number, least: number): number;
  /** Writes the sign codes of `n` rows against `thresholds`. */
  make_codes(first: number, n: number): void;
  /** Distances of `n` codes to `queryCode`, counted in `histogram`. */
  scan_codes(first: number, n: number): void;
  /** Appends slots with distance ≤ most to `list` from entry `at` on; the new length. */
  pick_codes(first: number, n: number, most: number, at: number): number;
}

const compiled = new WebAssembly.Module(readFileSync(new URL("./kernel.wasm", import.meta.url)));

/** A kernel with a memory of its own, holding no chunk yet. */
export function newKernel(): Kernel {
  return new WebAssembly.Instance(compiled).exports as Kernel;
}

/** Adds room for one chunk. Throws RangeError where memory is exhausted. */
export function growByChunk(kernel: Kernel): void {
  kernel.memory.grow(CHUNK_PAGES);
}

function address(slot: number, offset: number, width: number): number {
  return PAGE + Math.floor(slot / CHUNK_ROWS) * CHUNK_BYTES + offset + (slot % CHUNK_ROWS) * width;
}

export const rowAddress = (slot: number): number => address(slot, 0, ROW_BYTES);
export const weightAddress = (slot: number): number => address(slot, WEIGHTS, 4);
export const codeAddress = (slot: number): number => address(slot, CODES, CODE_BYTES);

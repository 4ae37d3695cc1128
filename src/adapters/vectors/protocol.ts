/** Messages between the embedded index and its thread. */
import type { VectorChunk, VectorFilter, VectorHit, VectorKind } from "../../ports/vectors.ts";
import type { FlatIndexOptions } from "./flat-index.ts";

export interface ThreadData {
  readonly options: Readonly<Record<VectorKind, FlatIndexOptions>>;
}

export type Command =
  | { readonly type: "upsert"; readonly kind: VectorKind; readonly chunk: VectorChunk }
  | { readonly type: "remove"; readonly kind: VectorKind; readonly call_nos: readonly number[] }
  | {
      readonly type: "search";
      readonly kind: VectorKind;
      readonly query: Float32Array;
      readonly k: number;
      readonly filter: VectorFilter;
    }
  /** From fillBegin to fillEnd the rows of `fill` give way to what was upserted or removed meanwhile. */
  | { readonly type: "fillBegin"; readonly kind: VectorKind }
  | { readonly type: "fill"; readonly kind: VectorKind; readonly chunk: VectorChunk }
  | { readonly type: "fillEnd"; readonly kind: VectorKind }
  | { readonly type: "describe" };

export interface Answers {
  upsert: null;
  remove: null;
  /** `mean`: what was taken from both sides; null: nothing. */
  search: { hits: VectorHit[]; mean: Float32Array | null };
  fillBegin: null;
  fill: null;
  fillEnd: null;
  describe: { rows: Record<VectorKind, number>; bytes: number };
}

export interface Request {
  readonly id: number;
  readonly command: Command;
}

export type Reply =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly failure: string };

/** The index, and how it learns what SQL holds. */

/** Columns of equal length; row i is one vector. Buffers may be transferred between threads. */
export interface VectorChunk {
  readonly call_no: Uint32Array;
  /** Segments: first turn of the segment; call vectors: 0. */
  readonly part: Uint32Array;
  /** Segments: last turn of the segment; call vectors: 0. */
  readonly part_end: Uint32Array;
  readonly agent: readonly string[];
  /** start_time, epoch ms. */
  readonly start_time: Float64Array;
  /** n x 384, row after row: int8, or float32 where full precision was asked for. */
  readonly vectors: Float32Array | Int8Array;
}

export type VectorKind = "call" | "segment";

export interface VectorRows {
  /** int8 rows with call_no > after in call_no order, whole calls only, about `limit` rows; empty at the end. */
  scan(kind: VectorKind, space_id: string, after: number, limit: number): Promise<VectorChunk>;
  /** All rows of these calls: float32 for call vectors, int8 for segments. */
  of(kind: VectorKind, space_id: string, call_nos: readonly number[]): Promise<VectorChunk>;
  /** The call vectors of these calls alone, for rescoring; calls without one in the space left out, in no order. */
  exact(space_id: string, call_nos: readonly number[]): Promise<{ call_no: number; vector: Float32Array }[]>;
}

export interface VectorFilter {
  readonly agent_ids?: readonly string[];
  /** On start_time, inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Only these calls, ascending. */
  readonly call_nos?: Uint32Array;
  /** Not these. */
  readonly except?: readonly number[];
}

export interface VectorHit {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  /** Cosine of the stored vectors, -1..1; an adapter may take the mean of all call vectors out of both first. */
  readonly score: number;
}

export interface Vectors {
  /** Puts rows in; rows of calls already there are replaced as a whole. */
  upsert(kind: VectorKind, chunk: VectorChunk): Promise<void>;
  remove(kind: VectorKind, call_nos: readonly number[]): Promise<void>;
  /** The k nearest by cosine, best first, ties by call_no then part. Exact under filters. */
  search(kind: VectorKind, query: Float32Array, k: number, filter?: VectorFilter): Promise<VectorHit[]>;
  describe(): Promise<VectorsFacts>;
  close(): Promise<void>;
}

export interface VectorsFacts {
  readonly rows: Record<VectorKind, number>;
  readonly bytes: number;
  /** Who answers, where the database is to. */
  readonly by?: "database" | "process";
  /** The index in the database that is to take over: how far it has come. */
  readonly building?: IndexBuild;
}

/** Rows put in, or blocks of them read for the graph. */
export interface IndexBuild {
  readonly step: "rows" | "graph";
  readonly kind: VectorKind;
  readonly done: number;
  readonly total: number;
}

/**
 * An index in the database itself, the same for all processes: a change of a call's vectors changes it in the same
 * transaction, whoever writes.
 */
export interface SharedVectors {
  /** How far the building of the space has come; null where it is whole. */
  progress(space_id: string): Promise<IndexBuild | null>;
  /**
   * Makes whole what is not, and mends what has grown out of its shape. One process at a time works; where another does
   * already, this resolves at once. What was done stays done when it is stopped or fails in between.
   */
  tend(space_id: string, signal: AbortSignal): Promise<void>;
  /** As Vectors.search, but that a graph may miss a neighbour where many rows pass. null: it is not whole (any more). */
  search(space_id: string, ...question: Parameters<Vectors["search"]>): Promise<VectorHit[] | null>;
  describe(space_id: string): Promise<VectorsFacts>;
}

/** The index as it is served: it may be away for a while, and then answers null, soon. */
export interface ServedVectors {
  search(...question: Parameters<Vectors["search"]>): Promise<VectorHit[] | null>;
  describe(): Promise<VectorsFacts | null>;
}

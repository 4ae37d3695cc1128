/**
 * The vocabulary: a call, its turns, and what enrichment derives from them.
 * Records keep one spelling, snake_case, from column to wire; all times here are epoch milliseconds (UTC).
 */
import type { MeasureName } from "./measures.ts";

export type Speaker = "agent" | "customer";
export type Outcome = "won" | "lost" | "open";
export type Method = "model" | "statistical";

/** pending -> running -> enriched | degraded (made without the model, to be made again) | dead (gave up; redrive) */
export type EnrichmentState = "pending" | "running" | "enriched" | "degraded" | "dead";

export interface Turn {
  /** Unique within its call. */
  readonly turn_id: string;
  readonly speaker: Speaker;
  readonly text: string;
  /** Offsets from the start of the call; both null where the transcript has no timings. */
  readonly start_ms: number | null;
  readonly end_ms: number | null;
}

/** A call whose every field has been checked and normalised, but for its words. */
interface AcceptedFields {
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string | null;
  readonly language: string;
  readonly start_time: number;
  readonly duration_seconds: number | null;
  readonly outcome: Outcome | null;
  /** SHA-256 (hex) of what the sender said, defaults left out: tells a replay from a conflict. */
  readonly digest: string;
}

/** What the store accepts. */
export interface AcceptedCall extends AcceptedFields {
  readonly turns: readonly Turn[];
  /** The same turns as text (turns-text.ts), where somebody has made it already. */
  readonly turns_text?: string;
}

/** The same as it goes from thread to thread: the text of its turns (turns-text.ts), deflated (zlib). */
export interface PackedCall extends AcceptedFields {
  readonly turns_zlib: Uint8Array;
}

/** One row of call_records. */
export interface CallRow {
  readonly call_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string | null;
  readonly language: string;
  readonly start_time: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly duration_seconds: number | null;
  readonly agent_talk_ratio: number | null;
  readonly customer_sentiment_score: number | null;
  readonly outcome: Outcome | null;
  /** Grows with each change of text; an enrichment of an older revision is never saved. */
  readonly revision: number;
  readonly state: EnrichmentState;
  readonly method: Method | null;
  readonly model: string | null;
  readonly enriched_at: number | null;
  readonly error: string | null;
}

/** How a group of values was made. */
export interface Provenance {
  readonly method: Method | "formula";
  /** Model id and weights, or the name of the formula set. */
  readonly model: string;
  readonly version: string;
  readonly computed_at: number;
}

/** What enrichment derives from the words of one revision, vectors apart. */
export interface Insights {
  readonly measures: Readonly<Record<MeasureName, number | null>>;
  /** Why a measure is null, for every null measure. */
  readonly reasons: Readonly<Partial<Record<MeasureName, string>>>;
  /** One value a turn, in turn order, -1..1; null where a turn has no words or the language is not supported. */
  readonly turn_sentiment: readonly (number | null)[];
  readonly provenance: {
    readonly sentiment: Provenance;
    readonly conversation: Provenance;
    /** null while no model has made vectors. */
    readonly embedding: Provenance | null;
  };
}

/** A run of consecutive turns embedded together (at most 100 words, one turn at least). */
export interface Segment {
  /** Indexes into the call's turns, both inclusive. */
  readonly first_turn: number;
  readonly last_turn: number;
  /** int8, 384 values, one fixed scale (core/vector.ts). */
  readonly vector: Int8Array;
}

/** All vectors of one call in one space. */
export interface CallVectors {
  /** Weights and pooling: only vectors of the same space may be compared. */
  readonly space_id: string;
  /** n x 384 int8, one row a turn in turn order; a turn without words has a zero row. */
  readonly turns: Int8Array;
  readonly segments: readonly Segment[];
  /** float32, 384 values, unit length: the word-weighted mean of the turn vectors. */
  readonly call: Float32Array;
}

/** Who asks: every read takes it. */
export type Scope =
  | { readonly kind: "all" }
  | { readonly kind: "team"; readonly team: string }
  | { readonly kind: "agent"; readonly agent_id: string };

export const EVERYTHING: Scope = { kind: "all" };

/** Calls that go on: their turns are durable as soon as they are acknowledged; at the end they become stored calls. */
import type { AcceptedCall, Method, Scope, Speaker, Turn } from "../core/call.ts";
import type { AlertState, LiveAlert } from "../core/live-alerts.ts";
import type { LiveState } from "../core/live-measures.ts";

/** What is known at the start. */
export interface LiveStart {
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string | null;
  readonly language: string;
  readonly start_time: number;
  /** SHA-256 (hex) of what the sender said: tells a repeat from another call. */
  readonly digest: string;
  /** Of no turns. */
  readonly state: LiveState;
  readonly alert_state: AlertState;
}

export type StartResult = {
  /** Under a request key that was used before: the id as it was then, where the sender had given none. */
  readonly call_id?: string;
} & (
  | { readonly status: "started" }
  /** The same start was there already. */
  | { readonly status: "replayed" }
  /** The id is taken by a stored call, or by a live call that began with other facts. */
  | { readonly status: "conflict" }
);

/** A turn from its sender; null: an id is made as for stored calls (t1, t2, … by index). */
export interface NewTurn extends Omit<Turn, "turn_id"> {
  readonly turn_id: string | null;
}

export interface AppendedTurn {
  readonly turn_id: string;
  readonly turn_index: number;
  /** unchanged: the turn of this id is there with the same words and times; nothing was written. */
  readonly status: "appended" | "corrected" | "unchanged";
}

export type AppendResult =
  | { readonly status: "appended"; readonly turns: readonly AppendedTurn[] }
  | { readonly status: "not_found" }
  /** A stored call has the id. */
  | { readonly status: "ended" }
  /** With these the call would have too many turns, or too much text; nothing was written. */
  | { readonly status: "too_many" | "too_long" };

export interface AppendLimits {
  readonly turns: number;
  /** UTF-8 bytes. */
  readonly text_bytes: number;
}

interface EndOfCall {
  readonly call_id: string;
  /** The position that `call` was made at: where turns came since, the answer is `moved`. */
  readonly position: number;
  /** What is stored, of the live call's words; null: nothing was said, and nothing is stored. */
  readonly call: AcceptedCall | null;
  /** Ends it only if nothing has come since before then, epoch ms. */
  readonly idle_before?: number;
}

export type EndResult =
  | { readonly status: "ended"; readonly call_no: number; readonly revision: number }
  /** It was empty and is gone. */
  | { readonly status: "removed" }
  /** Turns came since, or it is not idle: read it again. */
  | { readonly status: "moved" }
  /** The call is stored already. */
  | { readonly status: "replayed"; readonly call_no: number; readonly revision: number }
  | { readonly status: "not_found" };

export interface LiveCallRow {
  readonly live_no: number;
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string | null;
  readonly language: string;
  readonly start_time: number;
  readonly created_at: number;
  readonly turns: number;
  /** Of the last turn message: dense from 1, one for each new turn and each correction. 0: none came. */
  readonly position: number;
  /** Up to this position turns have their sentiment, and `state` reflects them. */
  readonly scored: number;
  /** Grows with each `saveScores`. */
  readonly version: number;
  readonly last_turn_at: number | null;
  readonly state: LiveState;
  readonly alert_state: AlertState;
  /** All that were given, oldest first; never words of the call. */
  readonly alerts: readonly GivenAlert[];
}

interface GivenAlert extends LiveAlert {
  /** The last that it saw. */
  readonly position: number;
}

export interface LiveTurnRow extends Turn {
  readonly speaker: Speaker;
  readonly turn_index: number;
  /** Of the newest version of the turn. */
  readonly position: number;
  /** When its first version arrived, epoch ms. */
  readonly at: number;
  /** -1..1; null until scored (position > scored), and where there is none. */
  readonly sentiment: number | null;
  /** How the sentiment was made; null until scored. */
  readonly method: Method | null;
}

export interface TurnScore {
  readonly turn_index: number;
  /** Of the version that was scored: one corrected meanwhile keeps nothing of it and gets no event. */
  readonly position: number;
  readonly sentiment: number | null;
  readonly method: Method;
  /** The moving average after this turn. */
  readonly live_sentiment: number | null;
}

export interface ScoredTurns {
  readonly live_no: number;
  /** As it was read: where somebody has saved since, nothing is written. */
  readonly version: number;
  /** The last position that `state` reflects. */
  readonly scored: number;
  /** Ascending by position; none where a silence alone gave an alert. */
  readonly scores: readonly TurnScore[];
  readonly state: LiveState;
  readonly alert_state: AlertState;
  /** New ones. */
  readonly alerts: readonly LiveAlert[];
}

/** Each command is one durable transaction; resolved means on disk (fsynced). */
export interface LiveCalls {
  /** Row and `live.started`. */
  start(call: LiveStart): Promise<StartResult>;
  /** New turns, and corrections of those whose turn_id is known, in order; all or none. */
  append(call_id: string, turns: readonly NewTurn[], limits: AppendLimits): Promise<AppendResult>;
  /** The stored call as `accept` makes it (priority live), its revision 1 and one more for each correction, `live.ended`,
   *  and the live rows gone. */
  end(end: EndOfCall): Promise<EndResult>;
  /** Sentiments and what follows from them; a `live.turn` for each version that still stands, a `live.alert` for each
   *  alert. stale: somebody else was first, or the call is gone. */
  saveScores(scored: ScoredTurns): Promise<"saved" | "stale">;
  /** Calls that go on, newest first, within the scope. */
  list(scope: Scope, limit: number): Promise<LiveCallRow[]>;
  /** One of them with its turns in order; null where it is not there. */
  get(call_id: string, scope: Scope): Promise<{ row: LiveCallRow; turns: readonly LiveTurnRow[] } | null>;
  /** The row alone. */
  row(call_id: string, scope: Scope): Promise<LiveCallRow | null>;
  /** Up to `limit` turns with position > `after`, by position. */
  turnsAfter(live_no: number, after: number, limit: number): Promise<LiveTurnRow[]>;
  /** Ids of calls with turns that have no sentiment yet, the last of them from before `before`, epoch ms; oldest call first. */
  unscored(before: number, limit: number): Promise<string[]>;
  /** Ids of calls to which nothing has come since `before`, epoch ms, longest first. */
  idle(before: number, limit: number): Promise<string[]>;
}

// Made from openapi.json by tools/write-api-types.ts. Do not edit.

export type NoQuery = Readonly<Record<string, never>>;

export type FieldError = {
  /** JSON pointer into the body, or ?name for a query parameter */ readonly "pointer": string;
  readonly "message": string;
  /** What would have been right */ readonly "expected": string;
  /** What came, or its type: words of a call are never repeated */ readonly "received": string;
};

/** RFC 9457 */ export type Problem = {
  readonly "type": string;
  readonly "title": string;
  readonly "status": number;
  readonly "detail": string;
  readonly "instance": string;
  readonly "code": "validation" | "malformed" | "unauthorized" | "forbidden" | "call_not_found" | "not_found" | "method_not_allowed" | "conflict" | "call_ended" | "idempotency_key_reused" | "idempotency_in_progress" | "too_large" | "unsupported_media_type" | "upgrade_required" | "read_only" | "too_many_requests" | "internal" | "store_unavailable" | "models_unavailable" | "overloaded" | "shutting_down" | "storage_full";
  readonly "request_id": string;
  readonly "errors"?: readonly (FieldError)[];
};

export type Enrichment = {
  /** degraded: made without the model, and made again when it is back. dead: gave up */ readonly "state": "pending" | "running" | "enriched" | "degraded" | "dead";
  /** Grows with each change of the text */ readonly "revision": number;
  readonly "method": "model" | "statistical" | null;
  readonly "model": string | null;
  readonly "at": string | null;
  readonly "error"?: string;
};

export type CallRow = {
  /** Unique */ readonly "call_id": string;
  /** Who spoke for us; `unassigned` where it was not said */ readonly "agent_id": string;
  /** null for role analyst */ readonly "customer_id": string | null;
  /** BCP 47, lower case */ readonly "language": string;
  /** When the call began */ readonly "start_time": string;
  /** When it was first accepted */ readonly "created_at": string;
  /** When anything of it last changed */ readonly "updated_at": string;
  readonly "duration_seconds": number | null;
  /** Agent words ÷ all words, fillers left out */ readonly "agent_talk_ratio": number | null;
  readonly "customer_sentiment_score": number | null;
  readonly "outcome": "won" | "lost" | "open" | null;
  readonly "enrichment": Enrichment;
};

export type Turn = {
  readonly "turn_id": string;
  readonly "speaker": "agent" | "customer";
  /** null for role analyst */ readonly "text": string | null;
  readonly "start_ms": number | null;
  readonly "end_ms": number | null;
  readonly "sentiment": number | null;
  readonly "sentiment_label": "negative" | "neutral" | "positive" | null;
};

export type Provenance = {
  readonly "method": "model" | "statistical" | "formula";
  readonly "model": string;
  readonly "version": string;
  /** When */ readonly "computed_at": string;
};

export type Insights = {
  /** agent_words ÷ (agent_words + customer_words). Filler words are left out on both sides. */ readonly "agent_talk_ratio": number | null;
  /** agent_talk_time_ms ÷ (agent_talk_time_ms + customer_talk_time_ms). */ readonly "talk_ratio_speech": number | null;
  /** agent_talk_time_ms ÷ the length of the call. */ readonly "talk_ratio_call": number | null;
  /** Time in which a turn of the agent runs. Both talk times together may pass the length of the call where speech overlaps. */ readonly "agent_talk_time_ms": number | null;
  /** Time in which a turn of the customer runs. Both talk times together may pass the length of the call where speech overlaps. */ readonly "customer_talk_time_ms": number | null;
  /** Sum of all silences: gaps of more than 3 s between the first and the last turn in which nobody speaks. */ readonly "non_talk_ms": number | null;
  /** The longest silence of more than 3 s; 0 where there is none. */ readonly "longest_silence_ms": number | null;
  /** The number of silences of more than 3 s. */ readonly "silence_count": number | null;
  /** Turns of the agent that start while the customer is speaking and overlap by 300 ms or more. Backchannels ("mhm", "right") and turns in which the agent was speaking anyway do not count. */ readonly "agent_interruptions": number | null;
  /** Turns of the customer that start while the agent is speaking and overlap by 300 ms or more. Backchannels ("mhm", "right") and turns in which the customer was speaking anyway do not count. */ readonly "customer_interruptions": number | null;
  /** Sum of the overlaps of the interruptions by the agent. */ readonly "agent_interruption_ms": number | null;
  /** Sum of the overlaps of the interruptions by the customer. */ readonly "customer_interruption_ms": number | null;
  /** All agent words, fillers included, ÷ agent talk time in minutes. */ readonly "agent_words_per_minute": number | null;
  /** All customer words, fillers included, ÷ customer talk time in minutes. */ readonly "customer_words_per_minute": number | null;
  /** Words of the agent, filler words left out. */ readonly "agent_words": number | null;
  /** Words of the customer, filler words left out. */ readonly "customer_words": number | null;
  /** The longest stretch of the agent, start to end. It ends on a pause of 3 s or more (with timings) and on a turn of the other side that is no backchannel. */ readonly "longest_monologue_seconds": number | null;
  /** The longest stretch of the agent, words. It ends on a pause of 3 s or more (with timings) and on a turn of the other side that is no backchannel. */ readonly "longest_monologue_words": number | null;
  /** The longest stretch of the customer, start to end. It ends on a pause of 3 s or more (with timings) and on a turn of the other side that is no backchannel. */ readonly "longest_customer_story_seconds": number | null;
  /** The longest stretch of the customer, words. It ends on a pause of 3 s or more (with timings) and on a turn of the other side that is no backchannel. */ readonly "longest_customer_story_words": number | null;
  /** Median of max(0, gap) from the customer's end to the agent's start over all changes from customer to agent; backchannels left out. */ readonly "patience_ms": number | null;
  /** The 90th percentile of the same gaps. */ readonly "patience_p90_ms": number | null;
  /** Changes of speaker per 5 minutes of the call; turns of fewer than 3 words are ignored. */ readonly "interactivity": number | null;
  /** agent_questions per hour of the call. */ readonly "agent_question_rate": number | null;
  /** customer_questions per hour of the call. */ readonly "customer_question_rate": number | null;
  /** Questions of the agent (rules below). */ readonly "agent_questions": number | null;
  /** Questions of the customer (rules below). */ readonly "customer_questions": number | null;
  /** Open questions of the agent ÷ agent_questions. */ readonly "agent_open_question_share": number | null;
  /** Open questions of the customer ÷ customer_questions. */ readonly "customer_open_question_share": number | null;
  /** Mean of the turn sentiment of the customer, weighted by the words of each turn. */ readonly "customer_sentiment_score": number | null;
  /** Mean of the turn sentiment of the agent, weighted by the words of each turn. */ readonly "agent_sentiment_score": number | null;
  /** Word-weighted mean sentiment of the customer in quarter 1 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "customer_sentiment_q1": number | null;
  /** Word-weighted mean sentiment of the customer in quarter 2 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "customer_sentiment_q2": number | null;
  /** Word-weighted mean sentiment of the customer in quarter 3 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "customer_sentiment_q3": number | null;
  /** Word-weighted mean sentiment of the customer in quarter 4 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "customer_sentiment_q4": number | null;
  /** Word-weighted mean sentiment of the agent in quarter 1 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "agent_sentiment_q1": number | null;
  /** Word-weighted mean sentiment of the agent in quarter 2 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "agent_sentiment_q2": number | null;
  /** Word-weighted mean sentiment of the agent in quarter 3 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "agent_sentiment_q3": number | null;
  /** Word-weighted mean sentiment of the agent in quarter 4 of the call: by time where every turn is timed, else by words. A turn over a border counts by the share that lies in the quarter. */ readonly "agent_sentiment_q4": number | null;
  /** Customer sentiment of the last third of the call − that of the first third. */ readonly "sentiment_change": number | null;
  /** Fillers of the agent; a phrase of several words counts once. */ readonly "agent_fillers": number | null;
  /** Fillers of the customer; a phrase of several words counts once. */ readonly "customer_fillers": number | null;
  /** Why a measure is null */ readonly "unavailable": Readonly<Record<string, string>>;
  readonly "provenance": {
  readonly "sentiment": Provenance;
  readonly "conversation": Provenance;
  readonly "vectors": Provenance | null;
};
};

export type Call = {
  /** Unique */ readonly "call_id": string;
  /** Who spoke for us; `unassigned` where it was not said */ readonly "agent_id": string;
  /** null for role analyst */ readonly "customer_id": string | null;
  /** BCP 47, lower case */ readonly "language": string;
  /** When the call began */ readonly "start_time": string;
  /** When it was first accepted */ readonly "created_at": string;
  /** When anything of it last changed */ readonly "updated_at": string;
  readonly "duration_seconds": number | null;
  /** Agent words ÷ all words, fillers left out */ readonly "agent_talk_ratio": number | null;
  readonly "customer_sentiment_score": number | null;
  readonly "outcome": "won" | "lost" | "open" | null;
  readonly "enrichment": Enrichment;
  /** Speaker lines; null for role analyst */ readonly "transcript": string | null;
  readonly "turns": readonly (Turn)[];
  /** null until the call is enriched */ readonly "insights": Insights | null;
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type CallList = {
  readonly "calls": readonly ({
  /** Unique */ readonly "call_id"?: string;
  /** Who spoke for us; `unassigned` where it was not said */ readonly "agent_id"?: string;
  /** null for role analyst */ readonly "customer_id"?: string | null;
  /** BCP 47, lower case */ readonly "language"?: string;
  /** When the call began */ readonly "start_time"?: string;
  /** When it was first accepted */ readonly "created_at"?: string;
  /** When anything of it last changed */ readonly "updated_at"?: string;
  readonly "duration_seconds"?: number | null;
  /** Agent words ÷ all words, fillers left out */ readonly "agent_talk_ratio"?: number | null;
  readonly "customer_sentiment_score"?: number | null;
  readonly "outcome"?: "won" | "lost" | "open" | null;
  readonly "enrichment"?: Enrichment;
  /** Speaker lines; null for role analyst */ readonly "transcript"?: string | null;
  readonly "turns"?: readonly (Turn)[];
  /** null until the call is enriched */ readonly "insights"?: Insights | null;
})[];
  /** Exact up to 10,000 */ readonly "total": number;
  /** gte: there are at least `total` */ readonly "total_relation": "eq" | "gte";
  readonly "limit": number;
  readonly "offset": number;
  /** Pass as cursor for the next page; null at the end */ readonly "next_cursor": string | null;
  /** The time for one page ran out; next_cursor goes on */ readonly "partial"?: boolean;
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type TurnInput = {
  /** agent or customer, or a label of speaker_map */ readonly "speaker": string;
  readonly "text": string;
  /** From the start of the call */ readonly "start_ms"?: number | null;
  readonly "end_ms"?: number | null;
  readonly "turn_id"?: string | null;
};

export type CallInput = {
  readonly "call_id"?: string | null;
  readonly "agent_id"?: string | null;
  readonly "customer_id"?: string | null;
  /** BCP 47; default: en */ readonly "language"?: string | null;
  readonly "start_time"?: string | null;
  /** Default: the last end_ms */ readonly "duration_seconds"?: number | null;
  readonly "outcome"?: "won" | "lost" | "open" | null;
  /** Lines `Agent: …` and `Customer: …`; this or turns. At most 2 MB of text */ readonly "transcript"?: string | null;
  readonly "turns"?: readonly (TurnInput)[] | null;
  /** Labels of your own to speakers, by label */ readonly "speaker_map"?: Readonly<Record<string, "agent" | "customer">> | null;
};

/** What is wrong with one call does not touch the others */ export type BulkInput = {
  readonly "calls": readonly (CallInput)[];
};

/** The call is on disk; enrichment follows, GET the call shows its state */ export type Accepted = {
  readonly "call_id": string;
  readonly "status": "accepted";
  readonly "revision": number;
};

export type BulkResults = {
  readonly "results": readonly ({
  readonly "index": number;
  readonly "call_id": string | null;
  /** replayed: the same call was there. conflict: the call_id has other content. rejected: see error */ readonly "status": "accepted" | "replayed" | "conflict" | "rejected" | "failed";
  readonly "error"?: {
  readonly "code": "validation" | "malformed" | "unauthorized" | "forbidden" | "call_not_found" | "not_found" | "method_not_allowed" | "conflict" | "call_ended" | "idempotency_key_reused" | "idempotency_in_progress" | "too_large" | "unsupported_media_type" | "upgrade_required" | "read_only" | "too_many_requests" | "internal" | "store_unavailable" | "models_unavailable" | "overloaded" | "shutting_down" | "storage_full";
  readonly "detail": string;
  readonly "errors"?: readonly (FieldError)[];
};
})[];
};

export type LiveStart = {
  readonly "call_id"?: string | null;
  readonly "agent_id"?: string | null;
  readonly "customer_id"?: string | null;
  /** BCP 47; en where it is left out */ readonly "language"?: string | null;
  readonly "start_time"?: string | null;
};

export type LiveStarted = {
  readonly "call_id": string;
  readonly "state": "live";
};

/** A turn_id that is known corrects that turn */ export type LiveTurns = {
  readonly "turns": readonly (TurnInput)[];
};

export type LiveAppended = {
  readonly "call_id": string;
  readonly "turns": readonly ({
  readonly "turn_id": string;
  readonly "turn_index": number;
  readonly "status": "appended" | "corrected" | "unchanged";
})[];
};

export type LiveEnd = {
  readonly "outcome"?: "won" | "lost" | "open" | null;
};

export type LiveAlert = {
  readonly "rule_id": "talking_too_long" | "sentiment_falling" | "long_silence";
  readonly "severity": "high" | "medium" | "low";
  /** At most 40 words */ readonly "text": string;
  /** Indexes of turns, most telling first */ readonly "evidence": readonly (number)[];
  readonly "expected": {
  readonly "measure": "live_sentiment" | "trend" | "agent_talk_ratio" | "longest_monologue_seconds" | "longest_monologue_words" | "longest_silence_ms" | "silence_ms";
  readonly "low": number | null;
  readonly "high": number | null;
  readonly "source": "default" | "team";
  readonly "text": string;
};
  readonly "observed": {
  readonly "value": number | null;
  readonly "text": string;
};
  /** The last that it saw */ readonly "position": number;
};

export type LiveRow = {
  readonly "call_id": string;
  readonly "agent_id": string;
  /** null for role analyst */ readonly "customer_id": string | null;
  /** When the call began */ readonly "start_time": string;
  readonly "live_sentiment": number | null;
  readonly "trend": "rising" | "steady" | "falling" | null;
  /** So far */ readonly "agent_talk_ratio": number | null;
  /** Of the agent, so far */ readonly "longest_monologue_seconds": number | null;
  /** Of the agent, so far */ readonly "longest_monologue_words": number | null;
  /** So far */ readonly "longest_silence_ms": number | null;
  /** Since the last turn arrived */ readonly "silence_ms": number | null;
  readonly "last_turn_at": string | null;
  /** Oldest first */ readonly "alerts": readonly (LiveAlert)[];
  /** So far */ readonly "turns": number;
};

export type LiveList = {
  /** Newest first, at most 1,000 */ readonly "calls": readonly (LiveRow)[];
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type LiveTurn = {
  readonly "turn_id": string;
  readonly "turn_index": number;
  /** Of its newest version among the turn messages of the call */ readonly "position": number;
  readonly "speaker": "agent" | "customer";
  /** null for role analyst */ readonly "text": string | null;
  readonly "start_ms": number | null;
  readonly "end_ms": number | null;
  readonly "sentiment": number | null;
  /** null until the sentiment is known */ readonly "method": "model" | "statistical" | null;
};

export type LiveCall = {
  readonly "call_id": string;
  readonly "agent_id": string;
  /** null for role analyst */ readonly "customer_id": string | null;
  /** When the call began */ readonly "start_time": string;
  readonly "live_sentiment": number | null;
  readonly "trend": "rising" | "steady" | "falling" | null;
  /** So far */ readonly "agent_talk_ratio": number | null;
  /** Of the agent, so far */ readonly "longest_monologue_seconds": number | null;
  /** Of the agent, so far */ readonly "longest_monologue_words": number | null;
  /** So far */ readonly "longest_silence_ms": number | null;
  /** Since the last turn arrived */ readonly "silence_ms": number | null;
  readonly "last_turn_at": string | null;
  /** Oldest first */ readonly "alerts": readonly (LiveAlert)[];
  readonly "language": string;
  readonly "turns": readonly (LiveTurn)[];
  /** As they would be if the call ended now */ readonly "measures": {
  readonly "agent_talk_ratio": number | null;
  readonly "talk_ratio_speech": number | null;
  readonly "talk_ratio_call": number | null;
  readonly "agent_talk_time_ms": number | null;
  readonly "customer_talk_time_ms": number | null;
  readonly "non_talk_ms": number | null;
  readonly "longest_silence_ms": number | null;
  readonly "silence_count": number | null;
  readonly "agent_interruptions": number | null;
  readonly "customer_interruptions": number | null;
  readonly "agent_interruption_ms": number | null;
  readonly "customer_interruption_ms": number | null;
  readonly "agent_words_per_minute": number | null;
  readonly "customer_words_per_minute": number | null;
  readonly "agent_words": number | null;
  readonly "customer_words": number | null;
  readonly "longest_monologue_seconds": number | null;
  readonly "longest_monologue_words": number | null;
  readonly "longest_customer_story_seconds": number | null;
  readonly "longest_customer_story_words": number | null;
  readonly "patience_ms": number | null;
  readonly "patience_p90_ms": number | null;
  readonly "interactivity": number | null;
  readonly "agent_question_rate": number | null;
  readonly "customer_question_rate": number | null;
  readonly "agent_questions": number | null;
  readonly "customer_questions": number | null;
  readonly "agent_open_question_share": number | null;
  readonly "customer_open_question_share": number | null;
  readonly "customer_sentiment_score": number | null;
  readonly "agent_sentiment_score": number | null;
  readonly "customer_sentiment_q1": number | null;
  readonly "customer_sentiment_q2": number | null;
  readonly "customer_sentiment_q3": number | null;
  readonly "customer_sentiment_q4": number | null;
  readonly "agent_sentiment_q1": number | null;
  readonly "agent_sentiment_q2": number | null;
  readonly "agent_sentiment_q3": number | null;
  readonly "agent_sentiment_q4": number | null;
  readonly "sentiment_change": number | null;
  readonly "agent_fillers": number | null;
  readonly "customer_fillers": number | null;
};
  /** Why a measure is null */ readonly "unavailable": Readonly<Record<string, string>>;
  /** Of the last turn message; 0 before the first */ readonly "position": number;
  /** The event log up to here is in this answer */ readonly "seq": number;
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type Nudge = {
  /** At most 40 words */ readonly "text": string;
  readonly "rule_id": string;
  readonly "severity": "high" | "medium" | "low" | "strength";
  /** turn_id of the turns it saw, most telling first */ readonly "evidence": readonly (string)[];
  readonly "expected": {
  readonly "measure": "agent_talk_ratio" | "talk_ratio_speech" | "talk_ratio_call" | "agent_talk_time_ms" | "customer_talk_time_ms" | "non_talk_ms" | "longest_silence_ms" | "silence_count" | "agent_interruptions" | "customer_interruptions" | "agent_interruption_ms" | "customer_interruption_ms" | "agent_words_per_minute" | "customer_words_per_minute" | "agent_words" | "customer_words" | "longest_monologue_seconds" | "longest_monologue_words" | "longest_customer_story_seconds" | "longest_customer_story_words" | "patience_ms" | "patience_p90_ms" | "interactivity" | "agent_question_rate" | "customer_question_rate" | "agent_questions" | "customer_questions" | "agent_open_question_share" | "customer_open_question_share" | "customer_sentiment_score" | "agent_sentiment_score" | "customer_sentiment_q1" | "customer_sentiment_q2" | "customer_sentiment_q3" | "customer_sentiment_q4" | "agent_sentiment_q1" | "agent_sentiment_q2" | "agent_sentiment_q3" | "agent_sentiment_q4" | "sentiment_change" | "agent_fillers" | "customer_fillers" | null;
  readonly "low": number | null;
  readonly "high": number | null;
  /** Published figures, or the team's own best quarter */ readonly "source": "default" | "team";
  readonly "text": string;
};
  readonly "observed": {
  readonly "value": number | null;
  readonly "text": string;
};
};

export type Recommendations = {
  readonly "similar_calls": readonly ({
  readonly "call_id": string;
  /** Cosine of the call vectors, what all calls share taken out; 1 is the same */ readonly "similarity_score": number;
  readonly "agent_id": string;
  readonly "customer_sentiment_score": number | null;
})[];
  /** Why there are none */ readonly "similar_calls_reason"?: string;
  readonly "coaching_nudges": readonly (string)[];
  readonly "nudges": readonly (Nudge)[];
  /** Why there are none */ readonly "nudges_reason"?: string;
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type AgentFigures = {
  readonly "agent_id": string;
  readonly "avg_sentiment": number | null;
  /** Mean agent_talk_ratio */ readonly "avg_talk_ratio": number | null;
  /** All accepted calls */ readonly "total_calls": number;
  /** By sentiment, among agents with enough calls; else null */ readonly "rank": number | null;
  readonly "sentiment": {
  /** Enriched calls with a value */ readonly "n": number;
  /** Sample standard deviation */ readonly "sd": number | null;
  /** 95 % interval of the mean */ readonly "ci95": readonly [number, number] | null;
};
  readonly "talk_ratio": {
  /** Enriched calls with a value */ readonly "n": number;
  /** Sample standard deviation */ readonly "sd": number | null;
  /** 95 % interval of the mean */ readonly "ci95": readonly [number, number] | null;
};
};

export type Definitions = {
  readonly "version": string;
  readonly "measures": readonly ({
  readonly "name": "agent_talk_ratio" | "talk_ratio_speech" | "talk_ratio_call" | "agent_talk_time_ms" | "customer_talk_time_ms" | "non_talk_ms" | "longest_silence_ms" | "silence_count" | "agent_interruptions" | "customer_interruptions" | "agent_interruption_ms" | "customer_interruption_ms" | "agent_words_per_minute" | "customer_words_per_minute" | "agent_words" | "customer_words" | "longest_monologue_seconds" | "longest_monologue_words" | "longest_customer_story_seconds" | "longest_customer_story_words" | "patience_ms" | "patience_p90_ms" | "interactivity" | "agent_question_rate" | "customer_question_rate" | "agent_questions" | "customer_questions" | "agent_open_question_share" | "customer_open_question_share" | "customer_sentiment_score" | "agent_sentiment_score" | "customer_sentiment_q1" | "customer_sentiment_q2" | "customer_sentiment_q3" | "customer_sentiment_q4" | "agent_sentiment_q1" | "agent_sentiment_q2" | "agent_sentiment_q3" | "agent_sentiment_q4" | "sentiment_change" | "agent_fillers" | "customer_fillers";
  readonly "title": string;
  readonly "unit": string;
  readonly "definition": string;
  readonly "source": string;
  readonly "group": string;
  readonly "needs": readonly (string)[];
  readonly "range": readonly [number | null, number | null];
})[];
  /** What only a call that goes on has */ readonly "live": readonly ({
  readonly "name": string;
  readonly "title": string;
  readonly "unit": string;
  readonly "definition": string;
  readonly "source": string;
})[];
  readonly "alerts": readonly ({
  readonly "rule_id": "talking_too_long" | "sentiment_falling" | "long_silence";
  readonly "definition": string;
})[];
};

export type Job = {
  readonly "job_id": string;
  readonly "kind": "import" | "recalculate" | "backup" | "retention";
  readonly "state": "running" | "done" | "failed";
  /** When it began */ readonly "created_at": string;
  /** When it last moved */ readonly "updated_at": string;
  readonly "counts": Readonly<Record<string, number>>;
  /** The first 100 */ readonly "errors": readonly ({
  readonly "line": number;
  readonly "message": string;
})[];
  readonly "detail": string | null;
  readonly "report": Readonly<Record<string, unknown>> | null;
};

export type Jobs = {
  readonly "jobs": readonly (Job)[];
};

export type Event = {
  readonly "seq": number;
  readonly "type": "call.accepted" | "call.replaced" | "call.enriched" | "call.deleted" | "live.started" | "live.turn" | "live.alert" | "live.ended";
  /** When */ readonly "at": string;
  readonly "call_id": string;
  readonly "agent_id": string;
  readonly "revision": number;
  readonly "state": "pending" | "running" | "enriched" | "degraded" | "dead" | null;
  readonly "customer_sentiment_score": number | null;
  readonly "agent_talk_ratio": number | null;
  readonly "reason": "request" | "customer" | "retention" | null;
  /** Of live.turn */ readonly "turn_index": number | null;
  /** Of live.turn: its place among the turn messages of its call */ readonly "position": number | null;
  readonly "turn_sentiment": number | null;
  readonly "live_sentiment": number | null;
  readonly "rule_id": "talking_too_long" | "sentiment_falling" | "long_silence" | null;
  /** Of live.alert: indexes of turns, most telling first */ readonly "evidence": readonly (number)[] | null;
};

export type EventPage = {
  readonly "events": readonly (Event)[];
  /** Pass as after */ readonly "next_after": number;
  /** Events after `after` are gone from the log: read the list anew */ readonly "resync_required": boolean;
};

export type DeadLetters = {
  readonly "dead_letters": readonly ({
  readonly "call_id": string;
  readonly "agent_id": string;
  readonly "revision": number;
  readonly "attempts": number;
  readonly "error": string;
  /** When it was given up */ readonly "at": string;
})[];
};

export type SearchResults = {
  readonly "query": string;
  /** What was done: keyword while no model runs */ readonly "mode": "keyword" | "semantic" | "hybrid";
  readonly "results": readonly ({
  readonly "call_id": string;
  readonly "agent_id": string;
  /** When the call began */ readonly "start_time": string;
  readonly "customer_sentiment_score": number | null;
  readonly "turn_id": string;
  readonly "turn_index": number;
  readonly "speaker": "agent" | "customer";
  readonly "text": string;
  readonly "start_ms": number | null;
  /** Higher is better; comparable within one answer */ readonly "score": number;
  /** Words found: ranges [start, end) of text in UTF-16 units */ readonly "highlights": readonly ({
  readonly "start": number;
  readonly "end": number;
})[];
})[];
  /** Parts that are not whole at the moment: models, index, store. Absent when all is well */ readonly "degraded"?: readonly (string)[];
};

export type User = {
  readonly "account_id": string;
  readonly "name": string;
  readonly "role": "admin" | "manager" | "agent" | "analyst";
  readonly "agent_id": string | null;
  readonly "team": string | null;
};

export type Session = {
  readonly "access_token": string;
  readonly "token_type": "bearer";
  /** Seconds */ readonly "expires_in": number;
  readonly "user_info": User;
};

export type Ready = {
  readonly "status": "ok" | "degraded" | "unavailable";
  readonly "degraded": readonly (string)[];
  readonly "checks": Readonly<Record<string, {
  readonly "ok": boolean;
}>>;
};

export interface Gets {
  readonly "/health": { readonly query: NoQuery; readonly body: undefined; readonly answer: {
  readonly "status": string;
} };
  readonly "/health/ready": { readonly query: NoQuery; readonly body: undefined; readonly answer: Ready };
  readonly "/auth/me": { readonly query: NoQuery; readonly body: undefined; readonly answer: User };
  readonly "/api/v1/calls": { readonly query: {
  readonly "limit"?: number;
  readonly "offset"?: number;
  readonly "cursor"?: string;
  readonly "sort"?: string;
  readonly "fields"?: string;
  readonly "view"?: "basic" | "full";
  readonly "agent_id"?: string;
  readonly "customer_id"?: string;
  readonly "language"?: string;
  readonly "outcome"?: "won" | "lost" | "open";
  readonly "state"?: "pending" | "running" | "enriched" | "degraded" | "dead";
  readonly "from_date"?: string;
  readonly "to_date"?: string;
  readonly "created_from"?: string;
  readonly "created_to"?: string;
  readonly "updated_since"?: string;
  readonly "min_sentiment"?: number;
  readonly "max_sentiment"?: number;
  readonly "min_duration"?: number;
  readonly "max_duration"?: number;
  readonly "min_talk_ratio"?: number;
  readonly "max_talk_ratio"?: number;
}; readonly body: undefined; readonly answer: CallList };
  readonly "/api/v1/calls/{call_id}": { readonly query: NoQuery; readonly body: undefined; readonly answer: Call };
  readonly "/api/v1/live": { readonly query: NoQuery; readonly body: undefined; readonly answer: LiveList };
  readonly "/api/v1/live/{call_id}": { readonly query: NoQuery; readonly body: undefined; readonly answer: LiveCall };
  readonly "/api/v1/calls/{call_id}/recommendations": { readonly query: {
  readonly "agent_id"?: string;
  readonly "customer_id"?: string;
  readonly "language"?: string;
  readonly "outcome"?: "won" | "lost" | "open";
  readonly "state"?: "pending" | "running" | "enriched" | "degraded" | "dead";
  readonly "from_date"?: string;
  readonly "to_date"?: string;
  readonly "created_from"?: string;
  readonly "created_to"?: string;
  readonly "updated_since"?: string;
  readonly "min_sentiment"?: number;
  readonly "max_sentiment"?: number;
  readonly "min_duration"?: number;
  readonly "max_duration"?: number;
  readonly "min_talk_ratio"?: number;
  readonly "max_talk_ratio"?: number;
}; readonly body: undefined; readonly answer: Recommendations };
  readonly "/api/v1/search": { readonly query: {
  readonly "q": string;
  readonly "mode"?: "keyword" | "semantic" | "hybrid";
  readonly "limit"?: number;
  readonly "agent_id"?: string;
  readonly "customer_id"?: string;
  readonly "language"?: string;
  readonly "outcome"?: "won" | "lost" | "open";
  readonly "state"?: "pending" | "running" | "enriched" | "degraded" | "dead";
  readonly "from_date"?: string;
  readonly "to_date"?: string;
  readonly "created_from"?: string;
  readonly "created_to"?: string;
  readonly "updated_since"?: string;
  readonly "min_sentiment"?: number;
  readonly "max_sentiment"?: number;
  readonly "min_duration"?: number;
  readonly "max_duration"?: number;
  readonly "min_talk_ratio"?: number;
  readonly "max_talk_ratio"?: number;
}; readonly body: undefined; readonly answer: SearchResults };
  readonly "/api/v1/analytics/agents": { readonly query: NoQuery; readonly body: undefined; readonly answer: readonly (AgentFigures)[] };
  readonly "/api/v1/analytics/definitions": { readonly query: NoQuery; readonly body: undefined; readonly answer: Definitions };
  readonly "/api/v1/jobs": { readonly query: {
  readonly "limit"?: number;
}; readonly body: undefined; readonly answer: Jobs };
  readonly "/api/v1/jobs/{job_id}": { readonly query: NoQuery; readonly body: undefined; readonly answer: Job };
  readonly "/api/v1/events": { readonly query: {
  readonly "after"?: number;
  readonly "limit"?: number;
}; readonly body: undefined; readonly answer: EventPage };
  readonly "/api/v1/dead-letters": { readonly query: {
  readonly "limit"?: number;
}; readonly body: undefined; readonly answer: DeadLetters };
  readonly "/api/v1/replication/calls": { readonly query: {
  readonly "after"?: number;
  readonly "limit"?: number;
}; readonly body: undefined; readonly answer: undefined };
  readonly "/api/v1/replication/changes": { readonly query: {
  readonly "after"?: number;
  readonly "limit"?: number;
}; readonly body: undefined; readonly answer: undefined };
  readonly "/api/v1/replication/standing": { readonly query: NoQuery; readonly body: undefined; readonly answer: {
  readonly "accounts": readonly ({

})[];
  readonly "teams": readonly ({

})[];
  readonly "dead": readonly ({

})[];
} };
  readonly "/api/v1/stream/feed": { readonly query: {
  readonly "after"?: number;
  readonly "agent_id"?: string;
  readonly "team"?: string;
  readonly "types"?: string;
}; readonly body: undefined; readonly answer: undefined };
  readonly "/api/v1/stream/sentiment/{call_id}": { readonly query: {
  readonly "after"?: number;
  readonly "of"?: string;
}; readonly body: undefined; readonly answer: undefined };
  readonly "/api/v1/stream/figures": { readonly query: {
  readonly "after"?: number;
}; readonly body: undefined; readonly answer: undefined };
}

export interface Posts {
  readonly "/auth/login": { readonly query: NoQuery; readonly body: {
  readonly "username": string;
  readonly "password": string;
}; readonly answer: Session };
  readonly "/auth/session": { readonly query: NoQuery; readonly body: {
  readonly "token": string;
}; readonly answer: Session };
  readonly "/auth/logout": { readonly query: NoQuery; readonly body: undefined; readonly answer: undefined };
  readonly "/auth/ticket": { readonly query: NoQuery; readonly body: undefined; readonly answer: {
  readonly "ticket": string;
  readonly "expires_in": number;
} };
  readonly "/api/v1/calls": { readonly query: NoQuery; readonly body: CallInput; readonly answer: Accepted };
  readonly "/api/v1/calls/bulk": { readonly query: NoQuery; readonly body: BulkInput; readonly answer: BulkResults };
  readonly "/api/v1/calls/{call_id}/process": { readonly query: NoQuery; readonly body: undefined; readonly answer: Accepted };
  readonly "/api/v1/live": { readonly query: NoQuery; readonly body: LiveStart; readonly answer: LiveStarted };
  readonly "/api/v1/calls/{call_id}/turns": { readonly query: NoQuery; readonly body: LiveTurns; readonly answer: LiveAppended };
  readonly "/api/v1/calls/{call_id}/end": { readonly query: NoQuery; readonly body: LiveEnd; readonly answer: Accepted };
  readonly "/api/v1/analytics/recalculate": { readonly query: NoQuery; readonly body: undefined; readonly answer: Job };
  readonly "/api/v1/dead-letters/redrive": { readonly query: NoQuery; readonly body: {
  readonly "call_id"?: string | null;
}; readonly answer: {
  readonly "redriven": number;
} };
  readonly "/api/v1/backups": { readonly query: NoQuery; readonly body: undefined; readonly answer: Job };
  readonly "/api/v1/calls/import": { readonly query: {
  readonly "map"?: string;
  readonly "default"?: string;
  readonly "speaker_map"?: string;
  readonly "job_id"?: string;
}; readonly body: undefined; readonly answer: Job };
}

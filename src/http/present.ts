/** Row -> wire. One function a resource lists its columns and turns epoch milliseconds into RFC 3339. */
import type { CallRow, Insights } from "../core/call.ts";
import { wireProvenances } from "../core/call-document.ts";
import { sentimentLabel } from "../core/sentiment.ts";
import { formatInstant } from "../core/time.ts";
import { formatTranscript } from "../core/transcript.ts";
import type { StoredCall } from "../ports/calls.ts";
import type { EventRow } from "../ports/events.ts";
import type { Job } from "../ports/jobs.ts";
import type { DeadLetter } from "../ports/work.ts";
import type { Principal } from "../services/access.ts";
import type { AgentAverages } from "../services/analytics.ts";
import type { FoundTurn } from "../services/search.ts";

type Wire = Record<string, unknown>;

function instant(ms: number | null): string | null {
  return ms === null ? null : formatInstant(ms);
}

/** `personal` false hides the customer and everything said. */
export function presentRow(row: CallRow, personal: boolean): Wire {
  return {
    call_id: row.call_id,
    agent_id: row.agent_id,
    customer_id: personal ? row.customer_id : null,
    language: row.language,
    start_time: formatInstant(row.start_time),
    created_at: formatInstant(row.created_at),
    updated_at: formatInstant(row.updated_at),
    duration_seconds: row.duration_seconds,
    agent_talk_ratio: row.agent_talk_ratio,
    customer_sentiment_score: row.customer_sentiment_score,
    outcome: row.outcome,
    enrichment: {
      state: row.state,
      revision: row.revision,
      method: row.method,
      model: row.model,
      at: instant(row.enriched_at),
      ...(row.error !== null && { error: row.error }),
    },
  };
}

export function presentCall(call: StoredCall, personal: boolean): Wire {
  const { row, turns, insights } = call;
  const wire = presentRow(row, personal);
  wire["transcript"] = personal ? formatTranscript(turns) : null;
  wire["turns"] = turns.map((turn, i) => {
    const sentiment = insights?.turn_sentiment[i] ?? null;
    return {
      turn_id: turn.turn_id,
      speaker: turn.speaker,
      text: personal ? turn.text : null,
      start_ms: turn.start_ms,
      end_ms: turn.end_ms,
      sentiment,
      sentiment_label: sentiment === null ? null : sentimentLabel(sentiment),
    };
  });
  wire["insights"] = insights && presentInsights(insights);
  return wire;
}

function presentInsights(insights: Insights): Wire {
  return {
    ...insights.measures,
    unavailable: insights.reasons,
    provenance: wireProvenances(insights.provenance),
  };
}

export function presentFound(found: FoundTurn): Wire {
  const { row, turn } = found;
  return {
    call_id: row.call_id,
    agent_id: row.agent_id,
    start_time: formatInstant(row.start_time),
    customer_sentiment_score: row.customer_sentiment_score,
    turn_id: turn.turn_id,
    turn_index: found.turn_index,
    speaker: turn.speaker,
    text: turn.text,
    start_ms: turn.start_ms,
    score: round(found.score),
    highlights: found.highlights.map(([start, end]) => ({ start, end })),
  };
}

export function presentAgent(agent: AgentAverages): Wire {
  const { sentiment, talk_ratio } = agent;
  return {
    agent_id: agent.agent_id,
    avg_sentiment: round(sentiment.mean),
    avg_talk_ratio: round(talk_ratio.mean),
    total_calls: agent.total_calls,
    rank: agent.rank,
    sentiment: { n: sentiment.n, sd: round(sentiment.sd), ci95: sentiment.ci95?.map(round) ?? null },
    talk_ratio: { n: talk_ratio.n, sd: round(talk_ratio.sd), ci95: talk_ratio.ci95?.map(round) ?? null },
  };
}

/** Six decimals: what the rollups keep. */
function round<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 1e6) / 1e6) as T;
}

export function presentEvent(event: EventRow): Wire {
  return {
    seq: event.seq,
    type: event.type,
    at: formatInstant(event.at),
    call_id: event.call_id,
    agent_id: event.agent_id,
    revision: event.revision,
    state: event.state,
    customer_sentiment_score: event.customer_sentiment_score,
    agent_talk_ratio: event.agent_talk_ratio,
    reason: event.reason,
    turn_index: event.turn_index,
    position: event.position,
    turn_sentiment: event.turn_sentiment,
    live_sentiment: event.live_sentiment,
    rule_id: event.rule_id,
    evidence: event.evidence,
  };
}

export function presentJob(job: Job): Wire {
  return {
    job_id: job.job_id,
    kind: job.kind,
    state: job.state,
    created_at: formatInstant(job.created_at),
    updated_at: formatInstant(job.updated_at),
    counts: job.counts,
    errors: job.errors,
    detail: job.detail,
    report: job.report,
  };
}

export function presentDeadLetter(letter: DeadLetter): Wire {
  return {
    call_id: letter.call_id,
    agent_id: letter.agent_id,
    revision: letter.revision,
    attempts: letter.attempts,
    error: letter.error,
    at: formatInstant(letter.at),
  };
}

export function presentUser(principal: Principal): Wire {
  return {
    account_id: principal.account_id,
    name: principal.name,
    role: principal.role,
    agent_id: principal.agent_id,
    team: principal.team,
  };
}

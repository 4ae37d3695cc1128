/** What helps with one call: calls like it, and coaching nudges from its own words and measures. */
import type { CallRow, Scope } from "../core/call.ts";
import { coach } from "../core/coach.ts";
import type { Coaching, Nudge } from "../core/coach.ts";
import type { TeamRanges } from "../core/coach-scene.ts";
import type { CallFilter } from "../core/list.ts";
import type { CallReads, StoredCall } from "../ports/calls.ts";
import type { Models } from "../ports/models.ts";
import type { ServedVectors } from "../ports/vectors.ts";
import { getCall } from "./query.ts";
import { vectorFilter } from "./search.ts";
import type { TeamRangesSource } from "./team-ranges.ts";

interface SimilarCall {
  readonly call_id: string;
  readonly similarity_score: number;
  readonly agent_id: string;
  readonly customer_sentiment_score: number | null;
}

export interface Recommendations {
  readonly row: CallRow;
  readonly similar_calls: readonly SimilarCall[];
  /** Why there are none; null where there are some. */
  readonly similar_calls_reason: string | null;
  /** What was away, so that no similar calls were looked for. */
  readonly lacks: "index" | null;
  readonly nudges: readonly Nudge[];
  readonly nudges_reason: string | null;
}

export interface RecommendDeps {
  readonly reads: Pick<CallReads, "get" | "rows" | "numbers" | "callVector">;
  readonly vectors: Pick<ServedVectors, "search">;
  readonly models: Pick<Models, "describe">;
  /** What good calls of the team look like; defaults are published. */
  readonly teamRanges: TeamRangesSource;
}

const SIMILAR = 5;
/** The index may know calls a moment longer than the store: a few more are asked for. */
const ASKED = 8;

/** `filter` says which calls may be called similar. @throws AppError call_not_found */
export async function recommend(
  deps: RecommendDeps,
  input: { call_id: string; scope: Scope; filter: CallFilter },
): Promise<Recommendations> {
  const { scope, filter } = input;
  const call = await getCall(deps, input);
  const similar = await similarCalls(deps, { call, scope, filter });
  const coaching = coachCall(call, await deps.teamRanges.current());
  return {
    row: call.row,
    similar_calls: similar.calls,
    similar_calls_reason: similar.reason,
    lacks: similar.lacks ?? null,
    nudges: coaching.nudges,
    nudges_reason: coaching.reason,
  };
}

function coachCall({ row, turns, insights }: StoredCall, expected: TeamRanges | undefined): Coaching {
  if (insights === null) return { nudges: [], reason: notYet(row) };
  return coach({
    turns,
    language: row.language,
    duration_seconds: row.duration_seconds,
    measures: insights.measures,
    turnSentiment: insights.turn_sentiment,
    ...(expected && { expected }),
  });
}

/** The five nearest calls in scope that pass the filter, by the cosine of call vectors, best first, the call itself left out. */
async function similarCalls(
  deps: RecommendDeps,
  input: { call: StoredCall; scope: Scope; filter: CallFilter },
): Promise<{ calls: SimilarCall[]; reason: string | null; lacks?: "index" }> {
  const { row } = input.call;
  const space = deps.models.describe().space_id;
  const own = await deps.reads.callVector(row.call_no);
  if (own === null) return { calls: [], reason: withoutVector(row) };
  if (space !== null && own.space_id !== space) {
    return { calls: [], reason: "this call was enriched by another model and waits to be enriched again" };
  }
  const filter = await vectorFilter(deps.reads, input);
  const hits = await deps.vectors.search("call", own.call, ASKED, { ...filter, except: [row.call_no] });
  if (hits === null) {
    return { calls: [], reason: "the index of calls is being loaded; ask again in a moment", lacks: "index" };
  }
  const scores = new Map(hits.map((h) => [h.call_no, h.score]));
  const found = [...scores.keys()];
  const rows = await deps.reads.rows(found.slice(0, SIMILAR), input.scope);
  if (rows.length < SIMILAR) rows.push(...(await deps.reads.rows(found.slice(SIMILAR), input.scope)));
  const calls = rows.slice(0, SIMILAR).map((r) => ({
    call_id: r.call_id,
    similarity_score: Math.max(-1, Math.min(1, Math.round((scores.get(r.call_no) as number) * 1e6) / 1e6)),
    agent_id: r.agent_id,
    customer_sentiment_score: r.customer_sentiment_score,
  }));
  return { calls, reason: calls.length === 0 ? withoutOthers(input.filter) : null };
}

function withoutOthers(filter: CallFilter): string {
  if (Object.keys(filter).length > 0) return "no other enriched call passes the filters";
  return "there is no other enriched call to compare with";
}

function withoutVector(row: CallRow): string {
  return row.state === "degraded" ? "no model is at hand; the call is compared as soon as one is" : notYet(row);
}

function notYet(row: CallRow): string {
  return row.state === "dead" ? "the call could not be enriched" : "the call is not enriched yet";
}

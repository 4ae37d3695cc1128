/** Search over turns: by words, by meaning, or both. */
import type { CallRow, Scope, Turn } from "../core/call.ts";
import type { CallFilter } from "../core/list.ts";
import { DIMENSIONS } from "../core/vector.ts";
import { highlights } from "../core/highlight.ts";
import type { CallReads } from "../ports/calls.ts";
import type { Models } from "../ports/models.ts";
import type { ServedVectors, VectorFilter } from "../ports/vectors.ts";

export const SEARCH_MODES = ["keyword", "semantic", "hybrid"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

export interface SearchDeps {
  readonly reads: Pick<CallReads, "keyword" | "numbers" | "vectors" | "texts" | "rows">;
  readonly vectors: Pick<ServedVectors, "search">;
  readonly models: Pick<Models, "embed" | "describe">;
}

export interface SearchInput {
  readonly scope: Scope;
  readonly q: string;
  readonly mode: SearchMode;
  readonly filter: CallFilter;
  readonly limit: number;
}

export interface FoundTurn {
  readonly row: CallRow;
  readonly turn: Turn;
  readonly turn_index: number;
  /** keyword: negated bm25; semantic: cosine; hybrid: reciprocal rank sum. Comparable within one answer only. */
  readonly score: number;
  /** Ranges [start, end) of the words found, in UTF-16 units of the turn's text. */
  readonly highlights: readonly (readonly [number, number])[];
}

/** What a search by meaning needs. */
type Part = "models" | "index";

export interface SearchAnswer {
  /** What was done: keyword where no model runs or no index is at hand, whatever was asked. */
  readonly mode: SearchMode;
  /** What was away, so that words alone were looked for; null: nothing, or it was not asked for. */
  readonly lacks: Part | null;
  readonly results: readonly FoundTurn[];
}

interface Hit {
  readonly call_no: number;
  readonly turn_index: number;
  readonly score: number;
}

/** A turn finds its own call among the top 10 far more often through segments than through call vectors. */
const SEGMENTS = 50;
/** The customary constant of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009). */
const RRF = 60;
const FILTERED_CALLS = 2_000_000;

export async function search(deps: SearchDeps, input: SearchInput): Promise<SearchAnswer> {
  const depth = input.mode === "hybrid" ? Math.max(50, input.limit) : input.limit;
  const [byMeaning, byWords] = await Promise.all([
    input.mode === "keyword" ? null : semantic(deps, input, depth),
    input.mode === "semantic" && deps.models.describe().method === "model" ? null : keyword(deps, input, depth),
  ]);
  if (byMeaning === null || typeof byMeaning === "string") {
    // The model may have gone between the look and the question, and the index may be away.
    const hits = byWords ?? (await keyword(deps, input, depth));
    return { mode: "keyword", lacks: byMeaning, results: await present(deps, hits.slice(0, input.limit), input) };
  }
  const found = input.mode === "semantic" ? byMeaning : fuse([byMeaning, byWords ?? []]).slice(0, input.limit);
  return { mode: input.mode, lacks: null, results: await present(deps, found, input) };
}

function keyword(deps: SearchDeps, input: SearchInput, limit: number): Promise<Hit[]> {
  return deps.reads.keyword({ scope: input.scope, text: input.q, filter: input.filter, limit });
}

/** Segments first, then exact over the turns of the calls found; the part that is away, where one is. */
async function semantic(deps: SearchDeps, input: SearchInput, limit: number): Promise<Hit[] | Part> {
  const query = await deps.models.embed(input.q);
  if (query === null) return "models";
  const space = deps.models.describe().space_id;
  const filter = await vectorFilter(deps.reads, input);
  const segments = await deps.vectors.search("segment", query, SEGMENTS, filter);
  if (segments === null) return "index";
  const calls = await deps.reads.vectors([...new Set(segments.map((s) => s.call_no))]);
  const hits: Hit[] = [];
  for (const { call_no, vectors } of calls) {
    if (vectors.space_id !== space) continue;
    const turns = vectors.turns.length / DIMENSIONS;
    for (let i = 0; i < turns; i++) {
      const score = cosine(query, vectors.turns, i * DIMENSIONS);
      if (score !== null) hits.push({ call_no, turn_index: i, score });
    }
  }
  return hits.toSorted(byScore).slice(0, limit);
}

/** Cosine of a unit float vector with one int8 row; null for a zero row (a turn without words). */
function cosine(query: Float32Array, rows: Int8Array, at: number): number | null {
  let product = 0;
  let squares = 0;
  for (let i = 0; i < DIMENSIONS; i++) {
    const x = rows[at + i] as number;
    product += (query[i] as number) * x;
    squares += x * x;
  }
  return squares === 0 ? null : product / Math.sqrt(squares);
}

function byScore(a: Hit, b: Hit): number {
  return b.score - a.score || a.call_no - b.call_no || a.turn_index - b.turn_index;
}

function fuse(lists: readonly (readonly Hit[])[]): Hit[] {
  const sums = new Map<string, { call_no: number; turn_index: number; score: number }>();
  for (const list of lists) {
    for (const [rank, { call_no, turn_index }] of list.entries()) {
      const key = `${call_no}:${turn_index}`;
      const sum = sums.get(key) ?? { call_no, turn_index, score: 0 };
      sum.score += 1 / (RRF + rank + 1);
      sums.set(key, sum);
    }
  }
  return [...sums.values()].toSorted(byScore);
}

/**
 * Scope and filters as the vector index understands them. Agents and start times it knows itself; anything else is
 * asked of the store as the set of calls that pass.
 */
export async function vectorFilter(
  reads: Pick<CallReads, "numbers">,
  input: { scope: Scope; filter: CallFilter },
): Promise<VectorFilter> {
  const { scope, filter } = input;
  const { agent_id, from_date, to_date, ...others } = filter;
  const known = Object.keys(others).length === 0 && scope.kind !== "team";
  if (!known) return { call_nos: await reads.numbers({ scope, filter, limit: FILTERED_CALLS }) };
  const agents = [scope.kind === "agent" ? [scope.agent_id] : null, agent_id === undefined ? null : [agent_id]].filter(
    (a) => a !== null,
  );
  const [first, second] = agents;
  const agent_ids = first && second ? first.filter((a) => second.includes(a)) : (first ?? second);
  return {
    ...(agent_ids && { agent_ids }),
    ...(from_date !== undefined && { from: from_date }),
    ...(to_date !== undefined && { to: to_date }),
  };
}

async function present(deps: SearchDeps, hits: readonly Hit[], input: SearchInput): Promise<FoundTurn[]> {
  // The index may know a call, or whose it was, a moment longer than the store: the store has the last word.
  const allowed = await deps.reads.rows([...new Set(hits.map((h) => h.call_no))], input.scope);
  const calls = await deps.reads.texts(allowed.map((row) => row.call_no));
  const byNo = new Map(calls.map((c) => [c.row.call_no, c]));
  return hits.flatMap(({ call_no, turn_index, score }) => {
    const call = byNo.get(call_no);
    const turn = call?.turns[turn_index];
    if (!call || !turn) return [];
    return [{ row: call.row, turn, turn_index, score, highlights: highlights(turn.text, input.q) }];
  });
}

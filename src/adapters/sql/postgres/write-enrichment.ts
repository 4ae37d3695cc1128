/** Saving what enrichment derived, for a group of calls at once: insights, vectors, measures, sums, words, event, work. */
import { documentText } from "../../../core/call-document.ts";
import type { EnrichmentState, Turn } from "../../../core/call.ts";
import { quantize } from "../../../core/vector.ts";
import type { EnrichedCall, SaveResult } from "../../../ports/calls.ts";
import { bytes, packDocument, unpackWords } from "../codec.ts";
import { INTERN } from "../statements.ts";
import { contributionOf, readContribution } from "../sum-buckets.ts";
import { DROP_VECTORS } from "./write-calls.ts";
import { indexTurns } from "./full-text.ts";
import type { Write } from "./write.ts";

export interface SaveItem {
  readonly item: EnrichedCall;
  readonly now: number;
}

interface HeldCall {
  readonly call_no: number;
  readonly work_no: number;
  readonly worker_id: string;
  readonly call_id: string;
  readonly agent_id: string;
  readonly agent_no: number;
  readonly start_time: number;
  readonly created_at: number;
  readonly in_full_text: boolean;
}

/** The calls as the workers that hold this work saw them; what is not among them is stale. */
const HELD = `SELECT c.call_no, w.work_no, w.worker_id, c.call_id, c.agent_id, a.agent_no, c.start_time, c.created_at,
    c.in_full_text
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::integer[]) AS s(work_no, worker_id, call_no, revision)
    JOIN call_records AS c ON c.call_no = s.call_no AND c.revision = s.revision
    JOIN work AS w ON w.work_no = s.work_no AND w.call_no = c.call_no AND w.revision = c.revision
    JOIN agents AS a ON a.agent_id = c.agent_id
  WHERE w.state = 'running' AND w.worker_id = s.worker_id ORDER BY c.call_no FOR UPDATE OF c, w`;
const TEXTS = `SELECT call_no, body FROM call_texts WHERE call_no = ANY($1::bigint[]) AND created_at = ANY($2::bigint[])`;
const ENRICH = `UPDATE call_records AS c SET state = s.state, method = s.method, model = s.model, enriched_at = s.now,
    updated_at = s.now, customer_sentiment_score = s.score, agent_talk_ratio = s.ratio, error = NULL, in_full_text = true
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[])
    AS s(call_no, state, method, model, now, score, ratio) WHERE c.call_no = s.call_no`;
const CONTRIBUTIONS = `SELECT call_no, contribution FROM call_insights WHERE call_no = ANY($1::bigint[])`;
const PUT_INSIGHTS = `INSERT INTO call_insights (call_no, contribution)
  SELECT * FROM unnest($1::bigint[], $2::bytea[]) ON CONFLICT (call_no) DO UPDATE SET contribution = excluded.contribution`;
export const PUT_TEXTS = `UPDATE call_texts AS t SET body = s.body
  FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS s(call_no, created_at, body)
  WHERE t.call_no = s.call_no AND t.created_at = s.created_at AND t.created_at = ANY($2::bigint[])`;
const PUT_VECTORS = `INSERT INTO call_vectors (call_no, created_at, space_no, call, turns)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[], $5::bytea[])`;
const PUT_CODES = `INSERT INTO call_codes (call_no, created_at, space_no, agent_no, start_time, code)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bigint[], $6::bytea[])`;
const PUT_SEGMENTS = `INSERT INTO segment_codes (call_no, created_at, first_turn, last_turn, space_no, agent_no, start_time, code)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
    $7::bigint[], $8::bytea[])`;
const SETTLE = `DELETE FROM work WHERE work_no = ANY($1::bigint[])`;

interface Saved extends SaveItem {
  readonly held: HeldCall;
  readonly turns: readonly Turn[];
}

export async function saveAll(write: Write, items: readonly SaveItem[]): Promise<SaveResult[]> {
  const rows = await write.all<HeldCall>(
    HELD,
    items.map(({ item }) => item.work_no),
    items.map(({ item }) => item.worker_id),
    items.map(({ item }) => item.call_no),
    items.map(({ item }) => item.revision),
  );
  const held = new Map(rows.map((row) => [row.work_no, row]));
  const words = await wordsOf(write, rows);
  const saved: Saved[] = [];
  const results = items.map((one): SaveResult => {
    const { work_no, worker_id, call_no } = one.item;
    const found = held.get(work_no);
    if (!found || found.worker_id !== worker_id || found.call_no !== call_no) return "stale";
    // Whoever saves the same work again, be it in the same group, comes too late.
    held.delete(work_no);
    saved.push({ ...one, held: found, turns: words.get(call_no) ?? [] });
    return "saved";
  });
  if (saved.length > 0) await put(write, saved);
  return results;
}

async function wordsOf(write: Write, calls: readonly HeldCall[]): Promise<Map<number, readonly Turn[]>> {
  if (calls.length === 0) return new Map();
  const texts = await write.all<{ call_no: number; body: Buffer }>(
    TEXTS,
    calls.map((c) => c.call_no),
    calls.map((c) => c.created_at),
  );
  return new Map(texts.map(({ call_no, body }) => [call_no, unpackWords(body).turns]));
}

async function put(write: Write, saved: readonly Saved[]): Promise<void> {
  const call_nos = saved.map(({ held }) => held.call_no);
  const states = saved.map(({ item }): EnrichmentState => (item.method === "model" ? "enriched" : "degraded"));
  await write.run(
    ENRICH,
    call_nos,
    states,
    saved.map(({ item }) => item.method),
    saved.map(({ item }) => item.model),
    saved.map(({ now }) => now),
    saved.map(({ item }) => item.insights.measures.customer_sentiment_score),
    saved.map(({ item }) => item.insights.measures.agent_talk_ratio),
  );
  await putInsights(write, saved, call_nos);
  await write.run(
    PUT_TEXTS,
    call_nos,
    saved.map(({ held }) => held.created_at),
    saved.map(({ turns, item }) => packDocument(documentText({ turns, insights: item.insights }, true))),
  );
  await putVectors(write, saved);
  await indexTurns(
    write,
    saved.filter(({ held }) => !held.in_full_text).map(({ held, turns }) => ({ ...held, turns })),
  );
  await write.run(
    SETTLE,
    saved.map(({ held }) => held.work_no),
  );
  for (const [i, { item, held, now }] of saved.entries()) {
    const { customer_sentiment_score, agent_talk_ratio } = item.insights.measures;
    write.event(now, {
      type: "call.enriched",
      call_no: held.call_no,
      call_id: held.call_id,
      agent_id: held.agent_id,
      revision: item.revision,
      customer_sentiment_score,
      agent_talk_ratio,
      state: states[i] as EnrichmentState,
    });
  }
}

async function putInsights(write: Write, saved: readonly Saved[], call_nos: readonly number[]): Promise<void> {
  const old = await write.all<{ call_no: number; contribution: Buffer }>(CONTRIBUTIONS, call_nos);
  const before = new Map(old.map((row) => [row.call_no, row.contribution]));
  const contributions = saved.map(({ item, held }) => {
    const known = before.get(held.call_no);
    if (known) write.sums.measure(-1, held, readContribution(known));
    const contribution = contributionOf(item.insights.measures);
    write.sums.measure(1, held, contribution);
    return bytes(contribution);
  });
  await write.run(PUT_INSIGHTS, call_nos, contributions);
}

/** Without new vectors the old ones stay: they are of the same words, or `replace` had dropped them. */
async function putVectors(write: Write, saved: readonly Saved[]): Promise<void> {
  const spaces = new Map<string, number>();
  const rows = [];
  for (const { item, held } of saved) {
    if (!item.vectors) continue;
    const { space_id } = item.vectors;
    let space_no = spaces.get(space_id);
    if (space_no === undefined) {
      space_no = await spaceNo(write, space_id);
      spaces.set(space_id, space_no);
    }
    rows.push({ ...held, space_no, vectors: item.vectors });
  }
  if (rows.length === 0) return;
  const call_nos = rows.map((r) => r.call_no);
  const months = rows.map((r) => r.created_at);
  const space_nos = rows.map((r) => r.space_no);
  for (const sql of DROP_VECTORS) await write.run(sql, call_nos, months);
  await write.run(
    PUT_VECTORS,
    call_nos,
    months,
    space_nos,
    rows.map((r) => bytes(r.vectors.call)),
    rows.map((r) => bytes(r.vectors.turns)),
  );
  await write.run(
    PUT_CODES,
    call_nos,
    months,
    space_nos,
    rows.map((r) => r.agent_no),
    rows.map((r) => r.start_time),
    rows.map((r) => bytes(quantize(r.vectors.call))),
  );
  const segments = rows.flatMap((r) => r.vectors.segments.map((segment) => ({ ...r, ...segment })));
  if (segments.length === 0) return;
  await write.run(
    PUT_SEGMENTS,
    segments.map((s) => s.call_no),
    segments.map((s) => s.created_at),
    segments.map((s) => s.first_turn),
    segments.map((s) => s.last_turn),
    segments.map((s) => s.space_no),
    segments.map((s) => s.agent_no),
    segments.map((s) => s.start_time),
    segments.map((s) => bytes(s.vector)),
  );
}

async function spaceNo(write: Write, space_id: string): Promise<number> {
  const find = () => write.get<{ no: number }>(INTERN.spaceNo, space_id);
  const known = await find();
  if (known) return known.no;
  await write.run(INTERN.space, space_id);
  return ((await find()) as { no: number }).no;
}

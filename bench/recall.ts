/**
 * Recall@10 of similar calls: the product's index over a database, against exact search in float32; among all calls, or
 * among those of the same agent within 90 days of the call.
 */
import { fill } from "../src/adapters/vectors/fill.ts";
import { openVectors } from "../src/adapters/vectors/embedded.ts";
import { openSqlite } from "../src/adapters/sql/open.ts";
import type { VectorFilter } from "../src/ports/vectors.ts";
import { DIMENSIONS, dot, normalize } from "../src/core/vector.ts";

const K = 10;
const QUERIES = 40;
const STEP = 500;
const WINDOW_MS = 90 * 86_400_000;

export interface Recall {
  readonly calls: number;
  readonly queries: number;
  readonly recall_at_10: number;
  /** Time of one search of the index alone. */
  readonly search_p50_ms: number;
}

export async function recall(database: string, filtered: boolean): Promise<Recall> {
  const log = { info: () => undefined, warn: console.error, error: console.error };
  const store = await openSqlite({ path: database, timezone: "UTC", readers: 1, log });
  const spaceId = (await store.jobs.bookmark("vectors.space")) as string;
  const index = openVectors({ rows: store.vectorRows, spaceId, log });
  try {
    const calls = await fill(index, store.vectorRows, "call", spaceId);
    const exact = new Float32Array(calls * DIMENSIONS);
    const agents: string[] = [];
    const begun = new Float64Array(calls);
    for (let first = 1; first <= calls; first += STEP) {
      const numbers = Array.from({ length: Math.min(STEP, calls + 1 - first) }, (_, i) => first + i);
      const chunk = await store.vectorRows.of("call", spaceId, numbers);
      exact.set(chunk.vectors, (first - 1) * DIMENSIONS);
      agents.push(...chunk.agent);
      begun.set(chunk.start_time, first - 1);
    }
    const filterOf = (call_no: number): VectorFilter => {
      if (!filtered) return { except: [call_no] };
      const at = begun[call_no - 1] as number;
      const agent_ids = [agents[call_no - 1] as string];
      return { except: [call_no], agent_ids, from: at - WINDOW_MS, to: at + WINDOW_MS };
    };
    const row = (call_no: number) => exact.subarray((call_no - 1) * DIMENSIONS, call_no * DIMENSIONS);
    const queries = Array.from({ length: QUERIES }, (_, i) => 1 + Math.floor((i * calls) / QUERIES));
    const found: Set<number>[] = [];
    const took: number[] = [];
    for (const call_no of queries) {
      const sent = performance.now();
      // The original has to stay: the index may take the buffer it is given.
      const hits = await index.search("call", row(call_no).slice(), K, filterOf(call_no));
      took.push(performance.now() - sent);
      found.push(new Set(hits.map((h) => h.call_no)));
    }
    // As the product compares: about the mean of all call vectors.
    const mean = new Float64Array(DIMENSIONS);
    for (let i = 0; i < exact.length; i++)
      mean[i % DIMENSIONS] = (mean[i % DIMENSIONS] as number) + (exact[i] as number) / calls;
    for (let c = 1; c <= calls; c++) {
      const own = row(c);
      for (let d = 0; d < DIMENSIONS; d++) own[d] = (own[d] as number) - (mean[d] as number);
      normalize(own);
    }
    let right = 0;
    let wanted = 0;
    for (const [q, call_no] of queries.entries()) {
      const query = row(call_no);
      const { agent_ids: [agent] = [], from = -Infinity, to = Infinity } = filterOf(call_no);
      const best: { call_no: number; score: number }[] = [];
      for (let c = 1; c <= calls; c++) {
        const at = begun[c - 1] as number;
        if (c === call_no || at < from || at > to || (agent !== undefined && agents[c - 1] !== agent)) continue;
        const score = dot(query, row(c));
        if (best.length === K && score <= (best[K - 1] as { score: number }).score) continue;
        best.push({ call_no: c, score });
        best.sort((a, b) => b.score - a.score);
        best.length = Math.min(best.length, K);
      }
      right += best.filter((b) => found[q]?.has(b.call_no)).length;
      wanted += best.length;
    }
    took.sort((a, b) => a - b);
    const middle = took[took.length >> 1] as number;
    return {
      calls,
      queries: QUERIES,
      recall_at_10: right / wanted,
      search_p50_ms: Math.round(middle * 100) / 100,
    };
  } finally {
    await index.close();
    await store.close();
  }
}

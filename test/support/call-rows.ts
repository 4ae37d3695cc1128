/** Random call rows with ties and NULLs in every column a list sorts or filters by, and the naive way to list them. */
import type { CallRow, Scope } from "../../src/core/call.ts";
import type { CallFilter, Keyset, Sort } from "../../src/core/list.ts";

/** A small deterministic generator (mulberry32); 0 <= value < 1. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const T0 = Date.UTC(2026, 0, 1);
export const DAY = 86_400_000;
export const AGENTS = ["ana", "ben", "cleo", "dev", "eve"] as const;
export const TEAMS: Readonly<Record<string, string>> = { ana: "north", ben: "north", cleo: "south" };

const steps = (count: number, of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));

/** `n` rows with call_no ascending and gaps in it. */
export function randomRows(n: number, seed: number): CallRow[] {
  const next = random(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const sentiments = [null, null, ...steps(9, (i) => i / 4 - 1)];
  const durations = [null, ...steps(6, (i) => 60 * i)];
  const ratios = [null, ...steps(8, (i) => i / 7)];
  let call_no = 0;
  return steps(n, (i) => i).map((i): CallRow => {
    call_no += 1 + Math.floor(next() * 3);
    return {
      call_no,
      call_id: `call-${i}`,
      agent_id: pick(AGENTS),
      customer_id: pick([null, "cu1", "cu2", "cu3"]),
      language: pick(["en", "en", "en", "de"]),
      start_time: T0 + DAY * Math.floor(next() * 30),
      created_at: T0 + DAY * 40 + 1_000 * Math.floor(next() * 12),
      updated_at: T0 + DAY * 41 + 1_000 * Math.floor(next() * 15),
      duration_seconds: pick(durations),
      agent_talk_ratio: pick(ratios),
      customer_sentiment_score: pick(sentiments),
      outcome: pick([null, "won", "lost", "open"] as const),
      revision: 1,
      state: pick(["pending", "enriched", "enriched", "degraded", "dead"] as const),
      method: "model",
      model: "test",
      enriched_at: null,
      error: null,
    };
  });
}

const between = (value: number | null, low: number | undefined, high: number | undefined): boolean => {
  if (low === undefined && high === undefined) return true;
  return value !== null && value >= (low ?? -Infinity) && value <= (high ?? Infinity);
};

export function passes(row: CallRow, scope: Scope, f: CallFilter): boolean {
  if (scope.kind === "agent" && row.agent_id !== scope.agent_id) return false;
  if (scope.kind === "team" && TEAMS[row.agent_id] !== scope.team) return false;
  for (const name of ["agent_id", "customer_id", "language", "outcome", "state"] as const) {
    if (f[name] !== undefined && row[name] !== f[name]) return false;
  }
  return (
    between(row.start_time, f.from_date, f.to_date) &&
    between(row.created_at, f.created_from, f.created_to) &&
    between(row.updated_at, f.updated_since, undefined) &&
    between(row.customer_sentiment_score, f.min_sentiment, f.max_sentiment) &&
    between(row.duration_seconds, f.min_duration, f.max_duration) &&
    between(row.agent_talk_ratio, f.min_talk_ratio, f.max_talk_ratio)
  );
}

/** Negative when `a` comes first: NULLs last either way, ties by call_no in the sort's direction. */
export function compare(sort: Sort, a: Keyset, b: Keyset): number {
  const sign = sort.descending ? -1 : 1;
  if (a.value === null || b.value === null) {
    if (a.value !== b.value) return a.value === null ? 1 : -1;
    return sign * (a.call_no - b.call_no);
  }
  return sign * (a.value - b.value || a.call_no - b.call_no);
}

/** All matching rows in order: what every page must be a slice of. */
export function naiveList(rows: readonly CallRow[], scope: Scope, filter: CallFilter, sort: Sort): CallRow[] {
  const key = (row: CallRow): Keyset => ({ value: row[sort.field], call_no: row.call_no });
  return rows.filter((row) => passes(row, scope, filter)).toSorted((a, b) => compare(sort, key(a), key(b)));
}

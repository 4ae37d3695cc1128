/**
 * Rebuilding the rollups beside the served ones. The next generation is counted in call_no order, a few hundred calls
 * a command; what other commands change of calls already counted goes into both generations (RollupSums.flush). So
 * when the last call is counted both must be equal, and a flip of one number serves the new one.
 */
import { MEASURE_NAMES, type MeasureName } from "../../core/measures.ts";
import type { SumDifference } from "../../ports/rollups.ts";
import type { Input, RollupComparison } from "./commands.ts";
import { ACCEPTED, COUNTS, GRAIN, readContribution } from "./sum-buckets.ts";
import { INTERN, ROLLUPS } from "./statements.ts";
import type { WriteContext } from "./write-context.ts";

/** Past every call_no: all changes from now on go into both generations. */
export const ALL_CALLS = Number.MAX_SAFE_INTEGER;

/** Differences that are told in words; more are only counted. */
export const DIFFERENCES = 100;

interface BucketRow {
  readonly agent_no: number;
  readonly measure: number;
  readonly n: number;
  readonly sum_micro: number;
  readonly squares_high: number;
  readonly squares_low: number;
}

interface CallRow {
  readonly call_no: number;
  readonly agent_id: string;
  readonly start_time: number;
  readonly settled: number;
  readonly contribution: Buffer | null;
}

interface Place {
  readonly generation: number;
  readonly grain: number;
  readonly bucket: number;
}

/** Starting anew cancels a rebuild of another process: its next step then finds nothing to do. */
export function rollupsStart(
  context: WriteContext,
  { timezone, limit }: Input<"rollupsStart">,
): { begun: boolean; total: number } {
  const { serving } = context.sums.state();
  const { n: total } = context.get<{ n: number }>(ROLLUPS.lastCall) as { n: number };
  if (!dropBuckets(context, ROLLUPS.newer, serving, limit)) {
    context.run(ROLLUPS.cancel);
    return { begun: false, total };
  }
  context.run(ROLLUPS.begin, timezone);
  return { begun: true, total };
}

/** Drops up to `limit` buckets that `sql` finds for the generation; true when none is left. */
function dropBuckets(context: WriteContext, sql: string, generation: number, limit: number): boolean {
  for (let i = 0; i < limit; i++) {
    const old = context.get<Place>(sql, generation);
    if (!old) return true;
    context.run(ROLLUPS.dropBucket, old.generation, old.grain, old.bucket);
  }
  return false;
}

export function rollupsRecount(
  context: WriteContext,
  { limit }: Input<"rollupsRecount">,
): { done: number; finished: boolean } {
  const { serving, timezone, next_timezone, rebuilt_to } = context.sums.state();
  if (rebuilt_to === null || rebuilt_to === ALL_CALLS) return { done: rebuilt_to ?? 0, finished: true };
  const calls = context.all<CallRow>(ROLLUPS.calls, rebuilt_to, limit);
  for (const { call_no, agent_id, start_time, settled, contribution } of calls) {
    const call = { call_no, agent_no: context.agentNo(agent_id), start_time };
    if (settled === 1) context.sums.count(1, call);
    if (contribution) context.sums.measure(1, call, readContribution(contribution));
  }
  context.sums.flushRecount(serving + 1, next_timezone ?? timezone);
  const last = calls.length < limit ? ALL_CALLS : (calls.at(-1)?.call_no ?? ALL_CALLS);
  context.run(ROLLUPS.advance, last);
  return { done: calls.at(-1)?.call_no ?? rebuilt_to, finished: last === ALL_CALLS };
}

export function rollupsCompare(
  context: WriteContext,
  { grain, bucket, limit }: Input<"rollupsCompare">,
): RollupComparison {
  const { serving, timezone, next_timezone } = context.sums.state();
  const sameDays = timezone === next_timezone;
  let at = { grain, bucket };
  let days = 0;
  let drifted = 0;
  const differences: SumDifference[] = [];
  for (let i = 0; i < limit; i++) {
    const found = [serving, serving + 1]
      .map((generation) =>
        context.get<{ grain: number; bucket: number }>(ROLLUPS.nextBucket, generation, at.grain, at.bucket),
      )
      .filter((next) => next !== undefined)
      .toSorted((a, b) => a.grain - b.grain || a.bucket - b.bucket)[0];
    if (!found) return { days, drifted, differences, next: null };
    at = found;
    if (at.grain === COUNTS.day) days++;
    const [served = [], counted = []] = [serving, serving + 1].map((generation) =>
      context.all<BucketRow>(ROLLUPS.bucket, generation, at.grain, at.bucket),
    );
    // Days of another time zone differ by nature.
    const comparable = isEver(at.grain) || sameDays;
    if (!comparable || JSON.stringify(served) === JSON.stringify(counted)) continue;
    drifted++;
    if (differences.length < DIFFERENCES) differences.push(...differencesOf(context, at, served, counted));
  }
  return { days, drifted, differences, next: at };
}

/** The rows of one bucket that are not the same on both sides. */
function differencesOf(
  context: WriteContext,
  at: { grain: number; bucket: number },
  served: readonly BucketRow[],
  counted: readonly BucketRow[],
): SumDifference[] {
  const key = (row: BucketRow): string => `${row.agent_no} ${row.measure}`;
  const before = new Map(served.map((row) => [key(row), row]));
  const after = new Map(counted.map((row) => [key(row), row]));
  const rows = new Map([...before, ...after]);
  return [...rows].flatMap(([name, { agent_no, measure }]): SumDifference[] => {
    const [was, is] = [before.get(name), after.get(name)];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [
      {
        period: periodOf(at),
        agent_id: context.get<{ agent_id: string }>(INTERN.agentId, agent_no)?.agent_id ?? `#${agent_no}`,
        measure: measure === ACCEPTED ? "calls" : (MEASURE_NAMES[measure] as MeasureName),
        before: was ? { n: was.n, sum: was.sum_micro / 1e6 } : null,
        after: is ? { n: is.n, sum: is.sum_micro / 1e6 } : null,
      },
    ];
  });
}

export function periodOf({ grain, bucket }: { grain: number; bucket: number }): string {
  if (isEver(grain)) return "all time";
  return new Date(bucket * 86_400_000).toISOString().slice(0, 10);
}

function isEver(grain: number): boolean {
  return grain === GRAIN.all || grain === COUNTS.all;
}

export function rollupsFlip(context: WriteContext): null {
  context.run(ROLLUPS.flip);
  return null;
}

export function rollupsSweep(context: WriteContext, { limit }: Input<"rollupsSweep">): boolean {
  return dropBuckets(context, ROLLUPS.older, context.sums.state().serving, limit);
}

/**
 * Rebuilding the rollups beside the served ones (../write-rollups.ts says how). Steps that move the line between what is
 * counted and what is not hold the state of the sums alone: every other writer holds it with the others from its last
 * statement to its COMMIT, so a step sees all that they wrote, and whoever comes later sees the new line.
 */
import { MEASURE_NAMES, type MeasureName } from "../../../core/measures.ts";
import type { SumDifference } from "../../../ports/rollups.ts";
import type { Input, RollupComparison } from "../commands.ts";
import { ROLLUPS } from "../statements.ts";
import { ACCEPTED, COUNTS, GRAIN, readContribution, type RollupState } from "../sum-buckets.ts";
import { ALL_CALLS, DIFFERENCES, periodOf } from "../write-rollups.ts";
import type { Write } from "./write.ts";

const HOLD_ALONE = "SELECT pg_advisory_xact_lock(20261103)";
/** Rows dropped in one transaction. */
const DROP_LIMIT = 20_000;
const DROP = {
  newer: `DELETE FROM rollups WHERE ctid = ANY(ARRAY(SELECT ctid FROM rollups WHERE generation > $1 LIMIT ${DROP_LIMIT}))`,
  older: `DELETE FROM rollups WHERE ctid = ANY(ARRAY(SELECT ctid FROM rollups WHERE generation < $1 LIMIT ${DROP_LIMIT}))`,
};
/** Here every accepted call is in the sums at once. */
const CALLS = `SELECT c.call_no, c.agent_id, c.start_time, i.contribution FROM call_records AS c
  LEFT JOIN call_insights AS i ON i.call_no = c.call_no WHERE c.call_no > $1 ORDER BY c.call_no LIMIT $2`;
const DAYS = `SELECT count(DISTINCT bucket) AS n FROM rollups WHERE generation IN ($1, $2) AND grain = ${COUNTS.day}`;
/** Rows that are not the same in both generations; days of another time zone differ by nature. */
const DIFFERING = `SELECT grain, bucket, agent_no, measure, a.n AS was_n, a.sum_micro AS was_sum, b.n AS is_n, b.sum_micro AS is_sum
  FROM (SELECT * FROM rollups WHERE generation = $1) AS a
    FULL JOIN (SELECT * FROM rollups WHERE generation = $2) AS b USING (grain, bucket, agent_no, measure)
  WHERE (grain IN (${GRAIN.all}, ${COUNTS.all}) OR $3) AND (a.n, a.sum_micro, a.squares_high, a.squares_low)
    IS DISTINCT FROM (b.n, b.sum_micro, b.squares_high, b.squares_low)`;
const DRIFTED = `SELECT count(*) AS n FROM (SELECT DISTINCT grain, bucket FROM (${DIFFERING}) AS d) AS buckets`;
const FIRST_DIFFERENCES = `SELECT d.*, a.agent_id FROM (${DIFFERING}) AS d LEFT JOIN agents AS a ON a.agent_no = d.agent_no
  ORDER BY grain, bucket, d.agent_no, measure LIMIT ${DIFFERENCES}`;

interface DifferingRow {
  readonly grain: number;
  readonly bucket: number;
  readonly agent_no: number;
  readonly agent_id: string | null;
  readonly measure: number;
  readonly was_n: number | null;
  readonly was_sum: number | null;
  readonly is_n: number | null;
  readonly is_sum: number | null;
}

const stateOf = async (write: Write) => (await write.get<RollupState>(ROLLUPS.state)) as RollupState;
const counted = async (write: Write, sql: string, ...params: readonly (number | boolean)[]) =>
  ((await write.get<{ n: number }>(sql, ...params)) as { n: number }).n;

/** Starting anew cancels a rebuild of another process: its next step then finds nothing to do. */
export async function rollupsStart(
  write: Write,
  { timezone }: Input<"rollupsStart">,
): Promise<{ begun: boolean; total: number }> {
  await write.run(HOLD_ALONE);
  const { serving } = await stateOf(write);
  const total = await counted(write, ROLLUPS.lastCall);
  if ((await write.run(DROP.newer, serving)) >= DROP_LIMIT) {
    await write.run(ROLLUPS.cancel);
    return { begun: false, total };
  }
  await write.run(ROLLUPS.begin, timezone);
  return { begun: true, total };
}

export async function rollupsRecount(
  write: Write,
  { limit }: Input<"rollupsRecount">,
): Promise<{ done: number; finished: boolean }> {
  await write.run(HOLD_ALONE);
  const { serving, timezone, next_timezone, rebuilt_to } = await stateOf(write);
  if (rebuilt_to === null || rebuilt_to === ALL_CALLS) return { done: rebuilt_to ?? 0, finished: true };
  const calls = await write.all<{ call_no: number; agent_id: string; start_time: number; contribution: Buffer | null }>(
    CALLS,
    rebuilt_to,
    limit,
  );
  for (const { contribution, ...call } of calls) {
    write.sums.count(1, call);
    if (contribution) write.sums.measure(1, call, readContribution(contribution));
  }
  await write.sums.flushRecount(write, serving + 1, next_timezone ?? timezone);
  const last = calls.length < limit ? ALL_CALLS : (calls.at(-1)?.call_no ?? ALL_CALLS);
  await write.run(ROLLUPS.advance, last);
  return { done: calls.at(-1)?.call_no ?? rebuilt_to, finished: last === ALL_CALLS };
}

/** All buckets at once: nobody waits for it. */
export async function rollupsCompare(write: Write): Promise<RollupComparison> {
  const { serving, timezone, next_timezone } = await stateOf(write);
  const both = [serving, serving + 1] as const;
  const compared = [...both, timezone === next_timezone] as const;
  const days = await counted(write, DAYS, ...both);
  const drifted = await counted(write, DRIFTED, ...compared);
  const rows = drifted === 0 ? [] : await write.all<DifferingRow>(FIRST_DIFFERENCES, ...compared);
  return { days, drifted, differences: rows.map(differenceOf), next: null };
}

function differenceOf(row: DifferingRow): SumDifference {
  const { agent_no, agent_id, measure, was_n, was_sum, is_n, is_sum } = row;
  return {
    period: periodOf(row),
    agent_id: agent_id ?? `#${agent_no}`,
    measure: measure === ACCEPTED ? "calls" : (MEASURE_NAMES[measure] as MeasureName),
    before: was_n === null ? null : { n: was_n, sum: (was_sum ?? 0) / 1e6 },
    after: is_n === null ? null : { n: is_n, sum: (is_sum ?? 0) / 1e6 },
  };
}

export async function rollupsFlip(write: Write): Promise<null> {
  await write.run(HOLD_ALONE);
  await write.run(ROLLUPS.flip);
  return null;
}

export async function rollupsSweep(write: Write): Promise<boolean> {
  const { serving } = await stateOf(write);
  return (await write.run(DROP.older, serving)) < DROP_LIMIT;
}

/** What single calls add to the sums, as it is stored: the same on both engines. */
import { MEASURE_NAMES } from "../../core/measures.ts";
import type { Contribution } from "../../ports/rollups.ts";
import { readContribution } from "./sum-buckets.ts";

export const CONTRIBUTION_COLUMNS = "c.call_no, c.agent_id, c.start_time, c.revision, i.contribution";

export interface ContributionRow extends Omit<Contribution, "measures"> {
  readonly contribution: Uint8Array | null;
}

export function contributionFrom({ contribution, ...row }: ContributionRow): Contribution {
  if (contribution === null) return { ...row, measures: null };
  const values = readContribution(contribution);
  const named = MEASURE_NAMES.map((name, i) => [name, values[i] ?? Number.NaN] as const);
  return { ...row, measures: Object.fromEntries(named.filter(([, value]) => !Number.isNaN(value))) };
}

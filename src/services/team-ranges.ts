/** What the team's own best calls look like: the ranges that coaching compares a call with. */
import { EVERYTHING } from "../core/call.ts";
import { RANGED_MEASURES } from "../core/coach-scene.ts";
import type { TeamRanges } from "../core/coach-scene.ts";
import { quantile } from "../core/stats.ts";
import type { CallReads } from "../ports/calls.ts";

/** Fewer calls than this say nothing: the published defaults stand. */
const ENOUGH = 20;
/** The newest calls looked at. */
const LOOKED_AT = 400;
const PAGE = 100;
const FRESH_MS = 10 * 60_000;

export interface TeamRangesSource {
  /** The ranges as last computed; undefined while there are fewer than 20 calls. Old ones are renewed behind. */
  current(): Promise<TeamRanges | undefined>;
}

/**
 * The 10th to 90th percentile of each ranged measure over the best quarter, by customer sentiment, of the newest 400
 * enriched calls. Sums over many calls, so it names nobody: everyone is compared with the same ranges.
 */
export function createTeamRanges(deps: {
  reads: Pick<CallReads, "list" | "texts">;
  now: () => number;
  onError: (error: unknown) => void;
}): TeamRangesSource {
  let known: { ranges: TeamRanges | undefined; at: number } | null = null;
  let running: Promise<void> | null = null;
  const renew = async () => {
    try {
      known = { ranges: await bestQuarter(deps.reads), at: deps.now() };
    } catch (error) {
      deps.onError(error);
    } finally {
      running = null;
    }
  };
  return {
    async current() {
      // Few calls become enough within minutes of a first import, so "not yet" is not kept.
      if (known?.ranges === undefined || deps.now() - known.at > FRESH_MS) {
        running ??= renew();
        if (known?.ranges === undefined) await running;
      }
      return known?.ranges;
    },
  };
}

async function bestQuarter(reads: Pick<CallReads, "list" | "texts">): Promise<TeamRanges | undefined> {
  const { rows } = await reads.list({
    scope: EVERYTHING,
    filter: { min_sentiment: -1 },
    sort: { field: "start_time", descending: true },
    page: { limit: LOOKED_AT, offset: 0, after: null },
    total: false,
  });
  if (rows.length < ENOUGH) return undefined;
  const best = rows
    .toSorted((a, b) => (b.customer_sentiment_score ?? -1) - (a.customer_sentiment_score ?? -1))
    .slice(0, Math.ceil(rows.length / 4));
  const values = new Map(RANGED_MEASURES.map((m) => [m, [] as number[]]));
  for (let i = 0; i < best.length; i += PAGE) {
    for (const { insights } of await reads.texts(best.slice(i, i + PAGE).map((r) => r.call_no))) {
      for (const [measure, list] of values) {
        const value = insights?.measures[measure] ?? null;
        if (value !== null) list.push(value);
      }
    }
  }
  return Object.fromEntries(
    [...values]
      .filter(([, list]) => list.length >= ENOUGH / 4)
      .map(([measure, list]) => [measure, { low: quantile(list, 0.1) ?? 0, high: quantile(list, 0.9) ?? 0 }]),
  );
}

/** Sums per agent: one statement sums the days of all agents that are asked for. */
import type { Scope } from "../../../core/call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../../core/measures.ts";
import type { AgentSums, MeasureSum, Rollups } from "../../../ports/rollups.ts";
import type { Writes } from "../engine.ts";
import { CONTRIBUTION_COLUMNS, type ContributionRow, contributionFrom } from "../contributions.ts";
import { dayNumber } from "../local-day.ts";
import { rebuild } from "../rollups.ts";
import { ROLLUPS } from "../statements.ts";
import { ACCEPTED, COUNTS, GRAIN, SQUARES_BASE } from "../sum-buckets.ts";
import type { Value } from "./database.ts";
import type { Asker } from "./replicas.ts";

interface Deps {
  readonly writer: Writes;
  readonly db: Asker;
  readonly timezone: string;
  readonly now: () => number;
}

interface SumRow {
  readonly agent_id: string;
  readonly measure: number;
  readonly n: number;
  readonly sum: number;
  readonly high: number;
  readonly low: number;
}

const CONTRIBUTIONS = `SELECT ${CONTRIBUTION_COLUMNS} FROM call_records AS c
  LEFT JOIN call_insights AS i ON i.call_no = c.call_no WHERE c.call_no = ANY($1::bigint[])`;

const FIRST_DAY = -2_000_000_000;
const LAST_DAY = 2_000_000_000;

function inScope(scope: Scope): { sql: string; values: Value[] } {
  if (scope.kind === "all") return { sql: "", values: [] };
  if (scope.kind === "agent") return { sql: " AND a.agent_id = $5", values: [scope.agent_id] };
  return { sql: " AND a.team = $5", values: [scope.team] };
}

export function makeRollups(deps: Deps): Rollups {
  return {
    agents: (query) => agents(deps.db, query),
    async contributions(call_nos) {
      return (await deps.db.all<ContributionRow>(CONTRIBUTIONS, call_nos)).map(contributionFrom);
    },
    rebuild: (progress) => rebuild(deps, progress),
  };
}

/** True when the served days are those of another time zone than the one configured. */
export async function daysDiffer({ db, timezone }: Pick<Deps, "db" | "timezone">): Promise<boolean> {
  return (await db.get<{ timezone: string }>(ROLLUPS.state))?.timezone !== timezone;
}

async function agents(db: Asker, query: Parameters<Rollups["agents"]>[0]): Promise<AgentSums[]> {
  const { scope, measures, from_day, to_day } = query;
  const wanted = new Map(measures.map((name) => [MEASURE_NAMES.indexOf(name), name]));
  const byDay = from_day !== undefined || to_day !== undefined;
  const from = from_day === undefined ? FIRST_DAY : dayNumber(from_day);
  const to = to_day === undefined ? LAST_DAY : dayNumber(to_day);
  const { sql, values } = inScope(scope);
  const rows = await db.all<SumRow>(
    `SELECT a.agent_id, r.measure, sum(r.n)::float8 AS n, sum(r.sum_micro)::float8 AS sum,
        sum(r.squares_high)::float8 AS high, sum(r.squares_low)::float8 AS low
      FROM rollups AS r JOIN agents AS a ON a.agent_no = r.agent_no
      WHERE r.generation = (SELECT serving FROM rollup_state) AND r.grain = ANY($1::integer[]) AND r.bucket BETWEEN $2 AND $3
        AND r.measure = ANY($4::integer[])${sql} GROUP BY a.agent_id, r.measure`,
    byDay ? [COUNTS.day, GRAIN.day] : [COUNTS.all, GRAIN.all],
    byDay ? from : 0,
    byDay ? to : 0,
    [ACCEPTED, ...wanted.keys()],
    ...values,
  );
  return [...Map.groupBy(rows, (row) => row.agent_id)].map(([agent_id, own]) => ({
    agent_id,
    total_calls: own.find((row) => row.measure === ACCEPTED)?.n ?? 0,
    measures: Object.fromEntries(
      own.flatMap((row): [MeasureName, MeasureSum][] => {
        const name = wanted.get(row.measure);
        return name === undefined ? [] : [[name, sumOf(row)]];
      }),
    ),
  }));
}

const sumOf = ({ n, sum, high, low }: SumRow): MeasureSum => ({
  n,
  sum: sum / 1e6,
  sum_squares: (high * SQUARES_BASE + low) / 1e6,
});

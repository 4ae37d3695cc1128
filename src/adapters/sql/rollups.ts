/** Sums per agent, read on the loop day by day; the rebuild runs as steps in the writer thread. */
import type { Scope } from "../../core/call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../core/measures.ts";
import type { AgentSums, Contribution, MeasureSum, Rebuild, Rollups } from "../../ports/rollups.ts";
import type { RollupComparison } from "./commands.ts";
import { CONTRIBUTION_COLUMNS, type ContributionRow, contributionFrom } from "./contributions.ts";
import { freshCounts, freshOfDays } from "./fresh-counts.ts";
import { dayNumber, localDays } from "./local-day.ts";
import type { Writes } from "./engine.ts";
import type { LoopReader } from "./loop-reader.ts";
import { ACCEPTED, COUNTS, GRAIN, SQUARES_BASE } from "./sum-buckets.ts";
import { ROLLUPS } from "./statements.ts";
import { DIFFERENCES } from "./write-rollups.ts";

const START_STEP = 50;
const RECOUNT_STEP = 500;
const COMPARE_STEP = 20;
/** Days that are read of one state of the store. */
const DAYS_STEP = 50;
/** Milliseconds of reading after which the loop gets its turn. */
const SLICE_MS = 5;

const CONTRIBUTION = `SELECT ${CONTRIBUTION_COLUMNS} FROM call_records AS c
  LEFT JOIN call_insights AS i ON i.call_no = c.call_no WHERE c.call_no = ?`;

interface SumRow {
  readonly agent_id: string;
  readonly measure: number;
  readonly n: number;
  readonly sum_micro: number;
  readonly squares_high: number;
  readonly squares_low: number;
}

interface RebuildDeps {
  readonly writer: Writes;
  readonly timezone: string;
  readonly now: () => number;
}

interface Deps extends RebuildDeps {
  readonly reader: LoopReader;
}

export function makeRollups(deps: Deps): Rollups {
  return {
    agents: (query) => agents(deps.reader, query),
    contributions: (call_nos) => contributions(deps.reader, call_nos),
    rebuild: (progress) => rebuild(deps, progress),
  };
}

/** In steps of a page or two a call, with the loop's turn between them. */
async function contributions(reader: LoopReader, call_nos: readonly number[]): Promise<Contribution[]> {
  const found: Contribution[] = [];
  let slice = performance.now();
  for (const call_no of call_nos) {
    const row = reader.get<ContributionRow>(CONTRIBUTION, call_no);
    if (row) found.push(contributionFrom(row));
    if (performance.now() - slice < SLICE_MS) continue;
    await reader.turn();
    slice = performance.now();
  }
  return found;
}

/** True when the served days are those of another time zone than the one configured. */
export function daysDiffer({ reader, timezone }: Deps): boolean {
  return stateOf(reader).timezone !== timezone;
}

async function agents(reader: LoopReader, query: Parameters<Rollups["agents"]>[0]): Promise<AgentSums[]> {
  const wanted = new Map(query.measures.map((name) => [MEASURE_NAMES.indexOf(name), name]));
  const found: Found = new Map();
  if (query.from_day === undefined && query.to_day === undefined) {
    reader.together(() => {
      const asked = { scope: query.scope, measures: numbersOf(wanted), generation: stateOf(reader).serving };
      for (const grain of [COUNTS.all, GRAIN.all]) collect(found, wanted, readBucket(reader, asked, grain, 0));
      for (const { agent_id, n } of freshCounts(reader, query.scope)) entryOf(found, agent_id).total_calls += n;
    });
  } else {
    const from = query.from_day === undefined ? Number.MIN_SAFE_INTEGER : dayNumber(query.from_day);
    const to = query.to_day === undefined ? Number.MAX_SAFE_INTEGER : dayNumber(query.to_day);
    await collectDays(reader, query.scope, from, to, found, wanted);
  }
  return [...found.values()].map(({ agent_id, total_calls, measures }) => ({
    agent_id,
    total_calls,
    measures: Object.fromEntries(measures),
  }));
}

async function collectDays(
  reader: LoopReader,
  scope: Scope,
  from: number,
  to: number,
  found: Found,
  wanted: ReadonlyMap<number, MeasureName>,
): Promise<void> {
  const { serving: generation, timezone } = stateOf(reader);
  const asked = { scope, measures: numbersOf(wanted), generation };
  const dayOf = localDays(timezone);
  /** Reads the next days that have sums, and what is fresh up to there; where to go on, null at the end. */
  const step = (first: number): number | null => {
    let next: number | null = first;
    for (let i = 0; i < DAYS_STEP && next !== null; i++) {
      const day: { bucket: number } | undefined = reader.get(ROLLUPS.nextDay, generation, next, to);
      next = day ? day.bucket + 1 : null;
      if (!day) break;
      for (const grain of [COUNTS.day, GRAIN.day]) {
        collect(found, wanted, readBucket(reader, asked, grain, day.bucket));
      }
    }
    const days = { from: first, to: next === null ? to : next - 1, dayOf };
    for (const agent_id of freshOfDays(reader, scope, days)) entryOf(found, agent_id).total_calls++;
    return next;
  };
  let slice = performance.now();
  for (let day: number | null = from; day !== null; ) {
    const first: number = day;
    day = reader.together(() => step(first));
    if (performance.now() - slice > SLICE_MS) {
      await reader.turn();
      slice = performance.now();
    }
  }
  if (stateOf(reader).serving === generation) return;
  // A rebuild was flipped in meanwhile: what was read may be half gone.
  found.clear();
  await collectDays(reader, scope, from, to, found, wanted);
}

/** Opening for writing put the row there. */
function stateOf(reader: LoopReader): { serving: number; timezone: string } {
  return reader.get(ROLLUPS.state) as { serving: number; timezone: string };
}

/** The bucket's rows of `measures` (a JSON list of numbers): an agent has a row for every measure there is. */
function readBucket(
  reader: LoopReader,
  { scope, measures, generation }: { scope: Scope; measures: string; generation: number },
  grain: number,
  bucket: number,
): SumRow[] {
  const key = [generation, grain, bucket];
  if (scope.kind === "agent") return reader.all(ROLLUPS.readOfAgent, scope.agent_id, ...key, measures);
  if (scope.kind === "team") return reader.all(ROLLUPS.readOfTeam, scope.team, ...key, measures);
  return reader.all(ROLLUPS.read, ...key, measures);
}

function numbersOf(wanted: ReadonlyMap<number, MeasureName>): string {
  return JSON.stringify([ACCEPTED, ...wanted.keys()]);
}

interface AgentEntry {
  readonly agent_id: string;
  total_calls: number;
  readonly measures: Map<MeasureName, MeasureSum>;
}

/** By agent_id. */
type Found = Map<string, AgentEntry>;

function entryOf(found: Found, agent_id: string): AgentEntry {
  let entry = found.get(agent_id);
  if (!entry) {
    entry = { agent_id, total_calls: 0, measures: new Map() };
    found.set(agent_id, entry);
  }
  return entry;
}

function collect(found: Found, wanted: ReadonlyMap<number, MeasureName>, rows: SumRow[]): void {
  for (const row of rows) {
    const entry = entryOf(found, row.agent_id);
    const name = wanted.get(row.measure);
    if (row.measure === ACCEPTED) entry.total_calls += row.n;
    else if (name !== undefined) entry.measures.set(name, plus(entry.measures.get(name), row));
  }
}

function plus(sum: MeasureSum | undefined, row: SumRow): MeasureSum {
  return {
    n: (sum?.n ?? 0) + row.n,
    sum: (sum?.sum ?? 0) + row.sum_micro / 1e6,
    sum_squares: (sum?.sum_squares ?? 0) + (row.squares_high * SQUARES_BASE + row.squares_low) / 1e6,
  };
}

/** The rebuild, step by step: each is a command. */
export async function rebuild(
  deps: RebuildDeps,
  progress: (done: number, total: number) => void,
): ReturnType<Rollups["rebuild"]> {
  const { writer, timezone, now } = deps;
  const start = () => writer.run("rollupsStart", { timezone, limit: START_STEP }, now());
  let started = await start();
  while (!started.begun) started = await start();
  const { total } = started;
  for (;;) {
    const { done, finished } = await writer.run("rollupsRecount", { limit: RECOUNT_STEP }, now());
    progress(Math.min(done, total), total);
    if (finished) break;
  }
  let result: Rebuild = { days: 0, drifted: 0, differences: [] };
  let at: { grain: number; bucket: number } | null = { grain: GRAIN.all, bucket: -1 };
  while (at) {
    const step: RollupComparison = await writer.run("rollupsCompare", { ...at, limit: COMPARE_STEP }, now());
    result = {
      days: result.days + step.days,
      drifted: result.drifted + step.drifted,
      differences: [...result.differences, ...step.differences].slice(0, DIFFERENCES),
    };
    at = step.next;
  }
  await writer.run("rollupsFlip", {}, now());
  while (!(await writer.run("rollupsSweep", { limit: START_STEP }, now())));
  return result;
}

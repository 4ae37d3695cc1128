/** Sums per agent, read on the loop day by day; the rebuild runs as steps in the writer thread. */
import type { Scope } from "../../core/call.ts";
import { MEASURE_NAMES, type MeasureName } from "../../core/measures.ts";
import type { AgentSums, MeasureSum, Rebuild, Rollups } from "../../ports/rollups.ts";
import type { RollupComparison } from "./commands.ts";
import { dayNumber } from "./local-day.ts";
import type { Writes } from "./engine.ts";
import type { LoopReader } from "./loop-reader.ts";
import { ACCEPTED, GRAIN, SQUARES_BASE } from "./sum-buckets.ts";
import { ROLLUPS } from "./statements.ts";
import { DIFFERENCES } from "./write-rollups.ts";

const START_STEP = 50;
const RECOUNT_STEP = 500;
const COMPARE_STEP = 20;
/** Milliseconds of reading after which the loop gets its turn. */
const SLICE_MS = 5;

interface SumRow {
  readonly agent_no: number;
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
    rebuild: (progress) => rebuild(deps, progress),
  };
}

/** True when the served days are those of another time zone than the one configured. */
export function daysDiffer({ reader, timezone }: Deps): boolean {
  return stateOf(reader).timezone !== timezone;
}

async function agents(reader: LoopReader, query: Parameters<Rollups["agents"]>[0]): Promise<AgentSums[]> {
  const wanted = new Map(query.measures.map((name) => [MEASURE_NAMES.indexOf(name), name]));
  const found = new Map<number, AgentEntry>();
  if (query.from_day === undefined && query.to_day === undefined) {
    collect(found, wanted, readBucket(reader, query.scope, numbersOf(wanted), serving(reader), GRAIN.all, 0));
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
  found: Map<number, AgentEntry>,
  wanted: ReadonlyMap<number, MeasureName>,
): Promise<void> {
  let slice = performance.now();
  const generation = serving(reader);
  const measures = numbersOf(wanted);
  let day = from;
  for (;;) {
    const next = reader.get<{ bucket: number }>(ROLLUPS.nextDay, generation, day, to);
    if (!next) break;
    collect(found, wanted, readBucket(reader, scope, measures, generation, GRAIN.day, next.bucket));
    day = next.bucket + 1;
    if (performance.now() - slice > SLICE_MS) {
      await reader.turn();
      slice = performance.now();
    }
  }
  if (serving(reader) === generation) return;
  // A rebuild was flipped in meanwhile: what was read may be half gone.
  found.clear();
  await collectDays(reader, scope, from, to, found, wanted);
}

/** Opening for writing put the row there. */
function stateOf(reader: LoopReader): { serving: number; timezone: string } {
  return reader.get(ROLLUPS.state) as { serving: number; timezone: string };
}

function serving(reader: LoopReader): number {
  return stateOf(reader).serving;
}

/** The bucket's rows of `measures` (a JSON list of numbers): an agent has a row for every measure there is. */
function readBucket(
  reader: LoopReader,
  scope: Scope,
  measures: string,
  ...key: readonly [generation: number, grain: number, bucket: number]
): SumRow[] {
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

function collect(found: Map<number, AgentEntry>, wanted: ReadonlyMap<number, MeasureName>, rows: SumRow[]): void {
  for (const row of rows) {
    let entry = found.get(row.agent_no);
    if (!entry) {
      entry = { agent_id: row.agent_id, total_calls: 0, measures: new Map() };
      found.set(row.agent_no, entry);
    }
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

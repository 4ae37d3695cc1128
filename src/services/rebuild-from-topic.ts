/** The figures per agent, by UTC hour and local day, counted from the topic of events alone and compared with the store's. */
import { EVERYTHING } from "../core/call.ts";
import { EVENT_SCHEMA, type EventMessage } from "../core/event-message.ts";
import { MEASURE_NAMES, type MeasureName } from "../core/measures.ts";
import { type ExactSum, type Periods, TopicCalls } from "../core/topic-figures.ts";
import { AppError } from "../errors.ts";
import type { Events } from "../ports/events.ts";
import type { AgentSums, MeasureSum, Rollups } from "../ports/rollups.ts";
import type { TopicHistory } from "../ports/topics.ts";

/** A store that is written to all the time is never seen at rest. */
const TRIES = 5;
const DIFFERENCES = 100;
/** The name of the period that everything belongs to. */
const ALL = "all";

export interface TopicRebuildDeps {
  readonly history: TopicHistory;
  readonly events: Pick<Events, "head">;
  readonly rollups: Pick<Rollups, "agents">;
  readonly log_id: string;
  /** IANA name: the days. */
  readonly timezone: string;
}

interface TopicDifference {
  /** A local day (YYYY-MM-DD), or `all`. */
  readonly period: string;
  readonly agent_id: string;
  /** `calls` counts accepted calls. */
  readonly measure: MeasureName | "calls";
  readonly topic: MeasureSum | number | null;
  readonly store: MeasureSum | number | null;
}

export interface TopicRebuild {
  /** UTC hours, as RFC 3339. */
  readonly hours: Periods;
  readonly days: Periods;
  readonly counts: TopicCalls["counts"];
  /** The last event of the store; the topic lacks what is between its last one and this. */
  readonly head: number;
  /** Sums that were compared. */
  readonly compared: number;
  /** The first 100. */
  readonly differences: readonly TopicDifference[];
}

/** @throws AppError store_unavailable where the store does not come to rest, validation where the topic is of a newer Earshot */
export async function rebuildFromTopic(deps: TopicRebuildDeps): Promise<TopicRebuild> {
  for (let i = 0; i < TRIES; i++) {
    const head = await deps.events.head();
    const calls = await readCalls(deps);
    const days = calls.sums(dayIn(deps.timezone));
    const all = calls.sums(() => ALL);
    const result = await compare(deps, new Map([...days, ...all]));
    if ((await deps.events.head()) !== head) continue;
    return { hours: calls.sums(hourOf), days, counts: calls.counts, head, ...result };
  }
  throw new AppError("store_unavailable", "Calls are coming in all the time: compare when less is going on", {
    retryAfter: 60,
  });
}

async function readCalls({ history, log_id }: TopicRebuildDeps): Promise<TopicCalls> {
  const calls = new TopicCalls();
  await history.readAll(({ value }, part) => {
    const message = JSON.parse(value.toString("utf8")) as EventMessage;
    if (message.log_id !== log_id) return;
    if (message.schema > EVENT_SCHEMA) {
      const expected = `version ${EVENT_SCHEMA}`;
      const errors = [{ pointer: "/schema", message: "is newer", expected, received: String(message.schema) }];
      throw new AppError("validation", "The topic was written by a newer Earshot", { errors });
    }
    calls.take(message, part);
  });
  return calls;
}

const hourOf = (time: number): string => `${new Date(time).toISOString().slice(0, 13)}:00:00Z`;

function dayIn(timezone: string): (time: number) => string {
  return (time) => Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone).toPlainDate().toString();
}

async function compare(
  { rollups }: TopicRebuildDeps,
  periods: Periods,
): Promise<{ compared: number; differences: TopicDifference[] }> {
  let compared = 0;
  const differences: TopicDifference[] = [];
  for (const [period, agents] of periods) {
    const range = period === ALL ? {} : { from_day: period, to_day: period };
    const served = await rollups.agents({ scope: EVERYTHING, measures: MEASURE_NAMES, ...range });
    const store = new Map(served.map((sums) => [sums.agent_id, sums]));
    for (const agent_id of new Set([...agents.keys(), ...store.keys()])) {
      const [ours, theirs] = [agents.get(agent_id), store.get(agent_id)];
      for (const measure of ["calls", ...MEASURE_NAMES] as const) {
        const topic = measure === "calls" ? (ours?.calls ?? 0) : sumOf(ours?.measures.get(measure));
        const stored = measure === "calls" ? (theirs?.total_calls ?? 0) : storedSum(theirs, measure);
        compared++;
        const same = JSON.stringify(topic) === JSON.stringify(stored);
        if (!same && differences.length < DIFFERENCES) {
          differences.push({ period, agent_id, measure, topic, store: stored });
        }
      }
    }
  }
  return { compared, differences };
}

function sumOf(exact: ExactSum | undefined): MeasureSum | null {
  if (exact === undefined) return null;
  return { n: exact.n, sum: Number(exact.sum) / 1e6, sum_squares: Number(exact.sum_squares) / 1e6 };
}

function storedSum(sums: AgentSums | undefined, measure: MeasureName): MeasureSum | null {
  const found = sums?.measures[measure];
  return found === undefined || found.n === 0 ? null : { n: found.n, sum: found.sum, sum_squares: found.sum_squares };
}

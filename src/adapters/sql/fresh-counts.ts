/**
 * Calls that have not settled are in no sums (write-settle.ts): some thousand at most, they are counted when somebody asks.
 * Sums and these are read together (LoopReader.together), or a call that settles between is counted twice or not at all.
 */
import type { Scope } from "../../core/call.ts";
import type { LoopReader } from "./loop-reader.ts";

const DAY_MS = 86_400_000;

const OF_SCOPE = {
  all: "",
  team: " AND agent_id IN (SELECT agent_id FROM agents WHERE team = ?)",
  agent: " AND agent_id = ?",
} as const satisfies Record<Scope["kind"], string>;

/** Along idx_call_records_fresh, which holds all that is asked for. */
const fresh = (kind: Scope["kind"]): string => `FROM call_records WHERE settled = 0${OF_SCOPE[kind]}`;

/** Fresh calls of each agent in scope. */
export function freshCounts(reader: LoopReader, scope: Scope): { agent_id: string; n: number }[] {
  return reader.all(`SELECT agent_id, count(*) AS n ${fresh(scope.kind)} GROUP BY agent_id`, ...named(scope));
}

/** The agent of each fresh call in scope of the local days [from, to] (since 1970); `dayOf` knows the day of a time. */
export function freshOfDays(
  reader: LoopReader,
  scope: Scope,
  days: { from: number; to: number; dayOf: (time: number) => number },
): string[] {
  const { from, to, dayOf } = days;
  // A local day begins and ends within a day of the one in UTC.
  const range = [(from - 1) * DAY_MS, (to + 2) * DAY_MS];
  const calls = reader.all<{ agent_id: string; start_time: number }>(
    `SELECT agent_id, start_time ${fresh(scope.kind)} AND start_time >= ? AND start_time < ?`,
    ...named(scope),
    ...range,
  );
  return calls.flatMap(({ agent_id, start_time }) => {
    const day = dayOf(start_time);
    return day >= from && day <= to ? [agent_id] : [];
  });
}

function named(scope: Scope): string[] {
  if (scope.kind === "all") return [];
  return [scope.kind === "team" ? scope.team : scope.agent_id];
}

/** Calls that go on: written by the writer thread, read on the loop. */
import type { Scope } from "../../core/call.ts";
import type { KeyedWrites } from "../../ports/idempotency.ts";
import type { LiveCallRow, LiveCalls, LiveTurnRow } from "../../ports/live-calls.ts";
import { toRow } from "./calls.ts";
import type { LoopReader } from "./loop-reader.ts";
import { LIVE } from "./statements-live.ts";
import type { Run, Writer } from "./writer.ts";

type Json = "state" | "alert_state" | "alerts";
type StoredRow = Omit<LiveCallRow, Json> & Readonly<Record<Json, string>>;

export function makeLiveCalls(deps: { writer: Writer; reader: LoopReader; now: () => number }): LiveCalls {
  const { writer, reader, now } = deps;
  const visible = (agent_id: string, scope: Scope): boolean => {
    if (scope.kind === "all") return true;
    if (scope.kind === "agent") return agent_id === scope.agent_id;
    return reader.get(LIVE.inTeam, agent_id, scope.team) !== undefined;
  };
  const row = (call_id: string, scope: Scope): LiveCallRow | null => {
    const found = reader.get<StoredRow>(LIVE.row, call_id);
    return found !== undefined && visible(found.agent_id, scope) ? parsed(found) : null;
  };
  return {
    ...makeLiveWrites((...command) => writer.run(...command), now),
    saveScores: (scored) => writer.run("saveLive", { scored }, now()),
    list: async (scope, limit) => listed(reader, scope, limit).map(parsed),
    async get(call_id, scope) {
      for (;;) {
        const found = row(call_id, scope);
        if (found === null) return null;
        const turns = reader.all<LiveTurnRow>(LIVE.turns, found.live_no);
        // What came between the two reads has a position that the row does not know.
        if (turns.every((turn) => turn.position <= found.position)) return { row: found, turns };
      }
    },
    row: async (call_id, scope) => row(call_id, scope),
    turnsAfter: async (live_no, after, limit) => reader.all<LiveTurnRow>(LIVE.turnsAfter, live_no, after, limit),
    unscored: async (before, limit) => ids(reader.all(LIVE.unscored, before, limit)),
    idle: async (before, limit) => ids(reader.all(LIVE.idle, before, limit)),
  };
}

function ids(rows: { call_id: string }[]): string[] {
  return rows.map(({ call_id }) => call_id);
}

/** The writes that a request can ask for. */
export function makeLiveWrites(
  run: Run<"startLive" | "appendLive" | "endLive">,
  now: () => number,
): KeyedWrites["live"] {
  return {
    start: (call) => run("startLive", { call }, now()),
    append: (call_id, turns, limits) => run("appendLive", { call_id, turns, limits }, now()),
    end: ({ call_id, position, call, idle_before = null }) =>
      run("endLive", { call_id, position, row: call && toRow(call), idle_before }, now()),
  };
}

function listed(reader: LoopReader, scope: Scope, limit: number): StoredRow[] {
  if (scope.kind === "agent") return reader.all(LIVE.listOfAgent, scope.agent_id, limit);
  if (scope.kind === "team") return reader.all(LIVE.listOfTeam, scope.team, limit);
  return reader.all(LIVE.list, limit);
}

function parsed(stored: StoredRow): LiveCallRow {
  return {
    ...stored,
    state: JSON.parse(stored.state) as LiveCallRow["state"],
    alert_state: JSON.parse(stored.alert_state) as LiveCallRow["alert_state"],
    alerts: JSON.parse(stored.alerts) as LiveCallRow["alerts"],
  };
}

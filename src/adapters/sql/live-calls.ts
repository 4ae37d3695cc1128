/** Calls that go on, over commands and fixed statements. */
import type { Scope } from "../../core/call.ts";
import type { KeyedWrites } from "../../ports/idempotency.ts";
import type { LiveCallRow, LiveCalls, LiveTurnRow } from "../../ports/live-calls.ts";
import { toRow } from "./calls.ts";
import type { Reads, Run, Writes } from "./engine.ts";
import { LIVE } from "./statements-live.ts";

type Json = "state" | "alert_state" | "alerts";
type StoredRow = Omit<LiveCallRow, Json> & Readonly<Record<Json, string>>;
/** PostgreSQL's text holds no NUL: there the words are bytes. */
type StoredTurn = Omit<LiveTurnRow, "text"> & { readonly text: string | Buffer };

export function makeLiveCalls(deps: { writer: Writes; reader: Reads; now: () => number }): LiveCalls {
  const { writer, reader, now } = deps;
  const visible = async (agent_id: string, scope: Scope): Promise<boolean> => {
    if (scope.kind === "all") return true;
    if (scope.kind === "agent") return agent_id === scope.agent_id;
    return (await reader.get(LIVE.inTeam, agent_id, scope.team)) !== undefined;
  };
  const row = async (call_id: string, scope: Scope): Promise<LiveCallRow | null> => {
    const found = await reader.get<StoredRow>(LIVE.row, call_id);
    return found !== undefined && (await visible(found.agent_id, scope)) ? parsed(found) : null;
  };
  return {
    ...makeLiveWrites((...command) => writer.run(...command), now),
    saveScores: (scored) => writer.run("saveLive", { scored }, now()),
    list: async (scope, limit) => (await listed(reader, scope, limit)).map(parsed),
    async get(call_id, scope) {
      for (;;) {
        const found = await row(call_id, scope);
        if (found === null) return null;
        const turns = (await reader.all<StoredTurn>(LIVE.turns, found.live_no)).map(spoken);
        // What came between the two reads has a position that the row does not know.
        if (turns.every((turn) => turn.position <= found.position)) return { row: found, turns };
      }
    },
    row,
    turnsAfter: async (live_no, after, limit) =>
      (await reader.all<StoredTurn>(LIVE.turnsAfter, live_no, after, limit)).map(spoken),
    unscored: async (before, limit) => ids(await reader.all(LIVE.unscored, before, limit)),
    idle: async (before, limit) => ids(await reader.all(LIVE.idle, before, limit)),
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

async function listed(reader: Reads, scope: Scope, limit: number): Promise<StoredRow[]> {
  if (scope.kind === "agent") return reader.all(LIVE.listOfAgent, scope.agent_id, limit);
  if (scope.kind === "team") return reader.all(LIVE.listOfTeam, scope.team, limit);
  return reader.all(LIVE.list, limit);
}

function spoken(turn: StoredTurn): LiveTurnRow {
  return { ...turn, text: typeof turn.text === "string" ? turn.text : turn.text.toString("utf8") };
}

function parsed(stored: StoredRow): LiveCallRow {
  return {
    ...stored,
    state: JSON.parse(stored.state) as LiveCallRow["state"],
    alert_state: JSON.parse(stored.alert_state) as LiveCallRow["alert_state"],
    alerts: JSON.parse(stored.alerts) as LiveCallRow["alerts"],
  };
}

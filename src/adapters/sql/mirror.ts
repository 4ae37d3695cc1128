/** Mirror on SQLite. */
import type { Mirror, Standing } from "../../ports/replication.ts";
import type { SqlStatement } from "./commands.ts";
import type { LoopReader } from "./loop-reader.ts";
import { MIRROR, STANDING } from "./statements-mirror.ts";
import type { Writer } from "./writer.ts";

const PLACE = `SELECT value FROM bookmarks WHERE name = 'replica.place'`;

export function makeMirror(deps: {
  writer: Writer;
  reader: LoopReader;
  now: () => number;
  /** The log does not go on from where it was. */
  onRestart: () => void;
}): Mirror {
  const { writer, reader, now, onRestart } = deps;
  const place = () => reader.get<{ value: string }>(PLACE)?.value ?? null;
  return {
    place: async () => place(),
    foreign: async () => place() === null && reader.get<{ found: number }>(MIRROR.anything)?.found === 1,
    async apply(step) {
      await writer.run("mirror", { step }, now());
      if (step.restart !== undefined) onRestart();
    },
    async release() {
      const at = now();
      const work = { sql: MIRROR.workForAll, params: [at, at] };
      if (place() === null) return false;
      await writer.run("sql", { statements: [{ sql: MIRROR.dropPlace, params: [] }, work] }, at);
      return true;
    },
    async stand(standing) {
      const before = reader.all<{ call_no: number; call_id: string }>(MIRROR.dead);
      await writer.run("sql", { statements: statementsOf(standing) }, now());
      const dead = new Set(standing.dead.map(({ call_id }) => call_id));
      const changed = before.filter(({ call_id }) => !dead.has(call_id)).map(({ call_no }) => call_no);
      let whole = true;
      for (const call_id of dead) {
        const here = reader.get<{ call_no: number; state: string }>(MIRROR.byId, call_id);
        if (!here) whole = false;
        else if (here.state !== "dead") changed.push(here.call_no);
      }
      return { changed, whole };
    },
  };
}

function statementsOf({ accounts, teams, dead }: Standing): SqlStatement[] {
  return [
    { sql: STANDING.dropAccounts, params: [] },
    ...accounts.map(({ account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at }) => ({
      sql: STANDING.putAccount,
      params: [account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at],
    })),
    { sql: STANDING.dropTeams, params: [] },
    ...teams.map(({ agent_id, team }) => ({ sql: STANDING.putTeam, params: [agent_id, team] })),
    { sql: STANDING.dropWork, params: [] },
    // The list has the newest first, by a number that is given here anew.
    ...dead.toReversed().map(({ revision, attempts, at, error, call_id }) => ({
      sql: STANDING.putDead,
      params: [revision, attempts, at, at, error, call_id],
    })),
  ];
}

/** One SQLite file opened twice, as two processes have it. */
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import { openQuiet, temporary } from "./sqlite-store.ts";

export interface TwoStores {
  readonly stores: readonly [SqliteStore, SqliteStore];
  /** Puts an agent into a team. */
  setTeam(agent_id: string, team: string): void;
  close(): Promise<void>;
}

export async function twoStores(): Promise<TwoStores> {
  const { path, remove } = temporary();
  const stores = [await openQuiet(path), await openQuiet(path)] as const;
  return {
    stores,
    setTeam(agent_id, team) {
      const db = openForWriting(path);
      db.prepare("UPDATE agents SET team = ? WHERE agent_id = ?").run(team, agent_id);
      db.close();
    },
    async close() {
      for (const store of stores) await store.close();
      remove();
    },
  };
}

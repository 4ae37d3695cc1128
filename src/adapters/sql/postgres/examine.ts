/** Looking at a database without changing what is in it. */
import type { DatabaseState } from "../../../ports/copies.ts";
import { Database } from "./database.ts";
import { migrations, schemaVersion } from "./migrate.ts";

const FACTS = `SELECT (SELECT at FROM events ORDER BY seq DESC LIMIT 1) AS last_event_at,
  (SELECT count(*) FROM work WHERE state = 'dead') AS dead,
  (SELECT min(created_at) FROM work WHERE state = 'ready') AS oldest_work_at,
  (SELECT timezone FROM rollup_state) AS timezone`;

type Facts = Pick<DatabaseState, "last_event_at" | "dead" | "oldest_work_at" | "timezone">;

/** What can be said of the database at an address. Never rejects. */
export async function examinePostgres(url: string): Promise<DatabaseState> {
  const newest_schema = migrations().at(-1)?.version ?? 0;
  const nothing: Facts = { last_event_at: null, dead: 0, oldest_work_at: null, timezone: null };
  const state = { bytes: 0, log_bytes: 0, newest_schema, ...nothing };
  const db = new Database({ url, pool: 1 });
  try {
    const schema = await db.session(schemaVersion);
    const size = await db.get<{ bytes: number }>("SELECT pg_database_size(current_database()) AS bytes");
    // Tables of another schema may be others.
    const facts = schema === newest_schema ? await db.get<Facts>(FACTS) : nothing;
    return { ...state, bytes: size?.bytes ?? 0, schema, problem: null, ...facts };
  } catch (cause) {
    return { ...state, schema: null, problem: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    await db.close();
  }
}

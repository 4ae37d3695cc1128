import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openForReading } from "../../src/adapters/sql/connection.ts";
import { openSqlite } from "../../src/adapters/sql/open.ts";
import { accountsContract } from "./accounts.contract.ts";
import { jobsContract } from "./jobs.contract.ts";
import { relayContract } from "./relay.contract.ts";

const log = { info: () => undefined, warn: () => undefined };

async function open() {
  const folder = mkdtempSync(join(tmpdir(), "earshot-accounts-"));
  const path = join(folder, "calls.db");
  let at = 1_000_000;
  const store = await openSqlite({ path, timezone: "UTC", readers: 1, log, now: () => at });
  const other = await openSqlite({ path, timezone: "UTC", readers: 1, log, now: () => at });
  const db = openForReading(path);
  const team = db.prepare<[string], string | null>("SELECT team FROM agents WHERE agent_id = ?").pluck();
  return {
    accounts: store.accounts,
    jobs: store.jobs,
    others: other.jobs,
    setNow: (ms: number) => {
      at = ms;
    },
    teamOf: async (agent_id: string) => team.get(agent_id) ?? null,
    close: async () => {
      db.close();
      await other.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

accountsContract("sqlite", open);
jobsContract("sqlite", open);
relayContract("sqlite", open);

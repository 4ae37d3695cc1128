import { describe } from "vitest";
import { ask, freshDatabase } from "../support/postgres-server.ts";
import { openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { accountsContract } from "./accounts.contract.ts";
import { jobsContract } from "./jobs.contract.ts";
import { relayContract } from "./relay.contract.ts";

async function open() {
  const { url, drop } = await freshDatabase();
  let at = 1_000_000;
  const store = await openQuietPostgres(url, { now: () => at });
  const other = await openQuietPostgres(url, { now: () => at });
  return {
    accounts: store.accounts,
    jobs: store.jobs,
    others: other.jobs,
    setNow: (ms: number) => {
      at = ms;
    },
    async teamOf(agent_id: string) {
      const sql = "SELECT team FROM agents WHERE agent_id = $1";
      return (await ask<{ team: string | null }>(url, sql, [agent_id]))[0]?.team ?? null;
    },
    async close() {
      await other.close();
      await store.close();
      await drop();
    },
  };
}

describe.skipIf(requirement("postgres") === null)("with a server", () => {
  accountsContract("postgres", open);
  jobsContract("postgres", open);
  relayContract("postgres", open);
});

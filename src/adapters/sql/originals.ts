/** What a copy of this store needs that no other port shows; the same on both engines. */
import type { Account } from "../../ports/accounts.ts";
import type { Membership, Originals, StoredAccount } from "../../ports/replication.ts";
import type { Reads } from "./engine.ts";

const SQL = {
  after: `SELECT call_no, digest FROM call_records WHERE call_no > ? ORDER BY call_no LIMIT ?`,
  of: `SELECT call_no, digest FROM call_records WHERE call_no = ?`,
  accounts: `SELECT account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at FROM accounts
    ORDER BY created_at, account_id`,
  teams: `SELECT agent_id, team FROM agents WHERE team IS NOT NULL ORDER BY agent_id`,
} as const;

interface Digest {
  readonly call_no: number;
  readonly digest: Buffer;
}

const named = ({ call_no, digest }: Digest) => ({ call_no, digest: digest.toString("hex") });

export function makeOriginals(reader: Reads): Originals {
  return {
    after: async (call_no, limit) => (await reader.all<Digest>(SQL.after, call_no, limit)).map(named),
    async of(call_nos) {
      const found: Digest[] = [];
      for (const call_no of call_nos) found.push(...(await reader.all<Digest>(SQL.of, call_no)));
      return found.map(named);
    },
    accounts: async () => reader.all<Account & StoredAccount>(SQL.accounts),
    teams: async () => reader.all<Membership>(SQL.teams),
  };
}

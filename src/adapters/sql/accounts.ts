/** Accounts. */
import type { Account, Accounts } from "../../ports/accounts.ts";
import type { SqlStatement } from "./commands.ts";
import type { Reads, Writes } from "./engine.ts";

const COLUMNS = "account_id, kind, name, role, agent_id, team, created_at, revoked_at";

const SQL = {
  add: `INSERT INTO accounts (account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  /** Only if the account was added by the statement before. */
  join: `INSERT INTO agents (agent_id, team) SELECT agent_id, team FROM accounts WHERE account_id = ? AND secret = ?
    ON CONFLICT (agent_id) DO UPDATE SET team = excluded.team`,
  list: `SELECT ${COLUMNS} FROM accounts WHERE kind = ? ORDER BY created_at, account_id`,
  byKey: `SELECT ${COLUMNS} FROM accounts WHERE kind = 'key' AND secret = ? AND revoked_at IS NULL`,
  byUser: `SELECT ${COLUMNS}, secret FROM accounts WHERE kind = 'user' AND name = ? AND revoked_at IS NULL`,
  byId: `SELECT ${COLUMNS} FROM accounts WHERE account_id = ?`,
  revoke: `UPDATE accounts SET revoked_at = ? WHERE account_id = ? AND revoked_at IS NULL`,
  sweepOneUse: `DELETE FROM one_use WHERE expires_at <= ?`,
  putOneUse: `INSERT INTO one_use (sha256, account_id, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (sha256) DO UPDATE SET account_id = excluded.account_id, expires_at = excluded.expires_at`,
  takeOneUse: `DELETE FROM one_use WHERE sha256 = ? RETURNING account_id, expires_at`,
} as const;

/** Keys and logins that are revoked are not found by their secret; `byId` and `list` still show them. */
export function makeAccounts(deps: { writer: Writes; reader: Reads; now: () => number }): Accounts {
  const { writer, reader, now } = deps;
  const write = (...statements: SqlStatement[]) => writer.run("sql", { statements }, now());
  return {
    async add(account, secret) {
      const { account_id, kind, name, role, agent_id, team, created_at, revoked_at } = account;
      const statements: SqlStatement[] = [
        { sql: SQL.add, params: [account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at] },
      ];
      if (role === "agent" && agent_id !== null && team !== null) {
        statements.push({ sql: SQL.join, params: [account_id, secret] });
      }
      const [added] = await write(...statements);
      return added?.changes === 1;
    },
    list: async (kind) => reader.all<Account>(SQL.list, kind),
    byKeyHash: async (sha256) => (await reader.get<Account>(SQL.byKey, sha256)) ?? null,
    async byUserName(name) {
      const found = await reader.get<Account & { secret: string }>(SQL.byUser, name);
      if (found === undefined) return null;
      const { secret, ...account } = found;
      return { account, secret };
    },
    byId: async (account_id) => (await reader.get<Account>(SQL.byId, account_id)) ?? null,
    async revoke(account_id) {
      const [revoked] = await write({ sql: SQL.revoke, params: [now(), account_id] });
      return revoked?.changes === 1;
    },
    async putOneUse(sha256, account_id, expires_at) {
      await write(
        { sql: SQL.sweepOneUse, params: [now()] },
        { sql: SQL.putOneUse, params: [sha256, account_id, expires_at] },
      );
    },
    async takeOneUse(sha256) {
      const [taken] = await write({ sql: SQL.takeOneUse, params: [sha256] });
      const row = taken?.rows[0] as { account_id: string; expires_at: number } | undefined;
      return row !== undefined && row.expires_at > now() ? row.account_id : null;
    },
  };
}

export const ROLES = ["admin", "manager", "agent", "analyst"] as const;
export type Role = (typeof ROLES)[number];

export interface Account {
  readonly account_id: string;
  readonly kind: "key" | "user";
  /** A key's label or a user's login name; a login name is unique. */
  readonly name: string;
  readonly role: Role;
  readonly agent_id: string | null;
  readonly team: string | null;
  readonly created_at: number;
  readonly revoked_at: number | null;
}

export interface Accounts {
  /** `secret`: SHA-256 hex of a key, Argon2id string of a password. Returns false if a user of that name is there.
   *  An agent account with a team also puts its agent into the team. */
  add(account: Account, secret: string): Promise<boolean>;
  list(kind: "key" | "user"): Promise<Account[]>;
  /** Null for a revoked key; likewise byUserName. */
  byKeyHash(sha256: string): Promise<Account | null>;
  byUserName(name: string): Promise<{ account: Account; secret: string } | null>;
  byId(account_id: string): Promise<Account | null>;
  revoke(account_id: string): Promise<boolean>;
  /** Stores a one-use secret (sign-in link, socket ticket) under its SHA-256. */
  putOneUse(sha256: string, account_id: string, expires_at: number): Promise<void>;
  /** Takes it: the account id once, null ever after or when expired. */
  takeOneUse(sha256: string): Promise<string | null>;
}

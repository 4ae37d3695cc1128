/** Who asks: credentials -> Principal. Every answer depends on the account as the store has it now, never on what a
 *  token says it was; the account is read again after FRESH_MS, so that a revocation holds within seconds. While the store
 *  cannot be read an account is as it was seen last. */
import { SignJWT, errors as joseErrors, jwtVerify } from "jose";
import { randomUUID } from "node:crypto";
import type { Scope } from "../core/call.ts";
import { AppError } from "../errors.ts";
import type { Account, Accounts, Role } from "../ports/accounts.ts";
import { checkPassword, hashPassword, looksLikeKey, makeKey, makeToken, secretMatcher, sha256 } from "./credentials.ts";
import { LAST_GOOD_SECONDS } from "./last-good.ts";
import { createThrottle } from "./throttle.ts";

export interface AccessConfig {
  /** The first signs, all verify; a token names its secret by `kid`. */
  readonly jwtSecrets: readonly string[];
  /** An admin key from the settings; null: none. */
  readonly adminKey: string | null;
}

export interface AccessDeps {
  readonly accounts: Accounts;
  readonly config: AccessConfig;
  readonly now: () => number;
}

export interface Principal {
  readonly account_id: string;
  readonly name: string;
  readonly role: Role;
  readonly agent_id: string | null;
  readonly team: string | null;
  readonly scope: Scope;
  /** May see words of calls and customer ids. */
  readonly personal: boolean;
  /** Epoch ms at which these credentials end; null: when revoked. */
  readonly expires_at: number | null;
}

export interface Session {
  readonly token: string;
  readonly expires_in: number;
  readonly principal: Principal;
}

export type OneUse = "ticket" | "sign-in";

export interface Access {
  /** A key or JWT -> who it is; null when it is neither, expired, or revoked. */
  authenticate(credential: string): Promise<Principal | null>;
  /** The same account again, as it is now; null when it was revoked or has expired. */
  recheck(principal: Principal): Promise<Principal | null>;
  /** @throws AppError unauthorized, too_many_requests (ten wrong ones a minute for a user or an address) */
  login(input: { username: string; password: string; address: string }): Promise<Session>;
  /** Ends this token now in this process; it expires by itself everywhere. */
  logout(credential: string): void;
  /** A session from a one-use sign-in token. @throws AppError unauthorized, too_many_requests */
  signIn(input: { token: string; address: string }): Promise<Session>;
  /** A socket ticket: 30 s, one use. */
  ticket(principal: Principal): Promise<{ ticket: string; expires_in: number }>;
  redeemTicket(ticket: string): Promise<Principal | null>;
}

/** The account behind the key of the settings; no row of the store. */
export const BUILT_IN_ADMIN = "admin";

const ISSUER = "earshot";
const SESSION_SECONDS = 3_600;
const TICKET_SECONDS = 30;
const FRESH_MS = 1_500;
const CACHED = 10_000;
/** While the store cannot be read, an account is for so long as it was seen last: as long as there are last good answers. */
const REMEMBERED_MS = LAST_GOOD_SECONDS * 1000;

function scopeOf(account: Pick<Account, "role" | "agent_id" | "team">): Scope {
  // Without its agent or team an account sees nothing: ids and teams are never empty.
  if (account.role === "agent") return { kind: "agent", agent_id: account.agent_id ?? "" };
  if (account.role === "manager") return { kind: "team", team: account.team ?? "" };
  if (account.role === "analyst" && account.team !== null) return { kind: "team", team: account.team };
  return { kind: "all" };
}

function principalOf(account: Account, expiresAt: number | null): Principal {
  return {
    account_id: account.account_id,
    name: account.name,
    role: account.role,
    agent_id: account.agent_id,
    team: account.team,
    scope: scopeOf(account),
    personal: account.role !== "analyst",
    expires_at: expiresAt,
  };
}

/** An account, and when the store said so. */
interface Seen<A extends Account | null> {
  readonly account: A;
  readonly at: number;
}

function live(account: Account | null): Account | null {
  return account && account.revoked_at === null ? account : null;
}

function remember<V>(map: Map<string, V>, key: string, value: V): V {
  // The oldest goes first: insertion order is age, near enough for a cache of seconds.
  if (map.size >= CACHED) map.delete(map.keys().next().value as string);
  map.set(key, value);
  return value;
}

export function createAccess({ accounts, config, now }: AccessDeps): Access {
  const signers = config.jwtSecrets.map((secret) => ({
    kid: sha256(`kid:${secret}`).slice(0, 12),
    key: new TextEncoder().encode(secret),
  }));
  const builtIn: Account | null =
    config.adminKey === null
      ? null
      : {
          account_id: BUILT_IN_ADMIN,
          kind: "key",
          name: "admin",
          role: "admin",
          agent_id: null,
          team: null,
          created_at: 0,
          revoked_at: null,
        };
  const isAdminKey = config.adminKey === null ? () => false : secretMatcher(config.adminKey);
  const throttle = createThrottle({ name: "wrong-logins", limit: 10, window_ms: 60_000, now });
  /** By SHA-256 of the key; only keys that exist, so that guessing fills nothing. */
  const keys = new Map<string, Seen<Account>>();
  const byId = new Map<string, Seen<Account | null>>();
  /** Verified tokens by SHA-256: a signature need not be checked twice. */
  const tokens = new Map<string, { account_id: string; expires_at: number }>();
  const ended = new Map<string, number>();
  // Verified when there is no such user, so that the time does not tell.
  let decoy: Promise<string> | null = null;

  /** What the store says; while it cannot be read, what it said last, as old as that is. */
  async function asSeen<A extends Account | null>(
    known: Seen<A> | undefined,
    read: () => Promise<A>,
  ): Promise<Seen<A>> {
    try {
      return { account: await read(), at: now() };
    } catch (error) {
      const away = error instanceof AppError && error.code === "store_unavailable";
      if (!away || !known || now() - known.at > REMEMBERED_MS) throw error;
      return known;
    }
  }

  async function accountOf(id: string): Promise<Account | null> {
    if (id === BUILT_IN_ADMIN) return builtIn;
    const known = byId.get(id);
    if (known && Math.abs(now() - known.at) < FRESH_MS) return live(known.account);
    return live(remember(byId, id, await asSeen(known, () => accounts.byId(id))).account);
  }

  async function byKey(key: string): Promise<Principal | null> {
    const digest = sha256(key);
    const known = keys.get(digest);
    if (known && Math.abs(now() - known.at) < FRESH_MS) return principalOf(known.account, null);
    const { account, at }: Seen<Account | null> = await asSeen(known, () => accounts.byKeyHash(digest));
    if (account === null || live(account) === null) {
      keys.delete(digest);
      return null;
    }
    remember(keys, digest, { account, at });
    return principalOf(account, null);
  }

  async function byToken(token: string): Promise<Principal | null> {
    const digest = sha256(token);
    if ((ended.get(digest) ?? 0) > now()) return null;
    let claims = tokens.get(digest);
    if (!claims) {
      const verified = await verify(token);
      if (!verified) return null;
      claims = remember(tokens, digest, verified);
    }
    if (claims.expires_at <= now()) {
      tokens.delete(digest);
      return null;
    }
    const account = await accountOf(claims.account_id);
    return account && principalOf(account, claims.expires_at);
  }

  async function verify(token: string): Promise<{ account_id: string; expires_at: number } | null> {
    try {
      const { payload } = await jwtVerify(
        token,
        (header) => {
          const signer = signers.find((s) => s.kid === header.kid);
          if (!signer) throw new joseErrors.JWSInvalid("unknown kid");
          return signer.key;
        },
        {
          algorithms: ["HS256"],
          issuer: ISSUER,
          audience: ISSUER,
          typ: "JWT",
          requiredClaims: ["sub", "exp", "iat"],
          currentDate: new Date(now()),
        },
      );
      return { account_id: payload.sub as string, expires_at: (payload.exp as number) * 1000 };
    } catch (error) {
      if (error instanceof joseErrors.JOSEError) return null;
      throw error;
    }
  }

  async function session(account: Account): Promise<Session> {
    const signer = signers[0];
    if (!signer) throw new AppError("internal", "No secret to sign sessions with is set");
    const issued = Math.floor(now() / 1000);
    const token = await new SignJWT({ role: account.role, name: account.name })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: signer.kid })
      .setSubject(account.account_id)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(issued)
      .setExpirationTime(issued + SESSION_SECONDS)
      .setJti(randomUUID())
      .sign(signer.key);
    return {
      token,
      expires_in: SESSION_SECONDS,
      principal: principalOf(account, (issued + SESSION_SECONDS) * 1000),
    };
  }

  return {
    async authenticate(credential) {
      if (credential.length > 4_096) return null;
      if (builtIn !== null && isAdminKey(credential)) {
        return principalOf(builtIn, null);
      }
      if (looksLikeKey(credential)) return byKey(credential);
      return credential.includes(".") ? byToken(credential) : null;
    },

    async recheck(principal) {
      if (principal.expires_at !== null && principal.expires_at <= now()) return null;
      const account = await accountOf(principal.account_id);
      return account && principalOf(account, principal.expires_at);
    },

    async login({ username, password, address }) {
      const attempt = throttle.take([`user:${username}`, `address:${address}`]);
      const user = await accounts.byUserName(username);
      decoy ??= hashPassword(makeToken());
      const fits = await checkPassword(user?.secret ?? (await decoy), password);
      if (!user || !fits || live(user.account) === null) {
        throw new AppError("unauthorized", "The user name or the password is wrong");
      }
      attempt.refund();
      return session(user.account);
    },

    logout(credential) {
      const digest = sha256(credential);
      const known = tokens.get(digest);
      if (known) remember(ended, digest, known.expires_at);
      tokens.delete(digest);
    },

    async signIn({ token, address }) {
      const attempt = throttle.take([`address:${address}`]);
      const id = await accounts.takeOneUse(oneUseHash("sign-in", token));
      const account = id === null ? null : await accountOf(id);
      if (account === null) throw new AppError("unauthorized", "This sign-in link is wrong, used, or has expired");
      attempt.refund();
      return session(account);
    },

    async ticket(principal) {
      const ticket = await issueOneUse(
        { accounts, now },
        { account_id: principal.account_id, use: "ticket", ttl_ms: TICKET_SECONDS * 1000 },
      );
      return { ticket, expires_in: TICKET_SECONDS };
    },

    async redeemTicket(ticket) {
      const id = await accounts.takeOneUse(oneUseHash("ticket", ticket));
      const account = id === null ? null : await accountOf(id);
      return account && principalOf(account, null);
    },
  };
}

/** The use is part of the hash: a ticket is no sign-in link, and the other way round. */
function oneUseHash(use: OneUse, token: string): string {
  return sha256(`${use}:${token}`);
}

/** A one-use secret for an account (BUILT_IN_ADMIN for the admin of the settings); `sign-in` for `POST /auth/session`. */
export async function issueOneUse(
  { accounts, now }: Pick<AccessDeps, "accounts" | "now">,
  input: { account_id: string; use: OneUse; ttl_ms: number },
): Promise<string> {
  const token = makeToken();
  await accounts.putOneUse(oneUseHash(input.use, token), input.account_id, now() + input.ttl_ms);
  return token;
}

export interface NewAccount {
  readonly name: string;
  readonly role: Role;
  readonly agent_id: string | null;
  readonly team: string | null;
}

/** What is wrong with an account's fields in words; null if nothing. */
export function accountProblem(input: NewAccount): string | null {
  if (input.name.trim() === "") return "a name must not be empty";
  if (input.role === "agent" && !input.agent_id) return "an agent needs an agent id: it sees that agent's calls only";
  if (input.role === "manager" && !input.team) return "a manager needs a team: it sees that team's calls only";
  return null;
}

/** Makes an API key; `key` is shown this once, the store keeps its SHA-256. */
export async function addKey(
  { accounts, now }: Pick<AccessDeps, "accounts" | "now">,
  input: NewAccount,
): Promise<{ key: string; account: Account }> {
  const { key, account_id } = makeKey();
  const account: Account = { ...input, account_id, kind: "key", created_at: now(), revoked_at: null };
  await accounts.add(account, sha256(key));
  return { key, account };
}

/** Makes a user who signs in with a password; null if the name is taken. */
export async function addUser(
  { accounts, now }: Pick<AccessDeps, "accounts" | "now">,
  input: NewAccount & { password: string },
): Promise<Account | null> {
  const { password, ...fields } = input;
  const account: Account = {
    ...fields,
    account_id: `user_${randomUUID()}`,
    kind: "user",
    created_at: now(),
    revoked_at: null,
  };
  return (await accounts.add(account, await hashPassword(password))) ? account : null;
}

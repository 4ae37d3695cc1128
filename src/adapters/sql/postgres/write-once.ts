/**
 * Commands under a request key: what came of them is kept beside what they wrote, in the same transaction. A key is
 * claimed before anything is written: whoever sends the same at the same moment waits for the one that claimed it.
 */
import type { RequestKey } from "../../../ports/idempotency.ts";
import { pack, unpack } from "../codec.ts";
import type { KeyedName, Input, OnceAnswer } from "../commands.ts";
import { KEEP, KEPT_MS } from "../write-once.ts";
import type { Write } from "./write.ts";

export interface Claim {
  readonly key: RequestKey;
  readonly now: number;
}

/** In one order for everybody who claims several. Over a row that has expired and was not pruned yet. */
const CLAIM = `INSERT INTO idempotency_keys (account_id, key, fingerprint, outcome, expires_at)
  SELECT account_id, key, fingerprint, '', now + ${KEPT_MS}
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS k(account_id, key, fingerprint, now)
  ORDER BY account_id COLLATE "C", key COLLATE "C"
  ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, outcome = '', expires_at = excluded.expires_at
    WHERE idempotency_keys.expires_at <= excluded.expires_at - ${KEPT_MS}
  RETURNING account_id, key`;
const FIND = `SELECT i.account_id, i.key, i.fingerprint, i.outcome FROM idempotency_keys AS i
  JOIN unnest($1::text[], $2::text[]) AS k(account_id, key) ON k.account_id = i.account_id AND k.key = i.key`;
const KEEP_OUTCOMES = `UPDATE idempotency_keys AS i SET outcome = k.outcome
  FROM unnest($1::text[], $2::text[], $3::bytea[]) AS k(account_id, key, outcome)
  WHERE k.account_id = i.account_id AND k.key = i.key`;
const GIVE_UP = `DELETE FROM idempotency_keys AS i USING unnest($1::text[], $2::text[]) AS k(account_id, key)
  WHERE k.account_id = i.account_id AND k.key = i.key`;
const PRUNE = `DELETE FROM idempotency_keys WHERE (account_id, key) IN
  (SELECT account_id, key FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`;

/** One text for a key of an account. */
export const nameOf = ({ account_id, key }: Pick<RequestKey, "account_id" | "key">): string =>
  JSON.stringify([account_id, key]);

type Known = OnceAnswer<unknown>;

/** Claims keys, each of them once; those that stand for something already are answered, by nameOf. */
export async function claimKeys(write: Write, claims: readonly Claim[]): Promise<Map<string, Known>> {
  if (claims.length === 0) return new Map();
  const claimed = await write.all<{ account_id: string; key: string }>(
    CLAIM,
    claims.map(({ key }) => key.account_id),
    claims.map(({ key }) => key.key),
    claims.map(({ key }) => key.fingerprint),
    claims.map(({ now }) => now),
  );
  const ours = new Set(claimed.map(nameOf));
  const others = claims.filter(({ key }) => !ours.has(nameOf(key)));
  if (others.length === 0) return new Map();
  const rows = await write.all<{ account_id: string; key: string; fingerprint: string; outcome: Buffer }>(
    FIND,
    others.map(({ key }) => key.account_id),
    others.map(({ key }) => key.key),
  );
  const known = new Map(rows.map((row) => [nameOf(row), row]));
  return new Map(
    others.map(({ key }): [string, Known] => {
      const row = known.get(nameOf(key));
      if (!row) throw new Error("a request key went while it was read");
      if (row.fingerprint !== key.fingerprint) return [nameOf(key), { status: "other_request" }];
      return [nameOf(key), { status: "done", replayed: true, value: JSON.parse(unpack(row.outcome)) as unknown }];
    }),
  );
}

export interface Outcome {
  readonly key: RequestKey;
  readonly name: KeyedName;
  readonly input: unknown;
  readonly value: unknown;
}

/** Keeps what came of the commands; a key of one that wrote nothing is given up, so that it can be tried again. */
export async function keepOutcomes(write: Write, outcomes: readonly Outcome[]): Promise<void> {
  const kept: { key: RequestKey; outcome: Buffer }[] = [];
  const nothing: RequestKey[] = [];
  for (const { key, name, input, value } of outcomes) {
    const keep = KEEP[name] as (input: unknown, output: unknown) => unknown;
    const outcome = keep(input, value);
    if (outcome === null) nothing.push(key);
    else kept.push({ key, outcome: pack(JSON.stringify(outcome)) });
  }
  if (kept.length > 0) {
    await write.run(
      KEEP_OUTCOMES,
      kept.map(({ key }) => key.account_id),
      kept.map(({ key }) => key.key),
      kept.map(({ outcome }) => outcome),
    );
  }
  if (nothing.length > 0) {
    await write.run(
      GIVE_UP,
      nothing.map((key) => key.account_id),
      nothing.map((key) => key.key),
    );
  }
}

/** Runs one command unless its key has been used: then answers what was kept, or that it stands for another request. */
export async function once(
  write: Write,
  command: { readonly name: KeyedName; readonly input: Input<KeyedName>; readonly key: RequestKey },
  run: () => Promise<unknown>,
): Promise<OnceAnswer<unknown>> {
  const { key, name, input } = command;
  const [known] = (await claimKeys(write, [{ key, now: input.now }])).values();
  if (known) return known;
  const value = await run();
  await keepOutcomes(write, [{ key, name, input, value }]);
  return { status: "done", replayed: false, value };
}

/** Forgets keys that have expired, at most `limit`; the number forgotten. */
export function pruneKeys(write: Write, { limit, now }: Input<"pruneKeys">): Promise<number> {
  return write.run(PRUNE, now, limit);
}

/** Commands under a request key: what came of them is kept beside what they wrote, in the same transaction. */
import type { RequestKey } from "../../ports/idempotency.ts";
import { pack, unpack } from "./codec.ts";
import type { CommandName, Commands, Input, KeyedName, OnceAnswer } from "./commands.ts";
import type { WriteContext } from "./write-context.ts";

/** How long a repeat is answered as the first request was; after that its key is unknown. */
export const KEPT_MS = 24 * 3_600_000;

const SQL = {
  find: `SELECT fingerprint, outcome FROM idempotency_keys WHERE account_id = ? AND key = ? AND expires_at > ?`,
  // Over a row that has expired and was not pruned yet.
  keep: `INSERT INTO idempotency_keys (account_id, key, fingerprint, outcome, expires_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, outcome = excluded.outcome,
      expires_at = excluded.expires_at`,
  prune: `DELETE FROM idempotency_keys WHERE rowid IN
    (SELECT rowid FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
} as const;

type Keep = { [K in KeyedName]: (input: Commands[K]["in"], output: Commands[K]["out"]) => Commands[K]["out"] | null };

/** What is kept of an answer; null: nothing, so that the request can be tried again. */
export const KEEP: Keep = {
  // The ids too: those that were made here are made anew by a repeat.
  accept: ({ rows }, results) =>
    results.some(({ status }) => status === "accepted" || status === "replayed")
      ? results.map((result, i) => Object.assign({ call_id: rows[i]?.call_id }, result))
      : null,
  replace: (_input, result) => (result.status === "conflict" ? null : result),
  reprocess: (_input, found) => found,
  remove: (_input, erased) => (erased ? true : null),
  // With the last step: until then a repeat does the rest.
  redrive: (_input, step) => (step.after === null ? step : null),
  beginJob: (_input, job) => job,
  startLive: ({ call }, result) =>
    result.status === "conflict" ? null : Object.assign({ call_id: call.call_id }, result),
  appendLive: (_input, result) => (result.status === "appended" ? result : null),
  endLive: (_input, result) => (result.status === "moved" || result.status === "not_found" ? null : result),
};

/** Runs the command unless its key has been used: then answers what was kept, or that it stands for another request. */
export function once<K extends CommandName>(
  context: WriteContext,
  command: { readonly name: K; readonly input: Input<K>; readonly key: RequestKey },
  run: () => unknown,
): OnceAnswer<unknown> {
  const { account_id, key, fingerprint } = command.key;
  const { now } = command.input;
  const known = context.get<{ fingerprint: string; outcome: Buffer }>(SQL.find, account_id, key, now);
  if (known) {
    if (known.fingerprint !== fingerprint) return { status: "other_request" };
    return { status: "done", replayed: true, value: JSON.parse(unpack(known.outcome)) as unknown };
  }
  const value = run();
  const keep = KEEP[command.name as KeyedName] as (input: unknown, output: unknown) => unknown;
  const kept = keep(command.input, value);
  if (kept !== null) context.run(SQL.keep, account_id, key, fingerprint, pack(JSON.stringify(kept)), now + KEPT_MS);
  return { status: "done", replayed: false, value };
}

/** Forgets keys that have expired, at most `limit`; the number forgotten. */
export function pruneKeys(context: WriteContext, { limit, now }: Input<"pruneKeys">): number {
  return context.run(SQL.prune, now, limit);
}

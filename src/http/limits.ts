/** Rate limits: of an account for all it asks, of an address for what it asks without valid credentials. */
import type { FastifyReply } from "fastify";
import { crc32 } from "node:zlib";
import { isIPv6 } from "node:net";
import type { RateLimit } from "../ports/rate-limit.ts";
import { limitMet } from "../services/throttle.ts";

export interface RateLimits {
  /** null: no limit. */
  readonly account: RateLimit | null;
  readonly address: RateLimit | null;
}

/** Addresses are counted in so many places, so that no number of them fills the memory. */
const PLACES = 65_536;

/** Counts one request of the account, or one message of a socket that asks as much. @throws AppError too_many_requests */
export async function takeAccount(
  account: RateLimit,
  account_id: string,
): Promise<{ remaining: number; wait: number }> {
  const { limit, window_s } = account;
  const { allowed, remaining, reset_ms } = await account.take(account_id);
  const wait = Math.ceil(reset_ms / 1000);
  if (!allowed) {
    throw limitMet(
      { name: "default", limit, window_s },
      { what: "requests of this account", wait_s: wait, advice: "Bulk and import send many calls in one request." },
    );
  }
  return { remaining, wait };
}

/** The same, and says in the headers what is left. @throws AppError too_many_requests */
export async function countAccount(account: RateLimit, account_id: string, reply: FastifyReply): Promise<void> {
  const { limit, window_s } = account;
  const { remaining, wait } = await takeAccount(account, account_id);
  void reply.header("ratelimit-policy", `"default";q=${limit};w=${window_s}`);
  void reply.header("ratelimit", `"default";r=${remaining};t=${wait}`);
}

/**
 * Counts one request without valid credentials. Who has valid ones is never asked for this, so that a neighbour behind
 * the same address cannot lock anybody out. @throws AppError too_many_requests
 */
export async function countStranger({ address }: RateLimits, from: string): Promise<void> {
  if (address === null) return;
  const { limit, window_s } = address;
  const { allowed, reset_ms } = await address.take(String(crc32(networkOf(from)) % PLACES));
  if (allowed) return;
  const what = "requests without valid credentials from this address";
  throw limitMet({ name: "address", limit, window_s }, { what, wait_s: Math.ceil(reset_ms / 1000) });
}

/** An IPv4 address, or the first half of an IPv6 one: the other half is the customer's own to choose. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [left = "", right] = address.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const gap = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: gap }, () => "0"), ...tail].slice(0, 4).join(":");
}

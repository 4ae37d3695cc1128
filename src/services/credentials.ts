/** Secrets: how API keys, one-use tokens and passwords look, and how they are checked. Nothing is kept in clear. */
import { hash as argon2Hash, verify as argon2Verify } from "@node-rs/argon2";
import { hash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX = 8;
const SECRET = 32;
const CHECKSUM = 6;
const KEY = new RegExp(`^ek_[0-9A-Za-z]{${PREFIX + SECRET + CHECKSUM}}$`);

/** Lower-case hex, as the store keeps it. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

function letters(n: number): string {
  let out = "";
  for (let i = 0; i < n; i++) out += ALPHABET[randomInt(ALPHABET.length)];
  return out;
}

function checksum(text: string): string {
  let n = crc32(text);
  let out = "";
  for (let i = 0; i < CHECKSUM; i++) {
    out = `${ALPHABET[n % ALPHABET.length]}${out}`;
    n = Math.floor(n / ALPHABET.length);
  }
  return out;
}

/** A new key, `ek_` + prefix (names its account) + 190 bits of secret + checksum (tells a typing error from a wrong key). */
export function makeKey(): { key: string; account_id: string } {
  const prefix = letters(PREFIX);
  const body = prefix + letters(SECRET);
  return { key: `ek_${body}${checksum(body)}`, account_id: `key_${prefix}` };
}

/** True if the text has the form and checksum of a key; says nothing about whether it is one. */
export function looksLikeKey(text: string): boolean {
  if (!KEY.test(text)) return false;
  const body = text.slice(3, -CHECKSUM);
  return text.endsWith(checksum(body));
}

/** 256 bits, URL-safe. */
export function makeToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Secrets are compared in blocks of so many bytes: of the length no more shows in the time. */
const BLOCK = 256;

/**
 * Whether a secret is the given one. Both are compared as a whole, filled up with zeros, so that the content does not show in
 * the time. Digests would do the same; made for every request they were 3 % of the time of a call by id.
 */
export function secretMatcher(secret: string): (given: string) => boolean {
  const length = Buffer.byteLength(secret);
  const expected = Buffer.alloc(BLOCK * Math.ceil(length / BLOCK));
  expected.write(secret);
  const room = Buffer.alloc(expected.length);
  return (given) => {
    // Over the whole width, so that nothing is left of what was given before.
    room.fill(0, room.write(given));
    const same = timingSafeEqual(room, expected);
    return same && Buffer.byteLength(given) === length;
  };
}

/** Argon2id with 19 MiB, 2 passes, 1 lane (OWASP's first choice); takes some 30 ms off the event loop. */
export function hashPassword(password: string): Promise<string> {
  return argon2Hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
}

export async function checkPassword(stored: string, password: string): Promise<boolean> {
  try {
    return await argon2Verify(stored, password);
  } catch {
    // Not an Argon2 string: no password fits it.
    return false;
  }
}

/** The body of a bulk -> calls that can be stored, and what is wrong with the others. */
import { deflateSync } from "node:zlib";
import type { PackedCall } from "../core/call.ts";
import type { FieldError } from "../errors.ts";
import { AppError, invalid } from "../errors.ts";
import { isId, type Normalized, normalizeCall } from "./accept.ts";
import { parseJson } from "./parse-json.ts";

export const MAX_BULK_CALLS = 1_000;
/** Half the time of the usual level, for a twentieth more bytes. A usual call's text fits in one piece. */
const PACKING = { level: 3, chunkSize: 4_096 } as const;

export interface Rejected {
  readonly index: number;
  readonly call_id: string | null;
  readonly status: "rejected";
  readonly errors: readonly FieldError[];
}

export interface CheckedBulk {
  readonly good: readonly { readonly index: number; readonly call: PackedCall }[];
  readonly rejected: readonly Rejected[];
}

/**
 * Each call is checked by itself; pointers of its errors start at the body ("/calls/3/start_time"). The packed texts
 * are views of one piece of memory, which crosses threads in one go. `now`: epoch ms, for calls without start_time.
 * @throws AppError malformed, validation (the body is no list of 1 to 1,000 calls)
 */
export function checkBulk(body: Buffer, now: number): CheckedBulk {
  const items = bulkItems(parseJson(body));
  return checkEach(items.length, now, (index) => ({ item: items[index], at: `/calls/${index}` }));
}

/** Likewise calls that come each by itself: one that is no JSON is rejected alone, and pointers start at the call. */
export function checkMessages(bodies: readonly Uint8Array[], now: number): CheckedBulk {
  return checkEach(bodies.length, now, (index) => {
    const body = bodies[index] as Uint8Array;
    return { item: parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength)), at: "" };
  });
}

function checkEach(count: number, now: number, read: (index: number) => { item: unknown; at: string }): CheckedBulk {
  const rejected: Rejected[] = [];
  const good: { index: number; call: Omit<PackedCall, "turns_zlib">; packed: Buffer }[] = [];
  for (let index = 0; index < count; index++) {
    const { item, at, unreadable } = readable(() => read(index));
    const normalized = unreadable ?? normalizeCall(item, { now });
    if (normalized.ok) {
      const { turns: _, turns_text, ...call } = normalized.call;
      good.push({ index, call, packed: deflateSync(turns_text, PACKING) });
    } else {
      const errors = normalized.errors.map((e) => Object.assign({}, e, { pointer: `${at}${e.pointer}` }));
      rejected.push({ index, call_id: givenId(item), status: "rejected", errors });
    }
  }
  const memory = new Uint8Array(good.reduce((sum, { packed }) => sum + packed.length, 0));
  let end = 0;
  return {
    good: good.map(({ index, call, packed }) => {
      memory.set(packed, end);
      end += packed.length;
      return { index, call: { ...call, turns_zlib: memory.subarray(end - packed.length, end) } };
    }),
    rejected,
  };
}

interface Readable {
  readonly item: unknown;
  readonly at: string;
  readonly unreadable?: Extract<Normalized, { ok: false }>;
}

function readable(read: () => Readable): Readable {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const said = { pointer: "", message: error.message, expected: "a call as JSON", received: "something else" };
    return { item: null, at: "", unreadable: { ok: false, errors: [said] } };
  }
}

function givenId(item: unknown): string | null {
  const value = typeof item === "object" && item !== null ? (item as { call_id?: unknown }).call_id : null;
  return typeof value === "string" && isId(value) ? value : null;
}

function bulkItems(body: unknown): readonly unknown[] {
  const errors: FieldError[] = [];
  const given = typeof body === "object" && body !== null && !Array.isArray(body) ? body : {};
  const calls = Object.hasOwn(given, "calls") ? (given as { calls: unknown }).calls : undefined;
  for (const name of Object.keys(given).slice(0, 100)) {
    if (name !== "calls")
      errors.push({
        pointer: `/${name.slice(0, 100)}`,
        message: "unknown field",
        expected: "calls",
        received: "another field",
      });
  }
  if (!Array.isArray(calls)) {
    errors.push({
      pointer: "/calls",
      message: calls === undefined ? "is missing" : "must be a list of calls",
      expected: `1 to ${MAX_BULK_CALLS} calls`,
      received: calls === undefined ? "nothing" : typeof calls,
    });
  } else if (calls.length === 0 || calls.length > MAX_BULK_CALLS) {
    errors.push({
      pointer: "/calls",
      message: calls.length === 0 ? "is empty" : "has too many calls",
      expected: `1 to ${MAX_BULK_CALLS} calls`,
      received: String(calls.length),
    });
  }
  if (errors.length > 0) throw invalid(errors);
  return calls as readonly unknown[];
}

/**
 * Rows as they go over the wire, in COPY's binary format, and as they are compared. A digest is made of the values of a row
 * and not of what is sent, so that an error in sending is found out; the target counts it by itself (`digestSql`).
 */
import { hash } from "node:crypto";
import type { TableSum } from "../../../ports/move.ts";
import type { ColumnType, MovedTable } from "./tables.ts";

/** Hashes of a turn with their places, in the order of the hashes. */
export type Words = readonly (readonly [hash: string, places: readonly number[]])[];
export type MovedValue = string | number | bigint | boolean | Uint8Array | Words | null;

/** "PGCOPY", flags, no extension. */
const HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const TRAILER = Buffer.from("ffff", "hex");
/** Between values, and in place of NULL: no value holds them but by chance, and a digest need not be read back. */
const SEPARATOR = "\x1f";
const NOTHING = "\x1e";
const START_BYTES = 256 * 1024;
const FLOAT = Buffer.alloc(8);

/** Text cannot hold NUL there: written as the store itself writes it. */
const clean = (text: string): string => (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text);

/** Rows of one table, encoded one by one. */
export class CopyRows {
  readonly #types: readonly ColumnType[];
  #buffer = Buffer.allocUnsafe(START_BYTES);
  #at: number;
  #rows = 0;
  #sum = 0n;

  constructor({ columns }: MovedTable) {
    this.#types = columns.map(([, type]) => type);
    this.#at = HEADER.copy(this.#buffer);
  }

  add(values: readonly MovedValue[]): void {
    this.#room(2);
    this.#at = this.#buffer.writeInt16BE(values.length, this.#at);
    let text = "";
    for (const [i, type] of this.#types.entries()) {
      const value = values[i] ?? null;
      if (i > 0) text += SEPARATOR;
      text += value === null ? NOTHING : canonical(type, value);
      if (value === null) this.#int32(-1);
      else this.#value(type, value);
    }
    this.#rows++;
    this.#sum += hash("sha256", text, "buffer").readBigInt64BE(0);
  }

  get sum(): TableSum {
    return { rows: this.#rows, sum: this.#sum };
  }

  /** All of it, to be sent. */
  end(): Buffer {
    this.#room(TRAILER.length);
    this.#at += TRAILER.copy(this.#buffer, this.#at);
    return this.#buffer.subarray(0, this.#at);
  }

  #value(type: ColumnType, value: NonNullable<MovedValue>): void {
    switch (type) {
      case "int4":
        this.#int32(4);
        return this.#int32(value as number);
      case "int8":
        this.#int32(8);
        this.#room(8);
        this.#at = this.#buffer.writeBigInt64BE(BigInt(value as number | bigint), this.#at);
        return;
      case "float8":
        this.#int32(8);
        this.#room(8);
        this.#at = this.#buffer.writeDoubleBE(value as number, this.#at);
        return;
      case "bool":
        this.#int32(1);
        this.#room(1);
        this.#at = this.#buffer.writeUInt8(value === true ? 1 : 0, this.#at);
        return;
      case "text":
        return this.#text(clean(value as string));
      case "bytea":
        return this.#bytes(value as Uint8Array);
      case "words":
        return this.#words(value as Words);
    }
  }

  #int32(value: number): void {
    this.#room(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  #text(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#int32(bytes);
    this.#room(bytes);
    this.#at += this.#buffer.write(text, this.#at);
  }

  #bytes(bytes: Uint8Array): void {
    this.#int32(bytes.byteLength);
    this.#room(bytes.byteLength);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** As tsvectorrecv reads it: how many, and each hash, ended by a zero, with its places. */
  #words(words: Words): void {
    let bytes = 4;
    for (const [text, places] of words) bytes += Buffer.byteLength(text) + 1 + 2 + 2 * places.length;
    this.#int32(bytes);
    this.#int32(words.length);
    this.#room(bytes);
    for (const [text, places] of words) {
      this.#at += this.#buffer.write(text, this.#at);
      this.#at = this.#buffer.writeUInt8(0, this.#at);
      this.#at = this.#buffer.writeUInt16BE(places.length, this.#at);
      for (const place of places) this.#at = this.#buffer.writeUInt16BE(place, this.#at);
    }
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const wider = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes));
    this.#buffer.copy(wider, 0, 0, this.#at);
    this.#buffer = wider;
  }
}

/** A value as both sides write it for the digest. */
function canonical(type: ColumnType, value: NonNullable<MovedValue>): string {
  switch (type) {
    case "int4":
    case "int8":
    case "bool":
      return value.toString();
    case "float8":
      FLOAT.writeDoubleBE(value as number);
      return FLOAT.toString("hex");
    case "text":
      return clean(value as string);
    case "bytea":
      return hash("sha256", value as Uint8Array, "hex");
    case "words":
      return (value as Words).map(([text, places]) => `'${text}':${places.join(",")}`).join(" ");
  }
}

function canonicalSql(column: string, type: ColumnType): string {
  switch (type) {
    case "float8":
      return `encode(float8send("${column}"), 'hex')`;
    case "bytea":
      return `encode(sha256("${column}"), 'hex')`;
    case "int4":
    case "int8":
    case "bool":
    case "text":
    case "words":
      return `"${column}"::text`;
  }
}

/** The digest of a row as PostgreSQL counts it: the first 64 bits of SHA-256, signed. */
export function digestSql({ columns }: MovedTable): string {
  const values = columns.map(([name, type]) => `coalesce(${canonicalSql(name, type)}, chr(30))`);
  const text = values.join(" || chr(31) || ");
  return `('x' || encode(substring(sha256(convert_to(${text}, 'UTF8')) FROM 1 FOR 8), 'hex'))::bit(64)::bigint`;
}

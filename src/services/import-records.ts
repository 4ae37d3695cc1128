/**
 * A byte stream cut into lines (NDJSON) or CSV records, wherever its chunks begin and end. Memory stays near the
 * largest record allowed; what is longer is passed over and reported, never held.
 */
import { isUtf8 } from "node:buffer";

export const MAX_RECORD_BYTES = 2 * 1024 * 1024;

/** One record, or why there is none. Lines count from 1; `end` is the offset of the byte behind it. */
export type Piece = {
  readonly line: number;
  readonly end: number;
  /** The line number behind it. */
  readonly nextLine: number;
} & (
  | { readonly ok: true; readonly text: string; readonly bytes: number }
  | { readonly ok: false; readonly message: string; readonly bytes: number }
);

export interface CutOptions {
  /** Whether a quoted CSV field may hold line breaks. */
  readonly quotes: boolean;
  /** Where the source begins, for resumed files. */
  readonly from?: { readonly bytes: number; readonly line: number };
  readonly maxBytes?: number;
}

const LF = 10;
const CR = 13;
const QUOTE = 34;
const COMMA = 44;
const BOM = "\uFEFF";

const UNCLOSED = "has a quoted field that never ends (a quote inside a quoted field is written twice)";
const AFTER_QUOTE = "has text behind the closing quote of a field (a quote inside a quoted field is written twice)";

/** Empty lines are left out. Rejects only when the source does. */
export async function* cutRecords(source: AsyncIterable<Uint8Array>, options: CutOptions): AsyncGenerator<Piece> {
  const cutter = new Cutter(options);
  for await (const chunk of source) {
    cutter.add(chunk);
    yield* cutter.pieces(false);
  }
  yield* cutter.pieces(true);
}

/** What came and is not yet handed out, with the place of the scan in it: chunks are scanned once. */
class Cutter {
  readonly #quotes: boolean;
  readonly #max: number;
  #buffer = Buffer.allocUnsafe(64 * 1024);
  /** The record under way starts here, its data ends there. */
  #start = 0;
  #stop = 0;
  #scan = 0;
  #offset: number;
  #line: number;
  /** Line breaks seen inside the record. */
  #breaks = 0;
  #quoted = false;
  /** A quote opens a field only here. */
  #fieldStart = true;
  /** Passing over the rest of a line that was given up, for this reason; so many of its bytes are gone already. */
  #skipping: string | null = null;
  #skipped = 0;

  constructor(options: CutOptions) {
    this.#quotes = options.quotes;
    this.#max = options.maxBytes ?? MAX_RECORD_BYTES;
    this.#offset = options.from?.bytes ?? 0;
    this.#line = options.from?.line ?? 1;
  }

  add(chunk: Uint8Array): void {
    if (this.#stop + chunk.length > this.#buffer.length) {
      const held = this.#stop - this.#start;
      const room = held + chunk.length;
      // Doubling keeps the copying linear however small the chunks are.
      const target = room * 2 > this.#buffer.length ? Buffer.allocUnsafe(room * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#stop);
      this.#buffer = target;
      this.#scan -= this.#start;
      this.#start = 0;
      this.#stop = held;
    }
    this.#buffer.set(chunk, this.#stop);
    this.#stop += chunk.length;
  }

  *pieces(ended: boolean): Generator<Piece> {
    for (;;) {
      const found = this.#quotes && this.#skipping === null ? this.#scanCsv(ended) : this.#scanLine();
      if (found === "end") {
        const piece = this.#take(this.#scan);
        if (piece !== null) yield piece;
      } else if (found !== "more" || (ended && this.#quoted && this.#skipping === null)) {
        const piece = this.#giveUp(found === "too long" ? this.#tooLong() : found === "more" ? UNCLOSED : AFTER_QUOTE);
        if (piece !== null) yield piece;
      } else if (ended) {
        const piece = this.#start < this.#stop || this.#skipping ? this.#take(this.#stop) : null;
        if (piece !== null) yield piece;
        return;
      } else {
        if (this.#skipping !== null) {
          this.#skipped += this.#scan - this.#start;
          this.#offset += this.#scan - this.#start;
          this.#start = this.#scan;
        }
        return;
      }
    }
  }

  /** "end": #scan stands behind the record's line break. */
  #scanLine(): "end" | "more" | "too long" {
    const at = this.#buffer.subarray(0, this.#stop).indexOf(LF, this.#scan);
    this.#scan = at < 0 ? this.#stop : at + 1;
    if (this.#skipping === null && this.#scan - this.#start > this.#max) return "too long";
    if (at < 0) return "more";
    this.#breaks++;
    return "end";
  }

  #scanCsv(ended: boolean): "end" | "more" | "too long" | "text behind quote" {
    const data = this.#buffer;
    while (this.#scan < this.#stop) {
      if (this.#scan - this.#start >= this.#max) return "too long";
      const byte = data[this.#scan] as number;
      if (this.#quoted) {
        if (byte === LF) this.#breaks++;
        if (byte === QUOTE) {
          const next = this.#scan + 1 < this.#stop ? (data[this.#scan + 1] as number) : -1;
          if (next === -1 && !ended) return "more";
          if (next === QUOTE) this.#scan++;
          else if (next === COMMA || next === LF || next === CR || next === -1) this.#quoted = false;
          else return "text behind quote";
        }
      } else if (byte === LF) {
        this.#breaks++;
        this.#scan++;
        this.#fieldStart = true;
        return "end";
      } else if (byte === QUOTE && this.#fieldStart) {
        this.#quoted = true;
        this.#fieldStart = false;
      } else {
        // A byte order mark before the first field does not hide its quote.
        this.#fieldStart = byte === COMMA || (this.#offset === 0 && this.#scan - this.#start < 3 && byte >= 0xbb);
      }
      this.#scan++;
    }
    return "more";
  }

  /** Hands out [start, to) as a record and moves on; null for an empty line. */
  #take(to: number): Piece | null {
    const raw = this.#buffer.subarray(this.#start, to);
    const reason = this.#skipping;
    const first = this.#offset === 0;
    const where = this.#pass(to);
    if (reason !== null) return { ...where, ok: false, message: reason };
    if (!isUtf8(raw)) return { ...where, ok: false, message: "is not valid UTF-8" };
    let text = raw.toString("utf8");
    if (first && text.startsWith(BOM)) text = text.slice(1);
    text = text.replace(/\r?\n$/, "").replace(/\r$/, "");
    return text.trim() === "" ? null : { ...where, ok: true, text };
  }

  /** Moves on to `to`; where it has been. */
  #pass(to: number): { line: number; end: number; nextLine: number; bytes: number } {
    const line = this.#line;
    const bytes = to - this.#start + this.#skipped;
    this.#offset += to - this.#start;
    // The last line of a file need not end in a line break.
    this.#line += this.#breaks + (to > 0 && this.#buffer[to - 1] === LF && this.#breaks > 0 ? 0 : 1);
    this.#start = to;
    this.#scan = to;
    this.#breaks = 0;
    this.#quoted = false;
    this.#fieldStart = true;
    this.#skipping = null;
    this.#skipped = 0;
    return { line, end: this.#offset, nextLine: this.#line, bytes };
  }

  /** Gives the first line of the record up and goes on with the next: one bad quote costs one line. */
  #giveUp(message: string): Piece | null {
    this.#skipping = message;
    this.#quoted = false;
    this.#breaks = 0;
    const at = this.#buffer.subarray(0, this.#stop).indexOf(LF, this.#start);
    // Not there yet: what comes until then is passed over.
    this.#scan = at < 0 ? this.#stop : at + 1;
    if (at < 0) return null;
    this.#breaks = 1;
    return this.#take(at + 1);
  }

  #tooLong(): string {
    return `is too long (at most ${this.#max} bytes a call)`;
  }
}

/** The fields of one CSV record as `cutRecords` cut it. */
export function csvFields(record: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === '"') {
      let close = record.indexOf('"', at + 1);
      while (close >= 0 && record[close + 1] === '"') close = record.indexOf('"', close + 2);
      const stop = close < 0 ? record.length : close;
      fields.push(record.slice(at + 1, stop).replaceAll('""', '"'));
      at = stop + 1;
    } else {
      const comma = record.indexOf(",", at);
      const stop = comma < 0 ? record.length : comma;
      fields.push(record.slice(at, stop));
      at = stop;
    }
    if (at >= record.length) return fields;
    at++;
  }
}

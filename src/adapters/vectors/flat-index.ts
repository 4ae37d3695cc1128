/**
 * A flat index of int8 rows in WebAssembly memory: no graph, nothing to build, exact but for the sign stage.
 * The query is int16, so a scan errs by less than `MARGIN` raw units; what the margin keeps is scored exactly.
 */
import { DIMENSIONS, INT8_SCALE, quantize } from "../../core/vector.ts";
import type { VectorChunk, VectorFilter, VectorHit } from "../../ports/vectors.ts";
import { Best } from "./best.ts";
import { Columns } from "./columns.ts";
import { eachPassing, restricts } from "./filter.ts";
import {
  BLOCK_ROWS,
  CHUNK_ROWS,
  CODE_BYTES,
  codeAddress,
  growByChunk,
  MAX_ROWS,
  newKernel,
  rowAddress,
  SCRATCH,
  weightAddress,
} from "./kernel.ts";
import { byScore, type CentredQuery, centre, cosine } from "../../core/cosine.ts";

export interface FlatIndexOptions {
  /** Above this many rows a search without filters goes through the sign codes first. */
  readonly signsFrom: number;
  /** Rows the sign stage hands on, at least. */
  readonly signCandidates: number;
  /** Compare after taking the mean of the rows from rows and queries. */
  readonly centred: boolean;
}

export const DEFAULT_OPTIONS: FlatIndexOptions = { signsFrom: 100_000, signCandidates: 4_000, centred: false };

/** Rounding 384 components by up to ½ moves a dot with a unit row by √384 / 2 at most; twice that, and float32. */
const MARGIN = 2 * (Math.sqrt(DIMENSIONS) / 2 + 0.2);
/** Slots listed after which the sign stage hands them on; a list has twice as many at most. */
const LIST_ROWS = 512;
/** Rows looked at for a mean, at most. */
const SAMPLE = 20_000;
/** The mean of n rows counts by n / (n + 10): that of a few rows says more about them than about the corpus. */
const SHRINK = 10;

export class FlatIndex {
  readonly #columns = new Columns();
  readonly #kernel = newKernel();
  readonly #options: FlatIndexOptions;
  /** Growth detaches the memory: the views are made anew then. */
  #bytes = new Int8Array(this.#kernel.memory.buffer);
  #floats = new Float32Array(this.#kernel.memory.buffer);
  #mean: Float32Array | null = null;
  /** The mean in the scale of the rows. */
  #rowMean: Float64Array | null = null;
  /** Rows changed since the mean was taken. */
  #changes = 0;
  /** Rows there were when the thresholds of the sign codes were taken; 0: no codes. */
  #codedAt = 0;

  constructor(options: FlatIndexOptions = DEFAULT_OPTIONS) {
    this.#options = options;
  }

  get rows(): number {
    return this.#columns.rows;
  }

  /** What is taken from rows and queries before they are compared, in the scale of unit vectors; null: nothing. */
  get mean(): Float32Array | null {
    return this.#mean;
  }

  get bytes(): number {
    return this.#kernel.memory.buffer.byteLength + this.#columns.bytes;
  }

  /** Puts the rows in; rows of calls already there are replaced as a whole. `skip`: calls to leave as they are. */
  upsert(chunk: VectorChunk, skip?: ReadonlySet<number>): void {
    const n = chunk.call_no.length;
    for (let i = 0; i < n; i++) {
      const call_no = chunk.call_no[i] as number;
      if (!skip?.has(call_no)) this.remove(call_no);
    }
    const codes = chunk.vectors instanceof Int8Array ? chunk.vectors : quantize(chunk.vectors);
    for (let i = 0; i < n; i++) {
      const call_no = chunk.call_no[i] as number;
      if (skip?.has(call_no)) continue;
      this.#append(chunk, i, codes.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS));
    }
  }

  remove(call_no: number): void {
    if (!this.#columns.has(call_no)) return;
    this.#changes++;
    this.#columns.remove(call_no, (from, to) => {
      this.#bytes.copyWithin(rowAddress(to), rowAddress(from), rowAddress(from) + DIMENSIONS);
      this.#bytes.copyWithin(weightAddress(to), weightAddress(from), weightAddress(from) + 4);
      this.#bytes.copyWithin(codeAddress(to), codeAddress(from), codeAddress(from) + CODE_BYTES);
    });
  }

  /** Takes the mean and makes the sign codes anew where too much has changed; else the next search does. */
  settle(): void {
    this.#recentre();
    this.#recode();
  }

  /** The k best by cosine, exact scores. Exact under filters and up to `signsFrom` rows. */
  search(query: Float32Array, k: number, filter: VectorFilter = {}): VectorHit[] {
    if (k <= 0 || this.rows === 0) return [];
    this.settle();
    const except = new Set(filter.except);
    let spare = 0;
    for (const call_no of except) spare += this.#columns.slotsOf(call_no).length;

    const centred = centre(query, this.#mean);
    const bias = this.#placeQuery(centred.values);
    const best = new Best(Math.min(k + spare, this.rows), MARGIN);
    const list = new Uint32Array(this.#kernel.memory.buffer, SCRATCH.list, BLOCK_ROWS);
    const outSlots = new Uint32Array(this.#kernel.memory.buffer, SCRATCH.out, 2 * BLOCK_ROWS);
    const outScores = new Float32Array(this.#kernel.memory.buffer, SCRATCH.out + 4, 2 * BLOCK_ROWS - 1);
    const scanList = (n: number) => best.add(outSlots, outScores, this.#kernel.scan_list(n, bias, best.least));

    if (restricts(filter)) {
      eachPassing(this.#columns, filter, list, scanList);
    } else if (this.rows > this.#options.signsFrom) {
      this.#eachNearCode(query, Math.max(this.#options.signCandidates, 40 * (k + spare)), scanList);
    } else {
      this.#eachBlock((first, n) => best.add(outSlots, outScores, this.#kernel.scan(first, n, bias, best.least)));
    }
    return this.#score(best.finish(), centred, except).slice(0, k);
  }

  #recentre(): void {
    if (!this.#options.centred || this.#changes === 0 || 4 * this.#changes < this.rows) return;
    this.#changes = 0;
    const weight = this.rows / (this.rows + SHRINK);
    this.#rowMean = this.#meanOfRows().map((x) => x * weight);
    this.#mean = Float32Array.from(this.#rowMean, (x) => x / INT8_SCALE);
    for (let slot = 0; slot < this.rows; slot++) this.#weigh(slot);
  }

  #recode(): void {
    if (this.rows <= this.#options.signsFrom || (this.#codedAt > 0 && this.rows <= 2 * this.#codedAt)) return;
    // Components share a sign where the corpus has a mean direction: bits split the rows best at the mean.
    const thresholds = this.#meanOfRows();
    for (let i = 0; i < DIMENSIONS; i++) this.#bytes[SCRATCH.thresholds + i] = Math.round(thresholds[i] as number);
    this.#codedAt = this.rows;
    this.#eachBlock((first, n) => this.#kernel.make_codes(first, n));
  }

  #append(chunk: VectorChunk, i: number, code: Int8Array): void {
    if (this.rows >= MAX_ROWS) throw new RangeError(`the embedded vector index holds at most ${MAX_ROWS} rows a kind`);
    if (this.#columns.full) {
      growByChunk(this.#kernel);
      this.#bytes = new Int8Array(this.#kernel.memory.buffer);
      this.#floats = new Float32Array(this.#kernel.memory.buffer);
      this.#columns.addChunk();
    }
    const slot = this.#columns.append({
      call_no: chunk.call_no[i] as number,
      part: chunk.part[i] as number,
      part_end: chunk.part_end[i] as number,
      agent: chunk.agent[i] as string,
      start_time: chunk.start_time[i] as number,
    });
    this.#changes++;
    this.#bytes.set(code, rowAddress(slot));
    this.#weigh(slot);
    if (this.#codedAt > 0) this.#kernel.make_codes(slot, 1);
  }

  #row(slot: number): Int8Array {
    const at = rowAddress(slot);
    return this.#bytes.subarray(at, at + DIMENSIONS);
  }

  /** As centredLength, on the bytes themselves: a fill does nothing else for most of its time. */
  #weigh(slot: number): void {
    const bytes = this.#bytes;
    const mean = this.#rowMean;
    const start = rowAddress(slot);
    let raw = 0;
    for (let at = start; at < start + DIMENSIONS; at++) raw += (bytes[at] as number) * (bytes[at] as number);
    let square = raw;
    if (mean !== null && raw !== 0) {
      square = 0;
      for (let i = 0; i < DIMENSIONS; i++) {
        const x = (bytes[start + i] as number) - (mean[i] as number);
        square += x * x;
      }
    }
    this.#floats[weightAddress(slot) / 4] = square === 0 ? 0 : 1 / Math.sqrt(square);
  }

  /** Writes the query as int16 by a scale of its own; returns its product with the mean, to be taken off each dot. */
  #placeQuery(query: Float64Array): number {
    let largest = 0;
    for (const x of query) largest = Math.max(largest, Math.abs(x));
    const scale = largest === 0 ? 0 : 32_767 / largest;
    const target = new Int16Array(this.#bytes.buffer, SCRATCH.query, DIMENSIONS);
    let bias = 0;
    for (let i = 0; i < DIMENSIONS; i++) {
      const value = Math.round((query[i] as number) * scale);
      target[i] = value;
      bias += value * (this.#rowMean === null ? 0 : (this.#rowMean[i] as number));
    }
    return bias;
  }

  #eachBlock(take: (first: number, n: number) => void): void {
    for (let first = 0; first < this.rows; first += BLOCK_ROWS) take(first, Math.min(BLOCK_ROWS, this.rows - first));
  }

  /** Lists the slots of at least `candidates` rows whose codes are nearest to the query's, ties included. */
  #eachNearCode(query: Float32Array, candidates: number, take: (n: number) => void): void {
    const code = this.#bytes.subarray(SCRATCH.queryCode, SCRATCH.queryCode + CODE_BYTES).fill(0);
    for (let i = 0; i < DIMENSIONS; i++) {
      if ((query[i] as number) * INT8_SCALE > (this.#bytes[SCRATCH.thresholds + i] as number)) {
        code[i >> 3] = (code[i >> 3] as number) | (1 << (i & 7));
      }
    }
    const histogram = new Uint32Array(this.#bytes.buffer, SCRATCH.histogram, DIMENSIONS + 1).fill(0);
    this.#eachBlock((first, n) => this.#kernel.scan_codes(first, n));
    let most = 0;
    for (let seen = histogram[0] as number; seen < candidates && most < DIMENSIONS; ) {
      seen += histogram[++most] as number;
    }
    // Short lists, so that the best of the first keep most of the next from being handed on.
    const step = LIST_ROWS;
    let listed = 0;
    for (let first = 0; first < this.rows; first += step) {
      listed = this.#kernel.pick_codes(first, Math.min(step, this.rows - first), most, listed);
      if (listed >= step) {
        take(listed);
        listed = 0;
      }
    }
    if (listed > 0) take(listed);
  }

  #score(slots: Uint32Array, centred: CentredQuery, except: ReadonlySet<number>): VectorHit[] {
    const hits: VectorHit[] = [];
    for (const slot of slots) {
      const c = this.#columns.chunkOf(slot);
      const i = slot % CHUNK_ROWS;
      const call_no = c.call_no[i] as number;
      if (except.has(call_no)) continue;
      hits.push({
        call_no,
        part: c.part[i] as number,
        part_end: c.part_end[i] as number,
        score: cosine(centred, this.#row(slot), this.#rowMean),
      });
    }
    return hits.toSorted(byScore);
  }

  /** Mean of the rows, of 20,000 spread evenly where there are more, in their scale. There must be one. */
  #meanOfRows(): Float64Array {
    const sums = new Float64Array(DIMENSIONS);
    const n = Math.min(SAMPLE, this.rows);
    for (let j = 0; j < n; j++) {
      const row = this.#row(Math.floor((j * this.rows) / n));
      for (let i = 0; i < DIMENSIONS; i++) sums[i] = (sums[i] as number) + (row[i] as number);
    }
    return sums.map((x) => x / n);
  }
}

/** The Vectors port on the flat index in a thread of its own. */
import { Worker } from "node:worker_threads";
import { DIMENSIONS } from "../../core/vector.ts";
import { AppError } from "../../errors.ts";
import type { VectorChunk, VectorFilter, VectorHit, VectorKind, VectorRows, Vectors } from "../../ports/vectors.ts";
import { DEFAULT_OPTIONS, type FlatIndexOptions } from "./flat-index.ts";
import type { Answers, Command, Reply, Request, ThreadData } from "./protocol.ts";
import { byScore, centre, cosine } from "../../core/cosine.ts";

/** Hits scored again in float32: half as many more as asked for, and this many more at least; int8 rows misplace by few. */
const SPARE = 5;
/** The longest command makes sign codes and weights anew: 0.9 s a million rows, and MAX_ROWS are under ten million. */
const SILENCE_MS = 20_000;
const THREAD = new URL("./thread.ts", import.meta.url);

/** The part of a logger the index uses. */
interface VectorsLog {
  error(fields: object, message: string): void;
}

export interface OpenVectors {
  /** Where the float32 call vectors are; null: scores come from the int8 rows alone. */
  readonly rows: Pick<VectorRows, "exact"> | null;
  readonly spaceId: string;
  readonly log: VectorsLog;
  /**
   * Kinds compared after taking the mean of their rows from both sides. Calls by default: they share most of their
   * direction, and what is left ranks better (bench/centring.ts); segments rank worse for it.
   */
  readonly centred?: readonly VectorKind[];
  readonly options?: Partial<Omit<FlatIndexOptions, "centred">>;
  /** Milliseconds without an answer, while one is awaited, after which the thread is given up. */
  readonly silence_ms?: number;
  /** What the thread runs; tests put a faulty one here. */
  readonly thread?: URL;
}

/** Opens an empty index; `fill` loads what SQL holds. */
export function openVectors(deps: OpenVectors): EmbeddedVectors {
  return new EmbeddedVectors(deps);
}

interface Waiting {
  resolve(answer: Answers[keyof Answers]): void;
  reject(error: Error): void;
}

export class EmbeddedVectors implements Vectors {
  /** Resolves when the thread died or was given up, before what was asked of it is rejected; never by `close`. */
  readonly ended: Promise<void>;
  readonly #rows: Pick<VectorRows, "exact"> | null;
  readonly #spaceId: string;
  readonly #worker: Worker;
  readonly #log: VectorsLog;
  readonly #hasEnded: () => void;
  readonly #silence: NodeJS.Timeout;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #replies = 0;
  #ended: AppError | null = null;

  constructor({ rows, spaceId, log, centred = ["call"], options, silence_ms = SILENCE_MS, thread }: OpenVectors) {
    this.#rows = rows;
    this.#spaceId = spaceId;
    this.#log = log;
    ({ promise: this.ended, resolve: this.#hasEnded } = Promise.withResolvers<void>());
    const of = (kind: VectorKind) => ({ ...DEFAULT_OPTIONS, ...options, centred: centred.includes(kind) });
    const data: ThreadData = { options: { call: of("call"), segment: of("segment") } };
    this.#worker = new Worker(thread ?? THREAD, { workerData: data, name: "vectors" });
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("messageerror", (cause) => this.#lose(cause));
    this.#worker.on("error", (cause) => this.#lose(cause));
    this.#worker.on("exit", (code) => this.#lose(new Error(`exit code ${code}`)));
    this.#silence = setTimeout(() => this.#onSilence(silence_ms), silence_ms).unref();
  }

  async upsert(kind: VectorKind, chunk: VectorChunk): Promise<void> {
    // A view would be sent with all of its buffer, and a transferred one would be lost to the caller: copy it.
    const own: VectorChunk = {
      call_no: chunk.call_no.slice(),
      part: chunk.part.slice(),
      part_end: chunk.part_end.slice(),
      agent: chunk.agent,
      start_time: chunk.start_time.slice(),
      vectors: chunk.vectors.slice(),
    };
    await this.#send({ type: "upsert", kind, chunk: own }, buffersOf(own));
  }

  async remove(kind: VectorKind, call_nos: readonly number[]): Promise<void> {
    if (call_nos.length > 0) await this.#send({ type: "remove", kind, call_nos });
  }

  /** Call vectors are scored again in float32 from SQL; a call gone from SQL is gone from the answer. */
  async search(kind: VectorKind, query: Float32Array, k: number, filter: VectorFilter = {}): Promise<VectorHit[]> {
    if (query.length !== DIMENSIONS || !query.every(Number.isFinite)) {
      throw new TypeError(`a query vector must have ${DIMENSIONS} finite values`);
    }
    const rescored = kind === "call" && this.#rows !== null;
    const { hits, mean } = await this.#send({
      type: "search",
      kind,
      query: query.slice(),
      k: rescored ? k + Math.max(SPARE, Math.ceil(k / 2)) : k,
      filter: filter.call_nos === undefined ? filter : { ...filter, call_nos: filter.call_nos.slice() },
    });
    return rescored ? (await this.#rescore(hits, query, mean)).slice(0, k) : hits;
  }

  describe(): Promise<Answers["describe"]> {
    return this.#send({ type: "describe" });
  }

  async close(): Promise<void> {
    this.#end(new AppError("shutting_down"));
    await this.#worker.terminate();
  }

  /** Announces rows read from SQL: until `endFill`, `fill` leaves alone what is upserted or removed meanwhile. */
  async beginFill(kind: VectorKind): Promise<void> {
    await this.#send({ type: "fillBegin", kind });
  }

  /** Takes rows as SQL held them; the chunk's buffers belong to the index from then on. */
  async fill(kind: VectorKind, chunk: VectorChunk): Promise<void> {
    await this.#send({ type: "fill", kind, chunk }, buffersOf(chunk));
  }

  async endFill(kind: VectorKind): Promise<void> {
    await this.#send({ type: "fillEnd", kind });
  }

  async #rescore(hits: readonly VectorHit[], query: Float32Array, mean: Float32Array | null): Promise<VectorHit[]> {
    if (this.#rows === null || hits.length === 0) return [];
    const rows = await this.#rows.exact(
      this.#spaceId,
      hits.map((hit) => hit.call_no),
    );
    const centred = centre(query, mean);
    const rowMean = mean === null ? null : Float64Array.from(mean);
    return rows
      .map(({ call_no, vector }) => ({ call_no, part: 0, part_end: 0, score: cosine(centred, vector, rowMean) }))
      .toSorted(byScore);
  }

  #send<C extends Command>(command: C, transfer: ArrayBuffer[] = []): Promise<Answers[C["type"]]> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    const gate = Promise.withResolvers<Answers[keyof Answers]>();
    this.#waiting.set(id, gate);
    // A process with an answer outstanding stays alive for it, an idle index keeps none alive.
    this.#worker.ref();
    if (this.#waiting.size === 1) this.#silence.refresh();
    const request: Request = { id, command };
    this.#worker.postMessage(request, transfer);
    return gate.promise as Promise<Answers[C["type"]]>;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    this.#replies++;
    this.#silence.refresh();
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("failure" in reply) waiting.reject(new AppError("internal", `vector index: ${reply.failure}`));
    else waiting.resolve(reply.answer);
  }

  #onSilence(silence_ms: number): void {
    const replies = this.#replies;
    // If this event loop was the one that stood still, the answer is waiting to be read: read first, then judge.
    setImmediate(() =>
      setImmediate(() => {
        if (this.#waiting.size > 0 && this.#replies === replies) this.#lose(new Error(`no answer in ${silence_ms} ms`));
      }),
    );
  }

  #lose(cause: unknown): void {
    if (this.#ended !== null) return;
    this.#log.error({ error: cause }, "the thread of the vector index died or hung");
    this.#hasEnded();
    this.#end(new AppError("internal", "the vector index stopped", { cause }));
    void this.#worker.terminate();
  }

  #end(reason: AppError): void {
    this.#ended ??= reason;
    clearTimeout(this.#silence);
    for (const gate of this.#waiting.values()) gate.reject(this.#ended);
    this.#waiting.clear();
  }
}

function buffersOf(chunk: VectorChunk): ArrayBuffer[] {
  const views = [chunk.call_no, chunk.part, chunk.part_end, chunk.start_time, chunk.vectors];
  return [...new Set(views.map((view) => view.buffer as ArrayBuffer))];
}

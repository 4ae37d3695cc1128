/** Imports calls from a stream of any length in bounded memory: checked one by one, stored a batch at a time. */
import { hash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { AcceptedCall } from "../core/call.ts";
import { AppError, type FieldError } from "../errors.ts";
import { type AcceptResult, type Calls, PRIORITY } from "../ports/calls.ts";
import type { Job, JobError, Jobs } from "../ports/jobs.ts";
import { acceptCalls, normalizeCall } from "./accept.ts";
import { readCsv } from "./import-csv.ts";
import type { Entry } from "./import-entry.ts";
import { type ImportMap, NO_MAP } from "./import-map.ts";
import { readNdjson } from "./import-ndjson.ts";

export type ImportFormat = "ndjson" | "csv";

export interface ImportDeps {
  readonly calls: Pick<Calls, "accept">;
  readonly jobs: Pick<Jobs, "put">;
  /** Epoch ms. */
  readonly now: () => number;
}

/** lines: read so far. The other four count calls (or lines that hold none): what was stored, was there already, has
 *  its call_id taken by other content, was refused. bytes: read so far. */
export interface ImportCounts extends Record<string, number> {
  lines: number;
  accepted: number;
  replayed: number;
  conflicts: number;
  rejected: number;
  bytes: number;
}

/** Where an import stands: everything before it is stored or reported. */
export interface ImportPosition {
  readonly bytes: number;
  readonly line: number;
  /** The column names of a CSV file. */
  readonly columns: readonly string[] | null;
  readonly counts: ImportCounts;
  readonly errors: readonly JobError[];
}

export interface ImportInput {
  /** Begins at `resume.bytes` where that is given. */
  readonly source: AsyncIterable<Uint8Array>;
  readonly format: ImportFormat;
  readonly map?: ImportMap;
  /** Fields for calls that lack them. */
  readonly defaults?: Readonly<Record<string, string | number>>;
  readonly job_id: string;
  readonly resume?: ImportPosition;
  /** Told after each batch is on disk, and at the end. */
  readonly onPosition?: (position: ImportPosition) => void | Promise<void>;
}

const MAX_IMPORT_ERRORS = 100;
const BATCH_CALLS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024;
const JOB_INTERVAL_MS = 1_000;
const STORE_TRIES = 5;

/**
 * Reads the whole source and resolves with the finished job. A bad line never stops the others. Rejects (with the
 * job marked failed) when the columns cannot be used (validation), the source breaks off or the store stays away;
 * what was stored until then stays, and the same import again only adds the rest.
 */
export async function importStream(deps: ImportDeps, input: ImportInput): Promise<Job> {
  const run = new Run(deps, input);
  try {
    await run.start();
    const map = input.map ?? NO_MAP;
    const { resume } = input;
    const entries =
      input.format === "ndjson"
        ? readNdjson(input.source, { map, ...(resume && { from: resume }) })
        : readCsv(input.source, {
            map,
            ...(resume?.columns && { from: { bytes: resume.bytes, line: resume.line, columns: resume.columns } }),
            onColumns: (columns) => run.setColumns(columns),
          });
    for await (const entry of entries) await run.take(entry);
    return await run.finish();
  } catch (error) {
    await run.abandon(error);
    throw error;
  }
}

interface Pending {
  readonly call: AcceptedCall;
  readonly line: number;
}

class Run {
  readonly #deps: ImportDeps;
  readonly #input: ImportInput;
  readonly #created: number;
  readonly #counts: ImportCounts;
  readonly #errors: JobError[];
  #columns: readonly string[] | null;
  #batch: Pending[] = [];
  #batchBytes = 0;
  /** The batch being stored while the next is read; never more than one. */
  #storing: Promise<void> = Promise.resolve();
  #read: { end: number; nextLine: number };
  #told = Number.NEGATIVE_INFINITY;

  constructor(deps: ImportDeps, input: ImportInput) {
    this.#deps = deps;
    this.#input = input;
    this.#created = deps.now();
    const resume = input.resume;
    this.#counts = resume
      ? { ...resume.counts }
      : { lines: 0, accepted: 0, replayed: 0, conflicts: 0, rejected: 0, bytes: 0 };
    this.#errors = resume ? [...resume.errors] : [];
    this.#columns = resume?.columns ?? null;
    this.#read = { end: resume?.bytes ?? 0, nextLine: resume?.line ?? 1 };
  }

  async start(): Promise<void> {
    await this.#tell("running", null);
  }

  setColumns(columns: readonly string[]): void {
    this.#columns = columns;
  }

  async take(entry: Entry): Promise<void> {
    this.#read = entry;
    this.#batchBytes += entry.bytes;
    if ("problems" in entry) this.#reject(entry.problems);
    else {
      const body = filled(entry.body, this.#input.defaults);
      const checked = normalizeCall(body, { now: this.#deps.now() });
      if (checked.ok) {
        this.#batch.push({ call: checked.call, line: entry.line });
      } else this.#reject(checked.errors.slice(0, 10).map((e) => located(e, entry)));
    }
    if (this.#batch.length >= BATCH_CALLS || this.#batchBytes >= BATCH_BYTES) await this.#flush();
  }

  async finish(): Promise<Job> {
    await this.#flush();
    await this.#storing;
    return await this.#tell("done", null);
  }

  async abandon(cause: unknown): Promise<void> {
    await this.#storing.catch(() => undefined);
    const detail = cause instanceof AppError ? cause.message : "the import broke off";
    // The first error is the one to report, even when the store cannot take this.
    await this.#tell("failed", detail).catch(() => undefined);
  }

  #reject(problems: readonly JobError[]): void {
    this.#counts.rejected++;
    for (const problem of problems) this.#note(problem);
  }

  #note(problem: JobError): void {
    if (this.#errors.length < MAX_IMPORT_ERRORS) this.#errors.push(problem);
  }

  /** Starts to store the batch once the one before it is on disk: that is the back-pressure. */
  async #flush(): Promise<void> {
    await this.#storing;
    const batch = this.#batch;
    const { end, nextLine } = this.#read;
    // As they are now: lines read while this batch is stored belong behind its position.
    const rejected = this.#counts.rejected;
    const errors = this.#errors.length;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#storing = this.#store(batch, { end, nextLine, rejected, errors });
    // Awaited before the next batch; until then a rejection must not count as unhandled.
    this.#storing.catch(() => undefined);
  }

  async #store(
    batch: readonly Pending[],
    at: { end: number; nextLine: number; rejected: number; errors: number },
  ): Promise<void> {
    const results = await this.#accept(batch.map((b) => b.call));
    const known = this.#errors.slice(0, at.errors);
    let failed = 0;
    for (const [i, { call, line }] of batch.entries()) {
      const result = results[i];
      const id = JSON.stringify(call.call_id);
      if (result?.status === "accepted") this.#counts.accepted++;
      else if (result?.status === "replayed") this.#counts.replayed++;
      else {
        const conflict = result?.status === "conflict";
        if (conflict) this.#counts.conflicts++;
        else failed++;
        const message = conflict
          ? `call ${id} is there already with other content`
          : `call ${id} could not be stored${result?.status === "failed" ? `: ${result.reason}` : ""}`;
        const problem = { line, message };
        if (known.length < MAX_IMPORT_ERRORS) known.push(problem);
        this.#note(problem);
      }
    }
    this.#counts.rejected += failed;
    this.#counts.bytes = at.end;
    this.#counts.lines = at.nextLine - 1;
    await this.#input.onPosition?.({
      bytes: at.end,
      line: at.nextLine,
      columns: this.#columns,
      counts: { ...this.#counts, rejected: at.rejected + failed },
      errors: known,
    });
    if (performance.now() - this.#told >= JOB_INTERVAL_MS) await this.#tell("running", null);
  }

  /** A store that is away for a moment does not end an import of an hour. */
  async #accept(calls: readonly AcceptedCall[]): Promise<AcceptResult[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await acceptCalls(this.#deps, calls, PRIORITY.bulk);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "store_unavailable" || attempt >= STORE_TRIES) throw error;
        await pause((error.retryAfter ?? 1) * 1000);
      }
    }
  }

  async #tell(state: Job["state"], detail: string | null): Promise<Job> {
    this.#told = performance.now();
    const job = this.#job(state, detail);
    await this.#deps.jobs.put(job);
    return job;
  }

  #job(state: Job["state"], detail: string | null): Job {
    return {
      job_id: this.#input.job_id,
      kind: "import",
      state,
      created_at: this.#created,
      updated_at: this.#deps.now(),
      counts: { ...this.#counts },
      errors: this.#errors.toSorted((a, b) => a.line - b.line),
      detail,
      report: null,
    };
  }
}

/** Defaults where the file says nothing, and an id made of the content, so that the same file again changes nothing. */
function filled(body: Record<string, unknown>, defaults: ImportInput["defaults"] = {}): Record<string, unknown> {
  const out: Record<string, unknown> = { ...body };
  for (const [field, value] of Object.entries(defaults)) out[field] ??= value;
  out["call_id"] ??= `import-${hash("sha256", JSON.stringify(body), "hex").slice(0, 32)}`;
  return out;
}

function located(error: FieldError, entry: { line: number; turnLines?: readonly number[] }): JobError {
  const turn = /^\/turns\/(\d+)(\/.*)?$/.exec(error.pointer);
  const line = entry.turnLines?.[Number(turn?.[1])];
  const at = line === undefined ? error.pointer : (turn?.[2] ?? "");
  const hint = `expected ${error.expected}, received ${error.received}`;
  const message = `${at === "" ? "" : `${at}: `}${error.message} (${hint})`;
  return { line: line ?? entry.line, message };
}

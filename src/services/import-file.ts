/** Imports a file, or what comes in on stdin, and goes on where an import of the same file was cut off. */
import { hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { AppError } from "../errors.ts";
import type { Job, Jobs } from "../ports/jobs.ts";
import { type ImportDeps, type ImportFormat, type ImportPosition, importStream } from "./import.ts";
import { type ImportMap, NO_MAP } from "./import-map.ts";

export interface FileImportDeps extends ImportDeps {
  readonly jobs: Pick<Jobs, "put" | "bookmark" | "setBookmark">;
}

export interface FileImportInput {
  /** A path, or "-" for `stdin`. */
  readonly file: string;
  readonly stdin: Readable;
  /** Default: from the name's ending. */
  readonly format?: ImportFormat;
  readonly map?: ImportMap;
  readonly defaults?: Readonly<Record<string, string | number>>;
  /** `total`: bytes of the file, null for stdin. */
  readonly onProgress?: (position: ImportPosition, total: number | null) => void;
  readonly signal?: AbortSignal;
}

export interface FileImport {
  readonly job: Job;
  /** Where this run went on; null when it began at the start. */
  readonly resumed_at: number | null;
}

const HEAD_BYTES = 64 * 1024;

/**
 * The bookmark is kept under the file's identity (path, size, time of change, first 64 KB) and the options, so a
 * changed file or another mapping begins anew. It goes when the file is done.
 * @throws AppError validation for a missing file or an unknown format; see also importStream
 */
export async function importFile(deps: FileImportDeps, input: FileImportInput): Promise<FileImport> {
  const { file, signal, map = NO_MAP, defaults = {}, onProgress } = input;
  const format = input.format ?? formatOf(file);
  const job = { format, map, defaults, job_id: randomUUID() };
  if (file === "-") {
    const onPosition = (position: ImportPosition): void => onProgress?.(position, null);
    const source = signal === undefined ? input.stdin : addAbortSignal(signal, input.stdin);
    return { job: await importStream(deps, { ...job, source, onPosition }), resumed_at: null };
  }
  const { name, size } = await identify(file, { format, map, defaults });
  const resume = readPosition(await deps.jobs.bookmark(name), format);
  const source = createReadStream(file, {
    ...(resume && { start: resume.bytes }),
    ...(signal && { signal }),
    highWaterMark: 256 * 1024,
  });
  const done = await importStream(deps, {
    ...job,
    source,
    ...(resume && { resume }),
    onPosition: async (position) => {
      await deps.jobs.setBookmark(name, JSON.stringify(position));
      onProgress?.(position, size);
    },
  });
  await deps.jobs.setBookmark(name, null);
  return { job: done, resumed_at: resume?.bytes ?? null };
}

export function formatOf(file: string): ImportFormat {
  if (/\.(ndjson|jsonl|json)$/i.test(file)) return "ndjson";
  if (/\.csv$/i.test(file)) return "csv";
  throw new AppError("validation", `Say with --format whether ${file === "-" ? "the input" : file} is ndjson or csv`);
}

async function identify(file: string, options: unknown): Promise<{ name: string; size: number }> {
  try {
    const { size, mtimeMs } = await stat(file);
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const head = hash("sha256", buffer.subarray(0, bytesRead), "hex");
      const identity = hash("sha256", JSON.stringify([resolve(file), size, mtimeMs, head, options]), "hex");
      return { name: `import:${identity}`, size };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "an error";
    throw new AppError("validation", `${file} cannot be read (${code})`, { cause });
  }
}

function readPosition(value: string | null, format: ImportFormat): ImportPosition | null {
  if (value === null) return null;
  const position = JSON.parse(value) as ImportPosition;
  // Without the column names of its head, the rest of a CSV file says nothing.
  return format === "csv" && position.columns === null ? null : position;
}

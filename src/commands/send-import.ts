/** Sends a file to the import of a running server. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { addAbortSignal, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../errors.ts";
import type { ImportFormat } from "../services/import.ts";
import type { FileImport } from "../services/import-file.ts";

export interface SendInput {
  /** A path, or "-" for `stdin`. */
  readonly file: string;
  readonly stdin: Readable;
  readonly format: ImportFormat;
  readonly url: string;
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number, total: number | null) => void;
}

const TYPES = { ndjson: "application/x-ndjson", csv: "text/csv" } as const;

/** The finished job. @throws AppError with the server's own words where it refuses */
export async function sendImport(input: SendInput): Promise<FileImport["job"]> {
  const target = new URL("/api/v1/calls/import", input.url);
  for (const [name, value] of Object.entries(input.query)) if (value !== "") target.searchParams.set(name, value);
  const total = input.file === "-" ? null : (await stat(input.file)).size;
  const source = addAbortSignal(input.signal, input.file === "-" ? input.stdin : createReadStream(input.file));
  let sent = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      input.onProgress(sent, total);
      done(null, chunk);
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const request = (target.protocol === "https:" ? secure : plain)(target, {
    method: "POST",
    headers: {
      authorization: `Bearer ${input.key}`,
      "content-type": TYPES[input.format],
      ...(total !== null && { "content-length": total }),
    },
  });
  request.once("response", (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.once("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
    );
    response.once("error", reject);
  });
  request.once("error", reject);
  // A server that refuses answers before it has read all: then its answer counts, not the broken pipe.
  pipeline(source, counted, request).catch(reject);
  const { status, text } = await promise;
  const answer = parsed(text);
  if (status === 200) return answer as unknown as FileImport["job"];
  const detail = typeof answer["detail"] === "string" ? answer["detail"] : "no reason given";
  throw new AppError("internal", `${input.url} answered ${status}: ${detail}`);
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

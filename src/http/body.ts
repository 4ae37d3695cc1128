/** Request bodies: JSON only, with errors that never quote what was sent. */
import { isUtf8 } from "node:buffer";
import { AppError } from "../errors.ts";
import type { App } from "./deps.ts";
import { noteBody } from "./idempotency.ts";

const MIB = 1024 * 1024;
export const CALL_BODY_BYTES = 2 * MIB;
export const BULK_BODY_BYTES = 64 * MIB;
/** Bodies that hold no call. */
export const SMALL_BODY_BYTES = 16 * 1024;

export function useJsonBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    try {
      noteBody(request, body as Buffer);
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onRequest", (request, _reply, done) => {
    const encoding = request.headers["content-encoding"];
    if (encoding === undefined || encoding === "identity") done();
    else done(new AppError("unsupported_media_type", "Send the body without Content-Encoding"));
  });
}

/** The value of a JSON text in UTF-8; undefined for an empty one. @throws AppError malformed */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new AppError("malformed", "The body is not valid UTF-8");
  const text = body.toString("utf8");
  try {
    return JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch (error) {
    // V8 may quote the text around the fault, which can be somebody's words: only the place goes out.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    if (at === undefined) throw new AppError("malformed", "The body is not valid JSON");
    const before = text.slice(0, Number(at)).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new AppError("malformed", `The body is not valid JSON: line ${before.length}, column ${column}`);
  }
}

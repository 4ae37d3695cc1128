/** Request bodies: JSON only, with errors that never quote what was sent. */
import { AppError } from "../errors.ts";
import { parseJson } from "../services/parse-json.ts";
import type { App } from "./deps.ts";
import { noteBody } from "./idempotency.ts";

const MIB = 1024 * 1024;
export const CALL_BODY_BYTES = 2 * MIB;
export const BULK_BODY_BYTES = 64 * MIB;
/** Bodies that hold no call. */
export const SMALL_BODY_BYTES = 16 * 1024;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The handler gets the bytes of the body and reads them itself. */
    rawBody?: true;
  }
}

export function useJsonBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    try {
      noteBody(request, body as Buffer);
      done(null, request.routeOptions.config.rawBody === true ? body : parseJson(body as Buffer));
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

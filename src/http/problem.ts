/** Anything thrown -> application/problem+json (RFC 9457). The last place an error comes to: logged here, once. */
import type { ErrorObject } from "ajv";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { typeName } from "../core/received.ts";
import { AppError, ERRORS, invalid } from "../errors.ts";
import type { ErrorCode, FieldError } from "../errors.ts";

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for, without its query. */
  readonly instance: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

const FASTIFY_CODES: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "too_large", detail: "The body is larger than this operation takes" },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "unsupported_media_type", detail: "Send application/json" },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: "malformed", detail: "The body's length differs from Content-Length" },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "malformed", detail: "The body is empty" },
  FST_ERR_BAD_URL: { code: "malformed", detail: "The path is not a valid percent-encoded URL" },
};

/** The AppError that stands for whatever was thrown. */
function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error) {
    const { code, statusCode, validation, validationContext } = error as Partial<FastifyError>;
    if (validation) return invalid(fieldErrors(validation as ErrorObject[], validationContext ?? "body"));
    const known = code === undefined ? undefined : FASTIFY_CODES[code];
    if (known) return new AppError(known.code, known.detail, { cause: error });
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      return new AppError("malformed", undefined, { cause: error });
    }
  }
  return new AppError("internal", undefined, { cause: error });
}

function problemOf(error: AppError, request: FastifyRequest): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    type: `/docs#error-${error.code}`,
    title,
    status,
    // What went wrong inside is for the log, not for the client.
    detail: error.code === "internal" ? `${title}. The log has the details under this request_id.` : error.message,
    instance: pathOf(request.url),
    code: error.code,
    request_id: request.id,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
}

export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toAppError(thrown);
  const { status, retryable } = ERRORS[error.code];
  if (status >= 500) {
    const log = error.code === "internal" ? request.log.error : request.log.warn;
    log.call(
      request.log,
      {
        error: error.cause ?? error,
        code: error.code,
        route: request.routeOptions.url ?? null,
        "http.request.id": request.id,
      },
      "request failed",
    );
  }
  const retryAfter = error.retryAfter ?? (retryable && status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) void reply.header("retry-after", String(Math.ceil(retryAfter)));
  if (error.quota !== undefined) {
    // draft-ietf-httpapi-ratelimit-headers.
    const { name, limit, window_s } = error.quota;
    void reply.header("ratelimit-policy", `"${name}";q=${limit};w=${window_s}`);
    void reply.header("ratelimit", `"${name}";r=0;t=${Math.ceil(retryAfter ?? window_s)}`);
  }
  if (status === 401) void reply.header("www-authenticate", 'Bearer realm="earshot"');
  void reply.header("cache-control", "no-store").removeHeader("etag");
  void reply.code(status).type("application/problem+json").serializer(JSON.stringify).send(problemOf(error, request));
}

/** The path that was asked for, without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf("?");
  return (end < 0 ? url : url.slice(0, end)).slice(0, 300);
}

const MOST = 100;

/** Ajv's findings in the words of the wire: body fields as JSON pointers, query parameters as ?name. */
function fieldErrors(found: readonly ErrorObject[], part: string): FieldError[] {
  return found.slice(0, MOST).map((e): FieldError => {
    const extra = typeof e.params["additionalProperty"] === "string" ? e.params["additionalProperty"] : null;
    const missing = typeof e.params["missingProperty"] === "string" ? e.params["missingProperty"] : null;
    const child = extra ?? missing;
    const path =
      child === null ? e.instancePath : `${e.instancePath}/${child.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const pointer = part === "body" ? path.slice(0, 200) : `?${path.slice(1, 100)}`;
    if (extra !== null) {
      const known = Object.keys((e.parentSchema?.["properties"] as object | undefined) ?? {});
      const what = part === "body" ? "field" : "parameter";
      return {
        pointer,
        message: `unknown ${what}`,
        expected: known.length > 0 ? `one of ${known.join(", ")}` : "none",
        received: typeName(e.data?.[extra as keyof typeof e.data]),
      };
    }
    if (missing !== null) {
      const wanted = (e.parentSchema?.["properties"] as Record<string, Record<string, unknown>> | undefined)?.[missing];
      return { pointer, message: "is missing", expected: rangeOf(wanted), received: "nothing" };
    }
    const allowed = e.params["allowedValues"] as readonly unknown[] | undefined;
    // Passwords and words must not come back in an error: bodies are described by type alone.
    const received = part === "body" ? typeName(e.data) : shown(e.data);
    if (!allowed) return { pointer, message: e.message ?? "is wrong", expected: rangeOf(e.parentSchema), received };
    return { pointer, message: "is not one of the values allowed", expected: `one of ${allowed.join(", ")}`, received };
  });
}

/** What a schema takes, in words: "integer from 1 to 100", "string of 1 to 200 characters". */
function rangeOf(schema: ErrorObject["parentSchema"]): string {
  const bound = (name: string): string => {
    const value: unknown = schema?.[name];
    return typeof value === "number" ? String(value) : "";
  };
  const { type, pattern } = (schema ?? {}) as { type?: unknown; pattern?: unknown };
  const name = typeof type === "string" ? type : "a value";
  if (typeof pattern === "string") return `${name} that matches ${pattern}`;
  const low = bound("minimum") || bound("minLength");
  const high = bound("maximum") || bound("maxLength");
  const unit = type === "string" ? " characters" : "";
  if (low !== "" && high !== "") return `${name} ${unit === "" ? "from" : "of"} ${low} to ${high}${unit}`;
  if (low !== "") return `${name}, at least ${low}${unit}`;
  return high === "" ? name : `${name}, at most ${high}${unit}`;
}

function shown(value: unknown): string {
  const scalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return scalar ? String(value).slice(0, 60).toWellFormed() : typeName(value);
}

import type { FieldError } from "./core/field-error.ts";

export type { FieldError };

/**
 * Every way a request can go wrong, in one closed table. HTTP derives problem+json from it, the worker derives
 * retry or dead, a socket its close code.
 */
export const ERRORS = {
  validation: { status: 422, title: "The request has invalid fields", retryable: false },
  malformed: { status: 400, title: "The request could not be read", retryable: false },
  unauthorized: { status: 401, title: "Credentials are missing, wrong or revoked", retryable: false },
  forbidden: { status: 403, title: "These credentials may not do this", retryable: false },
  call_not_found: { status: 404, title: "Call record not found", retryable: false },
  not_found: { status: 404, title: "Not found", retryable: false },
  method_not_allowed: { status: 405, title: "Method not allowed", retryable: false },
  conflict: { status: 409, title: "A call with this id and other content exists", retryable: false },
  call_ended: { status: 409, title: "The call has ended", retryable: false },
  idempotency_key_reused: { status: 422, title: "This Idempotency-Key stands for another request", retryable: false },
  idempotency_in_progress: { status: 409, title: "The first request of this Idempotency-Key runs", retryable: true },
  too_large: { status: 413, title: "The request is too large", retryable: false },
  unsupported_media_type: { status: 415, title: "This content type is not supported", retryable: false },
  upgrade_required: { status: 426, title: "This address takes WebSocket connections only", retryable: false },
  read_only: { status: 421, title: "This server is a copy and takes no writes", retryable: false },
  too_many_requests: { status: 429, title: "Too many requests", retryable: true },
  internal: { status: 500, title: "Something unexpected went wrong", retryable: true },
  store_unavailable: { status: 503, title: "The store cannot be reached or is busy", retryable: true },
  models_unavailable: { status: 503, title: "This answer needs the model, which is not available", retryable: true },
  overloaded: { status: 503, title: "The server has more to do than it can", retryable: true },
  shutting_down: { status: 503, title: "The server is shutting down", retryable: true },
  storage_full: { status: 507, title: "The disk is full", retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** So many in so many seconds. */
export interface Quota {
  readonly name: string;
  readonly limit: number;
  readonly window_s: number;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  /** Seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;
  /** The limit that was met. */
  readonly quota: Quota | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    more: { errors?: readonly FieldError[]; cause?: unknown; retryAfter?: number; quota?: Quota } = {},
  ) {
    super(detail ?? ERRORS[code].title, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "AppError";
    this.code = code;
    this.errors = more.errors ?? [];
    this.retryAfter = more.retryAfter;
    this.quota = more.quota;
  }
}

/** Why one call could not be enriched, in words of ours: never the call's, so it may be stored and shown. */
export class EnrichmentError extends Error {
  override readonly name = "EnrichmentError";
}

/** A validation error; `errors` names every bad field. The detail is the first message unless one is given. */
export function invalid(errors: readonly FieldError[], detail?: string): AppError {
  const first = errors[0];
  return new AppError("validation", detail ?? (first ? `${first.pointer}: ${first.message}` : undefined), { errors });
}

/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): which requests repeat another one. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { hash } from "node:crypto";
import { AppError } from "../errors.ts";
import type { KeyedWrites, RequestKey } from "../ports/idempotency.ts";
import type { Once } from "../services/once.ts";
import { who } from "./auth.ts";
import type { App } from "./deps.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Takes an Idempotency-Key. */
    idempotent?: true;
  }
  interface FastifyRequest {
    idempotencyKey: string | null;
    /** SHA-256 of the body's bytes, where there is a key. */
    bodyDigest: string;
  }
}

const EXPECTED = 'a string in quotes such as "8e03978e-40d5-43dd-bc93-6894a57f9324", 1 to 255 visible ASCII characters';
const LONGEST = 255;
/** RFC 9651 §3.3.3, without blanks. */
const QUOTED = /^"((?:[\u0021\u0023-\u005B\u005D-\u007E]|\\["\\])*)"$/;
const BARE = /^[\u0021\u0023-\u005B\u005D-\u007E]+$/;

/** What OpenAPI says of it; the validator does not look at it. */
export const KEY_HEADER = {
  type: "object",
  properties: {
    "Idempotency-Key": {
      type: "string",
      maxLength: 2 * LONGEST + 2,
      description:
        'A name of your own for this request, in quotes ("order-17"; a bare word is taken too). Sent again within 24 ' +
        "hours it gets the first answer with `Idempotency-Replayed: true` and changes nothing. With another body or " +
        "at another address it is 422, while the first one runs 409. Answers that changed nothing are not kept.",
    },
  },
} as const;

/** The key a header names; null for a header that is none: 1 to 255 visible ASCII characters, in quotes or bare. */
function parseIdempotencyKey(header: string): string | null {
  const quoted = QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/g, "$1");
  const key = quoted ?? (BARE.test(header) ? header : "");
  return key.length >= 1 && key.length <= LONGEST ? key : null;
}

/** Reads the key before the body is, so that a wrong one costs no upload. After access: who is unknown has no keys. */
export function useIdempotency(app: App): void {
  app.decorateRequest("idempotencyKey", null);
  app.decorateRequest("bodyDigest", "");
  app.addHook("onRequest", (request, _reply, done) => {
    const header = request.headers["idempotency-key"];
    if (header === undefined || request.routeOptions.config.idempotent !== true) {
      done();
      return;
    }
    // Node joins several lines of it with a comma and a blank, which no key has.
    const text = String(header);
    request.idempotencyKey = parseIdempotencyKey(text);
    if (request.idempotencyKey !== null) {
      done();
      return;
    }
    const received = `${text.length} characters`;
    const errors = [{ pointer: "Idempotency-Key", message: "is no key", expected: EXPECTED, received }];
    done(new AppError("malformed", `The header Idempotency-Key must be ${EXPECTED}`, { errors }));
  });
}

/** The body's part in the fingerprint; called with the bytes as they came. */
export function noteBody(request: FastifyRequest, body: Buffer): void {
  if (request.idempotencyKey !== null) request.bodyDigest = hash("sha256", body, "hex");
}

function requestKey(request: FastifyRequest): RequestKey | null {
  if (request.idempotencyKey === null) return null;
  const said = JSON.stringify([request.method, request.url, request.bodyDigest]);
  const { account_id } = who(request);
  return { account_id, key: request.idempotencyKey, fingerprint: hash("sha256", said, "hex") };
}

/** Does the one write of a request, or says in the answer's header that it had been done. */
export async function writeOnce<T>(
  once: Once,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (writes: KeyedWrites) => Promise<T>,
): Promise<T> {
  const { value, replayed } = await once(requestKey(request), work);
  if (replayed) void reply.header("idempotency-replayed", "true");
  return value;
}

/** Who may open a socket, whatever it speaks: by the origin of its page and by its credentials. */
import type { IncomingMessage } from "node:http";
import { AppError } from "../errors.ts";
import type { Access, Principal } from "../services/access.ts";
import { CLOSE } from "../services/stream-client.ts";
import { credentialOf, sameOrigin } from "./auth.ts";
import { countStranger } from "./limits.ts";
import type { RateLimits } from "./limits.ts";

/** A close reason has 123 bytes. */
const REASON = 120;

/** Programs send no Origin; pages must be our own or of an origin that the settings name. */
export function allowed(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  return origin === undefined || origins.includes(origin) || sameOrigin(request);
}

/**
 * By the ticket where one is given, else by `token`, header or cookie. Without any that is good the address is counted.
 * @throws AppError unauthorized, too_many_requests
 */
export async function socketPrincipal(
  { access, limits }: { readonly access: Access; readonly limits: RateLimits },
  request: IncomingMessage,
  {
    ticket,
    token = credentialOf(request)?.value,
  }: { readonly ticket: string | null; readonly token?: string | undefined },
): Promise<Principal> {
  const principal =
    ticket !== null ? await access.redeemTicket(ticket) : token === undefined ? null : await access.authenticate(token);
  if (principal !== null) return principal;
  await countStranger(limits, request.socket.remoteAddress ?? "");
  throw new AppError("unauthorized", "No credentials, or wrong ones");
}

export function closeCode({ code }: AppError): number {
  if (code === "unauthorized") return CLOSE.unauthorized;
  if (code === "too_many_requests") return CLOSE.too_many;
  if (code === "forbidden") return CLOSE.forbidden;
  return code === "validation" ? CLOSE.bad_message : CLOSE.internal;
}

export const closeReason = ({ message }: AppError): string => message.slice(0, REASON);

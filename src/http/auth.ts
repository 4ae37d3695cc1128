/** Who may use a route. Every route says so in `config.access`; one that does not cannot be registered. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { AppError } from "../errors.ts";
import type { Role } from "../ports/accounts.ts";
import type { Access, Principal, Session } from "../services/access.ts";
import type { App } from "./deps.ts";
import { countAccount, countStranger } from "./limits.ts";
import type { RateLimits } from "./limits.ts";

export const PUBLIC = "public";
export const EVERYBODY: readonly Role[] = ["admin", "manager", "agent", "analyst"];
/** May see words of calls. */
export const LISTENERS: readonly Role[] = ["admin", "manager", "agent"];
/** May change what is there, within their scope. */
export const CURATORS: readonly Role[] = ["admin", "manager"];
export const ADMINS: readonly Role[] = ["admin"];

declare module "fastify" {
  interface FastifyContextConfig {
    access?: typeof PUBLIC | readonly Role[];
  }
  interface FastifyRequest {
    principal: Principal | null;
  }
}

const COOKIE = "earshot_session";
const SESSION = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;\\s]+)`);
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export function useAccess(app: App, { access, limits }: { access: Access; limits: RateLimits }): void {
  app.decorateRequest("principal", null);
  app.addHook("onRoute", (route) => {
    if (route.config?.access === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not say who may use it`);
  });
  app.addHook("onRequest", async (request, reply) => {
    const allowed = request.routeOptions.config.access;
    // No access means no route: the not-found handler answers.
    if (allowed === undefined || allowed === PUBLIC) return;
    const credential = credentialOf(request);
    if (credential === null) {
      await countStranger(limits, request.ip);
      throw new AppError("unauthorized", "Send Authorization: Bearer with an API key or a token of /auth/login");
    }
    const principal = await access.authenticate(credential.value);
    if (principal === null) {
      await countStranger(limits, request.ip);
      throw new AppError("unauthorized", "These credentials are wrong, have expired, or were revoked");
    }
    if (limits.account !== null) await countAccount(limits.account, principal.account_id, reply);
    if (credential.from === "cookie" && !SAFE.has(request.method) && !sameOrigin(request.raw)) {
      throw new AppError("forbidden", "A signed-in page of another origin may not do this");
    }
    if (!allowed.includes(principal.role)) {
      throw new AppError(
        "forbidden",
        `This needs the role ${allowed.join(" or ")}; these credentials have ${principal.role}`,
      );
    }
    request.principal = principal;
  });
}

/** The principal of a route that is not public. */
export function who(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error("a public route asked who is there");
  return request.principal;
}

/** What a request brings to say who it is; a header counts before a cookie. */
export function credentialOf(request: {
  headers: IncomingMessage["headers"];
}): { value: string; from: "header" | "cookie" } | null {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const value = bearer(header);
    return value === null ? null : { value, from: "header" };
  }
  const cookie = SESSION.exec(request.headers.cookie ?? "")?.[1];
  return cookie ? { value: cookie, from: "cookie" } : null;
}

/** What stands after the scheme; an admin key of the settings may hold blanks. */
function bearer(header: string): string | null {
  return /^Bearer +(\S(?:.*\S)?) *$/i.exec(header)?.[1] ?? null;
}

/** False for a request that a browser says comes from a page of another origin. */
export function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Strict: no other site's page can make the browser send it. */
export function setSession(request: FastifyRequest, reply: FastifyReply, session: Session | null): void {
  const age = session?.expires_in ?? 0;
  const secure = request.protocol === "https" ? "; Secure" : "";
  const cookie = `${COOKIE}=${session?.token ?? ""}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`;
  void reply.header("set-cookie", cookie);
}

/** Who gets in: a matrix made from the OpenAPI document, so that a new route joins by itself. */
import { SignJWT, generateKeyPair, exportSPKI } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Role } from "../../src/ports/accounts.ts";
import { addUser, BUILT_IN_ADMIN, issueOneUse } from "../../src/services/access.ts";
import { sha256 } from "../../src/services/credentials.ts";
import { ADMIN_KEY, JWT_SECRET, type TestHttp, startHttp } from "../support/http-server.ts";

const CANARY = "xylophone";
const CUSTOMER = "cust-canary";
const KID = sha256(`kid:${JWT_SECRET}`).slice(0, 12);

interface Session {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly user_info: { name: string; role: string };
}

let now = Date.now();
let http: TestHttp;
beforeAll(async () => {
  http = await startHttp({ now: () => now });
  for (const [call_id, agent_id] of [
    ["of-ana", "ana"],
    ["of-ben", "ben"],
  ]) {
    const transcript = `Agent: Hello ${CANARY}\nCustomer: A ${CANARY}, please.`;
    await http.ask("PUT", `/api/v1/calls/${call_id}`, { body: { agent_id, customer_id: CUSTOMER, transcript } });
  }
  await http.enrich();
  // Knows which agents make up a team.
  await http.key("agent", { agent_id: "ana", team: "north" });
  await http.key("agent", { agent_id: "ben", team: "south" });
});
afterAll(() => http.close());

/** Every operation of the document with a path that leads somewhere. */
function operations(): { method: string; url: string; roles: readonly Role[] | null }[] {
  return Object.entries(http.document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      url: path.replace("{call_id}", "of-ben").replace("{job_id}", "job_1"),
      roles: operation.security.length === 0 ? null : (operation["x-roles"] ?? []),
    })),
  );
}

function token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, secret = JWT_SECRET) {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({
    sub: BUILT_IN_ADMIN,
    iss: "earshot",
    aud: "earshot",
    iat: seconds,
    exp: seconds + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: KID, ...header })
    .sign(new TextEncoder().encode(secret));
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("the matrix", () => {
  test("nothing but what is meant to be public answers without credentials, or with wrong ones", async () => {
    const revoked = await http.key("admin");
    await http.store.accounts.revoke(revoked.account_id);
    const seconds = Math.floor(now / 1000);
    const expired = await token({ iat: seconds - 100, exp: seconds - 1 });
    const wrong = {
      none: null,
      garbage: "garbage",
      "a key with a typing error": "ek_" + "a".repeat(46),
      "a JWT of nobody": await token({ sub: "user_gone" }),
      expired,
      revoked: revoked.key,
    };
    const open: string[] = [];
    for (const { method, url, roles } of operations()) {
      for (const [name, key] of Object.entries(wrong)) {
        const answer = await http.ask<{ code: string }>(method, url, { key });
        if (roles === null) {
          if (name === "none") open.push(`${method} ${url}`);
          continue;
        }
        expect([method, url, name, answer.status, answer.body.code]).toEqual([method, url, name, 401, "unauthorized"]);
        expect(answer.headers["www-authenticate"]).toContain("Bearer");
      }
    }
    expect(open.toSorted()).toEqual(["GET /health", "GET /health/ready", "POST /auth/login", "POST /auth/session"]);
  });

  test("a role does what the document says and no more; another agent's call is not there", async () => {
    const keys = {
      manager: await http.key("manager", { team: "north" }),
      agent: await http.key("agent", { agent_id: "ana" }),
      analyst: await http.key("analyst"),
    };
    let refused = 0;
    for (const [role, { key }] of Object.entries(keys)) {
      for (const { method, url, roles } of operations()) {
        // Ends the session of who asks.
        if (url === "/auth/logout") continue;
        const answer = await http.ask<{ code: string }>(method, url, { key, body: method === "GET" ? undefined : {} });
        const label = [role, method, url];
        if (roles !== null && !roles.includes(role as Role)) {
          expect([...label, answer.status, answer.body.code]).toEqual([...label, 403, "forbidden"]);
          refused++;
        } else {
          expect([...label, answer.status === 403]).toEqual([...label, false]);
        }
        if (url.includes("of-ben") && !url.startsWith("/ws") && role !== "analyst") {
          expect([...label, answer.status]).toEqual([...label, answer.status === 403 ? 403 : 404]);
        }
        if (role !== "analyst")
          expect([...label, answer.text.includes('"call_id":"of-ben"')]).toEqual([...label, false]);
      }
    }
    expect(refused).toBeGreaterThan(10);
    expect((await http.ask("GET", "/api/v1/calls/of-ben")).status).toBe(200);
  });

  test("an agent and a manager see what is theirs in every list, feed and search", async () => {
    const agent = await http.key("agent", { agent_id: "ana" });
    const manager = await http.key("manager", { team: "north" });
    for (const { key } of [agent, manager]) {
      for (const url of [
        "/api/v1/calls",
        "/api/v1/calls?agent_id=ben",
        "/api/v1/calls?view=full&customer_id=cust-canary",
        "/api/v1/events",
        `/api/v1/search?q=${CANARY}`,
        `/api/v1/search?q=${CANARY}&mode=keyword&agent_id=ben`,
        "/api/v1/analytics/agents",
      ]) {
        const answer = await http.ask("GET", url, { key });
        expect(answer.status).toBe(200);
        expect([url, answer.text.includes("ben")]).toEqual([
          url,
          url.includes("agent_id=ben") ? answer.text.includes("ben") : false,
        ]);
        expect(answer.text).not.toContain("of-ben");
      }
      expect((await http.ask("GET", "/api/v1/calls/of-ana", { key })).status).toBe(200);
    }
    const empty = await http.ask<{ total: number }>("GET", "/api/v1/calls?agent_id=ben", agent);
    expect(empty.body.total).toBe(0);
  });

  test("an analyst sees figures of all, and no words or customers of anybody", async () => {
    const { key } = await http.key("analyst");
    for (const { method, url, roles } of operations()) {
      if (method !== "GET" || roles === null || !roles.includes("analyst")) continue;
      const answer = await http.ask(method, url, { key });
      expect([url, answer.text.includes(CANARY), answer.text.includes(CUSTOMER)]).toEqual([url, false, false]);
    }
    const full = await http.ask("GET", "/api/v1/calls?view=full", { key });
    expect(full.text).not.toMatch(new RegExp(`${CANARY}|${CUSTOMER}`));
    expect(full.text).toContain("of-ben");
    const call = await http.ask("GET", "/api/v1/calls/of-ben", { key });
    expect(call.body).toMatchObject({ customer_id: null, transcript: null, turns: [{ text: null }, { text: null }] });
    // A customer cannot be asked for, nor guessed through words.
    expect((await http.ask("GET", `/api/v1/calls?customer_id=${CUSTOMER}`, { key })).status).toBe(403);
    expect((await http.ask("GET", `/api/v1/search?q=${CANARY}`, { key })).status).toBe(403);
    // The same call has another tag for who sees less of it.
    const admin = await http.ask("GET", "/api/v1/calls/of-ben");
    expect(admin.headers["etag"]).not.toBe(call.headers["etag"]);
  });
});

describe("tokens", () => {
  test("a signed one works; tricks with it do not", async () => {
    const good = await token();
    expect((await http.ask("GET", "/auth/me", { key: good })).body).toMatchObject({ role: "admin" });
    const [head = "", body = "", signature = ""] = good.split(".");
    const seconds = Math.floor(now / 1000);
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const none = { alg: "none", typ: "JWT", kid: KID };
    const bad: Record<string, string> = {
      "alg none": `${encode(none)}.${body}.`,
      "alg None, signed": `${encode({ ...none, alg: "None" })}.${body}.${signature}`,
      "alg RS256 over our secret": `${encode({ alg: "RS256", typ: "JWT", kid: KID })}.${body}.${signature}`,
      "signed with a public key": await token({}, {}, await exportSPKI(publicKey)),
      "signed with another secret": await token({}, {}, "x".repeat(40)),
      "another body": `${head}.${encode({ sub: BUILT_IN_ADMIN, iss: "earshot", aud: "earshot", exp: seconds + 999 })}.${signature}`,
      "no signature": `${head}.${body}.`,
      "two parts": `${head}.${body}`,
      "no kid": await token({}, { kid: undefined }),
      "a path as kid": await token({}, { kid: "../../dev/null" }),
      "an empty kid": await token({}, { kid: "" }),
      "another audience": await token({ aud: "other" }),
      "another issuer": await token({ iss: "other" }),
      "no expiry": await token({ exp: undefined }),
      "not yet valid": await token({ nbf: seconds + 60 }),
      "no subject": await token({ sub: undefined }),
      HS512: await token({}, { alg: "HS512" }),
      "another type": await token({}, { typ: "at+jwt" }),
      "critical header": await token({}, { crit: ["exp"], exp: 1 }).catch(() => "x.y.z"),
      "too long": `${good}${"x".repeat(5_000)}`,
    };
    for (const [name, key] of Object.entries(bad)) {
      const answer = await http.ask("GET", "/auth/me", { key });
      expect([name, answer.status]).toEqual([name, 401]);
    }
  });

  test("role and name inside a token count for nothing", async () => {
    const { account_id } = await http.key("agent", { agent_id: "ana" });
    const key = await token({ sub: account_id, role: "admin" });
    expect((await http.ask("GET", "/auth/me", { key })).body).toMatchObject({ role: "agent", agent_id: "ana" });
  });

  test("expire, and end with their account", async () => {
    const { account_id } = await http.key("analyst");
    const key = await token({ sub: account_id });
    expect((await http.ask("GET", "/auth/me", { key })).status).toBe(200);
    now += 61_000;
    expect((await http.ask("GET", "/auth/me", { key })).status).toBe(401);
    const next = await token({ sub: account_id });
    expect((await http.ask("GET", "/auth/me", { key: next })).status).toBe(200);
    await http.store.accounts.revoke(account_id);
    now += 2_000;
    expect((await http.ask("GET", "/auth/me", { key: next })).status).toBe(401);
  });
});

describe("keys", () => {
  test("are kept as SHA-256 only, carry a checksum, and end within seconds of their revocation", async () => {
    const { key, account_id } = await http.key("analyst");
    expect(key).toMatch(/^ek_[0-9A-Za-z]{46}$/);
    expect((await http.store.accounts.byKeyHash(sha256(key)))?.account_id).toBe(account_id);
    expect((await http.ask("GET", "/auth/me", { key })).body).toMatchObject({ account_id, role: "analyst" });
    const typo = key.slice(0, -1) + (key.endsWith("a") ? "b" : "a");
    expect((await http.ask("GET", "/auth/me", { key: typo })).status).toBe(401);
    await http.store.accounts.revoke(account_id);
    now += 2_000;
    expect((await http.ask("GET", "/auth/me", { key })).status).toBe(401);
  });

  test("other schemes are refused", async () => {
    for (const authorization of [`Basic ${btoa(`admin:${ADMIN_KEY}`)}`, ADMIN_KEY, "Bearer", `Bearer ${ADMIN_KEY} x`]) {
      expect((await http.ask("GET", "/auth/me", { key: null, headers: { authorization } })).status).toBe(401);
    }
    expect((await http.ask("GET", `/auth/me?token=${ADMIN_KEY}`, { key: null })).status).toBe(401);
  });
});

test("an admin key of the settings may be any text that a header carries", async () => {
  for (const key of [
    "0123456789abcdef",
    "correct horse battery staple",
    'a.b.c-_=+/"%; key, 16',
    "ek_admin_of_our_own",
  ]) {
    const other = await startHttp({ model: false, config: { adminKey: key } });
    try {
      expect((await other.ask("GET", "/auth/me", { key })).body["role"]).toBe("admin");
      expect((await other.ask("GET", "/auth/me", { key: key.slice(0, -1) })).status).toBe(401);
    } finally {
      await other.close();
    }
  }
});

describe("signing in", () => {
  const password = "correct horse battery";

  test("with a password: a token, a cookie, and an end to both", async () => {
    await addUser(
      { accounts: http.store.accounts, now: () => now },
      { name: "Mia", role: "manager", agent_id: null, team: "north", password },
    );
    const opened = await http.ask<Session>("POST", "/auth/login", { key: null, body: { username: "Mia", password } });
    expect(opened.body).toMatchObject({
      token_type: "bearer",
      expires_in: 3600,
      user_info: { name: "Mia", role: "manager" },
    });
    expect(opened.headers["cache-control"]).toBe("no-store");
    const key = opened.body.access_token;
    expect((await http.ask("GET", "/auth/me", { key })).body).toMatchObject({ name: "Mia", team: "north" });
    const setCookie = String(opened.headers["set-cookie"]);
    expect(setCookie).toMatch(/HttpOnly; SameSite=Strict/);
    const cookie = setCookie.split(";")[0] ?? "";
    const page = { key: null, headers: { cookie: `a=b; ${cookie}`, host: "localhost:8000" } };
    expect((await http.ask("GET", "/auth/me", page)).status).toBe(200);
    // A page of another origin may ride on the cookie no further than to be refused.
    const foreign = { key: null, headers: { ...page.headers, origin: "https://evil.example" } };
    expect((await http.ask("POST", "/auth/ticket", foreign)).status).toBe(403);
    expect(
      (
        await http.ask("POST", "/auth/ticket", {
          ...foreign,
          headers: { ...page.headers, "sec-fetch-site": "cross-site" },
        })
      ).status,
    ).toBe(403);
    expect(
      (
        await http.ask("POST", "/auth/ticket", {
          ...page,
          headers: { ...page.headers, origin: "http://localhost:8000" },
        })
      ).status,
    ).toBe(200);
    expect((await http.ask("POST", "/auth/ticket", page)).status).toBe(200);
    const out = await http.ask("POST", "/auth/logout", page);
    expect([out.status, String(out.headers["set-cookie"])]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect((await http.ask("GET", "/auth/me", page)).status).toBe(401);
    expect((await http.ask("GET", "/auth/me", { key })).status).toBe(401);
  });

  test("with a one-use link, once", async () => {
    const deps = { accounts: http.store.accounts, now: () => now };
    const link = await issueOneUse(deps, { account_id: BUILT_IN_ADMIN, use: "sign-in", ttl_ms: 60_000 });
    const first = await http.ask<Session>("POST", "/auth/session", { key: null, body: { token: link } });
    expect(first.body.user_info.role).toBe("admin");
    expect((await http.ask("GET", "/auth/me", { key: first.body.access_token })).status).toBe(200);
    expect((await http.ask("POST", "/auth/session", { key: null, body: { token: link } })).status).toBe(401);
    const late = await issueOneUse(deps, { account_id: BUILT_IN_ADMIN, use: "sign-in", ttl_ms: 1_000 });
    now += 1_001;
    expect((await http.ask("POST", "/auth/session", { key: null, body: { token: late } })).status).toBe(401);
    // A ticket for a socket is no sign-in link.
    const ticket = await http.ask<{ ticket: string }>("POST", "/auth/ticket");
    expect((await http.ask("POST", "/auth/session", { key: null, body: { token: ticket.body.ticket } })).status).toBe(
      401,
    );
  });

  test("bad bodies name the field and never repeat it", async () => {
    for (const [body, pointer] of [
      [{ username: "Mia" }, "/password"],
      [{ username: "Mia", password: 123_456_789 }, "/password"],
      [{ username: "Mia", password, role: "admin" }, "/role"],
      [{ username: "x".repeat(201), password }, "/username"],
      [undefined, ""],
    ] as const) {
      const answer = await http.ask<{ errors: { pointer: string }[] }>("POST", "/auth/login", { key: null, body });
      expect(answer.status).toBe(422);
      expect(answer.body.errors.map((e) => e.pointer)).toContain(pointer);
      expect(answer.text).not.toMatch(/correct horse|123456789/);
    }
  });

  test("ten wrong ones a minute, for a user or from an address, are answered 429 until the minute is over", async () => {
    now += 120_000;
    const wrong = (username: string) =>
      http.ask<{ code: string; detail: string }>("POST", "/auth/login", {
        key: null,
        body: { username, password: "wrong" },
      });
    for (let i = 0; i < 10; i++) expect((await wrong(`nobody-${i}`)).status).toBe(401);
    const refused = await http.ask<{ code: string; detail: string }>("POST", "/auth/login", {
      key: null,
      body: { username: "Mia", password },
    });
    expect([refused.status, refused.body.code]).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.headers["ratelimit-policy"]).toBe('"wrong-logins";q=10;w=60');
    expect(refused.headers["ratelimit"]).toBe(`"wrong-logins";r=0;t=${String(refused.headers["retry-after"])}`);
    expect(refused.body.detail).toContain("10 wrong attempts");
    now += 60_001;
    // Right ones do not count.
    for (let i = 0; i < 11; i++) {
      expect((await http.ask("POST", "/auth/login", { key: null, body: { username: "Mia", password } })).status).toBe(
        200,
      );
    }
  });
});

test("no secret gets into the log", () => {
  expect(JSON.stringify(http.log)).not.toMatch(/test-admin-key|ek_|eyJ|correct horse|xylophone/);
});

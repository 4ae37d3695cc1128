import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ERRORS } from "../../src/errors.ts";
import { openapiDocument } from "../../src/http/server.ts";
import { SCHEMAS } from "../../src/http/schema.ts";
import { type TestHttp, startHttp } from "../support/http-server.ts";

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.close());

const FIXED = {
  "/health": ["get"],
  "/health/ready": ["get"],
  "/auth/login": ["post"],
  "/auth/me": ["get"],
  "/api/v1/calls": ["get", "post"],
  "/api/v1/calls/bulk": ["post"],
  "/api/v1/calls/{call_id}": ["delete", "get", "put"],
  "/api/v1/calls/{call_id}/process": ["post"],
  "/api/v1/calls/{call_id}/recommendations": ["get"],
  "/api/v1/analytics/agents": ["get"],
  "/api/v1/analytics/recalculate": ["post"],
  "/ws": ["get"],
  "/ws/feed": ["get"],
  "/ws/sentiment/{call_id}": ["get"],
};

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { parameters?: { name: string; required?: boolean }[] }>>;
  readonly components: { schemas: Record<string, unknown> };
}

describe("the document", () => {
  test("openapi.json in the repository is what the routes say (npm run earshot -- openapi > openapi.json)", async () => {
    const text = await readFile(join(import.meta.dirname, "../../openapi.json"), "utf8");
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(await openapiDocument(packageJson.version))));
  });

  test("has the fixed surface, every named schema, and no dangling reference", async () => {
    const served = await http.ask<Document>("GET", "/openapi.json", { key: null });
    const { openapi, paths, components } = served.body;
    expect(openapi).toBe("3.1.0");
    for (const [path, methods] of Object.entries(FIXED)) {
      expect([path, Object.keys(paths[path] ?? {}).toSorted()]).toEqual([path, methods]);
    }
    expect(Object.keys(components.schemas).toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
    for (const [, target] of served.text.matchAll(/"\$ref":"([^"]+)"/g)) {
      expect(Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`)).toContain(target);
    }
    const list = paths["/api/v1/calls"]?.["get"]?.parameters ?? [];
    expect(list.map((p) => p.name)).toEqual(
      expect.arrayContaining(["limit", "offset", "agent_id", "from_date", "to_date", "min_sentiment", "max_sentiment"]),
    );
    expect(list.filter((p) => p.required)).toEqual([]);
  });

  test("/docs reads it without scripts or anything from elsewhere", async () => {
    const page = await http.ask("GET", "/docs", { key: null });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page.text).not.toMatch(/<script|src=|https?:\/\//);
    for (const path of Object.keys(FIXED)) expect(page.text).toContain(path);
    for (const code of Object.keys(ERRORS)) expect(page.text).toContain(`id="error-${code}"`);
    // Every link within the page leads somewhere.
    for (const [, id] of page.text.matchAll(/href="#([^"]+)"/g)) expect(page.text).toContain(`id="${id}"`);
  });
});

describe("without a model", () => {
  test("every answer about calls says so, in header and body, and still comes", async () => {
    await http.ask("POST", "/api/v1/calls", {
      body: { call_id: "c1", agent_id: "ana", transcript: "Agent: Hello there\nCustomer: I love this offer" },
    });
    await http.enrich();
    for (const url of [
      "/api/v1/calls",
      "/api/v1/calls/c1",
      "/api/v1/calls/c1/recommendations",
      "/api/v1/search?q=offer",
      "/api/v1/search?q=offer&mode=semantic",
      "/api/v1/analytics/agents",
    ]) {
      const answer = await http.ask<{ degraded?: string[] }>("GET", url);
      expect([url, answer.status, answer.headers["earshot-degraded"]]).toEqual([url, 200, "models"]);
      if (!Array.isArray(answer.body)) expect([url, answer.body.degraded]).toEqual([url, ["models"]]);
    }
    const call = await http.ask("GET", "/api/v1/calls/c1");
    expect(call.body).toMatchObject({ enrichment: { state: "degraded", method: "statistical" } });
    const found = await http.ask<{ mode: string; results: { call_id: string }[] }>(
      "GET",
      "/api/v1/search?q=offer&mode=semantic",
    );
    expect([found.body.mode, found.body.results.map((r) => r.call_id)]).toEqual(["keyword", ["c1"]]);
    const words = await http.ask("GET", "/api/v1/search?q=offer&mode=keyword");
    expect(words.headers["earshot-degraded"]).toBeUndefined();
    const similar = await http.ask("GET", "/api/v1/calls/c1/recommendations");
    expect(similar.body).toMatchObject({
      similar_calls: [],
      similar_calls_reason: "no model is at hand; the call is compared as soon as one is",
      coaching_nudges: [expect.any(String), expect.any(String), expect.any(String)],
    });
  });

  test("readiness is degraded, not down, and says what to do", async () => {
    const ready = await http.ask("GET", "/health/ready", { key: null });
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({
      status: "degraded",
      degraded: ["models"],
      checks: { models: { ok: false, method: "statistical", problem: expect.stringContaining("EARSHOT_MODEL_DIR") } },
    });
  });
});

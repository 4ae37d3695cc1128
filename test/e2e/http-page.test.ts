/** How the server hands out the page's files: the headers that browsers and their caches go by. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHttp } from "../support/http-server.ts";
import type { TestHttp } from "../support/http-server.ts";
import { temporaryFolder } from "../support/process.ts";

const DIST = join(import.meta.dirname, "../../web/dist");

let http: TestHttp;
let bare: TestHttp;
let empty: Awaited<ReturnType<typeof temporaryFolder>>;
let assets: readonly string[];

beforeAll(async () => {
  empty = await temporaryFolder();
  http = await startHttp({ config: { pageFolder: DIST } });
  bare = await startHttp({ config: { pageFolder: empty.path } });
  assets = (await readdir(join(DIST, "assets"))).filter((name) => /\.(js|css|svg)$/.test(name));
});
afterAll(async () => {
  await http.close();
  await bare.close();
  await empty.cleanup();
});

const get = (of: TestHttp, url: string, headers: Record<string, string> = {}) =>
  of.app.inject({ method: "GET", url, headers });

test.each(["/", "/agents", "/calls/demo-1", "/?agent_id=x"])("%s is the page, asked anew each time", async (url) => {
  const answer = await get(http, url);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(answer.headers["cache-control"]).toBe("no-cache");
  expect(answer.body).toBe(await readFile(join(DIST, "index.html"), "utf8"));
  const again = await get(http, url, { "if-none-match": String(answer.headers.etag) });
  expect([again.statusCode, again.body]).toEqual([304, ""]);
});

test("scripts run from here only: the policy allows nothing inline but the one hash", async () => {
  const policy = String((await get(http, "/")).headers["content-security-policy"]);
  const scripts = policy.split("; ").find((d) => d.startsWith("script-src")) ?? "";
  expect(scripts).toMatch(/^script-src 'self' 'sha256-[\w+/=]+'$/);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
});

test("every asset is there, immutable, typed, and the same in each encoding", async () => {
  expect(assets.length).toBeGreaterThan(4);
  for (const name of assets) {
    const plain = await get(http, `/assets/${name}`);
    expect([name, plain.statusCode, plain.headers["cache-control"]]).toEqual([
      name,
      200,
      "public, max-age=31536000, immutable",
    ]);
    expect(plain.headers["content-type"]).toMatch(/javascript|css|svg/);
    expect(plain.headers["vary"]).toContain("Accept-Encoding");
    if (plain.rawPayload.length < 1024) continue;
    const br = await get(http, `/assets/${name}`, { "accept-encoding": "gzip, deflate, br" });
    const gz = await get(http, `/assets/${name}`, { "accept-encoding": "gzip" });
    expect([br.headers["content-encoding"], gz.headers["content-encoding"]]).toEqual(["br", "gzip"]);
    expect(brotliDecompressSync(br.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(gunzipSync(gz.rawPayload).equals(plain.rawPayload)).toBe(true);
  }
});

test("what is no asset is a problem, whatever way it is asked for", async () => {
  for (const url of [
    "/assets/none.js",
    "/assets/..%2findex.html",
    "/assets/%2e%2e%2f%2e%2e%2fpackage.json",
    "/agents/x",
  ]) {
    const answer = await get(http, url);
    expect([url, answer.statusCode, answer.headers["content-type"]]).toEqual([url, 404, "application/problem+json"]);
  }
});

test("without a built page one sentence says how to build it, and the API serves on", async () => {
  const answer = await get(bare, "/");
  expect(answer.statusCode).toBe(404);
  expect(answer.headers["content-type"]).toContain("text/plain");
  expect(answer.body).toContain("npm run build:web");
  expect((await bare.ask("GET", "/api/v1/calls")).status).toBe(200);
  await mkdir(join(empty.path, "assets"));
  await writeFile(join(empty.path, "assets", "late.js"), "1");
  expect((await get(bare, "/assets/late.js")).statusCode).toBe(404);
});

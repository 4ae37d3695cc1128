import { createReadStream, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sendImport } from "../../src/commands/send-import.ts";
import { ADMIN_KEY, startHttp, type TestHttp } from "../support/http-server.ts";
import { temporary } from "../support/sqlite-store.ts";

interface Job {
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly errors: readonly { line: number; message: string }[];
}

let http: TestHttp;
let url: string;
const place = temporary();
beforeAll(async () => {
  http = await startHttp();
  url = await http.app.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await http.close();
  place.remove();
});

const line = (id: string): string =>
  JSON.stringify({ call_id: id, transcript: "Agent: Hello there.\nCustomer: Good day." });
const send = (raw: string | Buffer, type: string, query = ""): ReturnType<typeof http.ask<Job>> =>
  http.ask<Job>("POST", `/api/v1/calls/import${query}`, { raw, type });

describe("import over HTTP", () => {
  it("answers the finished job, names bad lines, and is a replay the second time", async () => {
    const raw = `${line("a1")}\n{"call_id":\n${line("a2")}\n`;
    const first = await send(raw, "application/x-ndjson", "?job_id=my-first-job");
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      job_id: "my-first-job",
      kind: "import",
      state: "done",
      counts: { lines: 3, accepted: 2, replayed: 0, conflicts: 0, rejected: 1, bytes: raw.length },
      errors: [{ line: 2 }],
    });
    expect(first.headers["location"]).toBe("/api/v1/jobs/my-first-job");
    expect((await http.ask("GET", "/api/v1/jobs/my-first-job")).body).toEqual(first.body);
    expect((await send(raw, "application/x-ndjson")).body.counts).toMatchObject({ accepted: 0, replayed: 2 });
    expect((await http.ask("GET", "/api/v1/calls/a2")).status).toBe(200);
    expect((await send(raw, "application/x-ndjson", "?job_id=my-first-job")).status).toBe(409);
  });

  it("takes CSV with a mapping, defaults and speakers from the query", async () => {
    const csv = 'Id,N,Who,What\nb1,2,Client,"Fine, thanks"\nb1,1,Rep,How are you?\n';
    const query =
      "?map=call_id=Id,turn=N,speaker=Who,text=What&speaker_map=Rep=agent,Client=customer&default=agent_id=ann";
    expect((await send(csv, "text/csv; charset=utf-8", query)).body.counts).toMatchObject({ accepted: 1, rejected: 0 });
    const { body } = await http.ask("GET", "/api/v1/calls/b1");
    expect(body).toMatchObject({
      agent_id: "ann",
      turns: [{ speaker: "agent", text: "How are you?" }, { speaker: "customer" }],
    });
  });

  it("says what is wrong with the request", async () => {
    const missing = await send("a,b\n1,2\n", "text/csv");
    expect(missing.status).toBe(422);
    expect(missing.text).toContain("no column for transcript, turns or text");
    expect((await send("a\n", "text/csv", "?map=colour=a")).text).toContain("is no field");
    expect((await send("{}", "application/json")).status).toBe(415);
    expect((await send("{}", "application/x-ndjson", "?job_id=a%2Fb")).status).toBe(422);
    const { key } = await http.key("agent", { agent_id: "ann" });
    const refused = await http.ask("POST", "/api/v1/calls/import", { raw: "{}", type: "application/x-ndjson", key });
    expect(refused.status).toBe(403);
  });

  it("stores while it receives, shows progress meanwhile, and keeps what came when the upload breaks off", async () => {
    const { port } = http.app.server.address() as AddressInfo;
    const upload = request({
      port,
      method: "POST",
      path: "/api/v1/calls/import?job_id=long-upload",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/x-ndjson" },
    });
    upload.on("error", () => undefined);
    upload.write(Array.from({ length: 2_001 }, (_, i) => line(`u${i}`)).join("\n"));
    await vi.waitUntil(async () => (await http.store.jobs.get("long-upload"))?.state === "running", { interval: 10 });
    // A second batch follows the first only when that is stored.
    await vi.waitUntil(async () => (await http.ask("GET", "/api/v1/calls/u1999")).status === 200, { interval: 20 });
    upload.destroy();
    await vi.waitUntil(async () => (await http.store.jobs.get("long-upload"))?.state === "failed", { interval: 10 });
    const job = (await http.ask<Job>("GET", "/api/v1/jobs/long-upload")).body;
    expect(job.counts).toMatchObject({ accepted: 2_000, rejected: 0 });
    expect((await http.ask("GET", "/health")).status).toBe(200);
  });

  it("takes a file from the command line's sender, with progress", async () => {
    const file = join(place.folder, "send.ndjson");
    writeFileSync(file, Array.from({ length: 1_500 }, (_, i) => line(`s${i}`)).join("\n"));
    const progress: [number, number | null][] = [];
    const input = {
      file,
      stdin: new PassThrough(),
      format: "ndjson" as const,
      url,
      key: ADMIN_KEY,
      query: { map: "", default: "agent_id=zoe" },
      signal: new AbortController().signal,
      onProgress: (sent: number, total: number | null) => progress.push([sent, total]),
    };
    expect((await sendImport(input)).counts).toMatchObject({ accepted: 1_500 });
    const { size } = statSync(file);
    expect(progress.at(-1)).toEqual([size, size]);
    const piped = await sendImport({ ...input, file: "-", stdin: createReadStream(file) });
    expect(piped.counts).toMatchObject({ accepted: 0, replayed: 1_500 });
    await expect(sendImport({ ...input, key: "wrong" })).rejects.toThrow("answered 401");
  });
});
